"""Accounts, repositories, Apps and hooks as GitHub's JSON."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .state import Account, App, Hook, Installation, InstallationToken, Json, Repository, World

USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def timestamp(moment: float) -> str:
    """RFC 3339 in UTC, whole seconds, as GitHub writes it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def optional_timestamp(moment: float | None) -> str | None:
    """A timestamp, or None."""
    return None if moment is None else timestamp(moment)


def node_id(prefix: str, identifier: int | str) -> str:
    """A global id: opaque, and different for each kind."""
    return f"{prefix}_{base64.urlsafe_b64encode(str(identifier).encode()).decode().rstrip('=')}"


def user(world: World, account: Account) -> Json:
    """An account wherever it is mentioned."""
    api = f"{world.api}/users/{account.login}"
    prefix = {"User": "U", "Organization": "O", "Bot": "BOT"}[account.type]
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id(prefix, account.id),
        "avatar_url": f"{world.base_url}/avatars/u/{account.id}",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{world.base_url}/{account.login}",
        **{name: api + tail for name, tail in USER_LINKS.items()},
        "type": account.type,
        "site_admin": False,
    }


def organization(world: World, account: Account) -> Json:
    """An organisation in a payload."""
    mine = user(world, account)
    known = ("login", "id", "node_id", "url", "repos_url", "events_url", "avatar_url")
    org = f"{world.api}/orgs/{account.login}"
    return {
        **{name: mine[name] for name in known},
        "hooks_url": f"{org}/hooks",
        "issues_url": f"{org}/issues",
        "members_url": f"{org}/members{{/member}}",
        "public_members_url": f"{org}/public_members{{/member}}",
        "description": None,
    }


def public_profile(world: World, account: Account) -> Json:
    """An account when it is asked for."""
    owned = sum(1 for found in world.repositories.values() if found.owner is account and not found.private)
    return {
        **user(world, account),
        "name": None,
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "public_repos": owned,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": timestamp(account.created_at),
        "updated_at": timestamp(account.created_at),
    }


def private_profile(world: World, account: Account) -> Json:
    """An account when it asks for itself."""
    return {
        **public_profile(world, account),
        "private_gists": 0,
        "total_private_repos": 0,
        "owned_private_repos": 0,
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
    }


def minimal_repository(world: World, repository: Repository) -> Json:
    """What every mention of a repository holds."""
    api = f"{world.api}/repos/{repository.full_name}"
    return {
        "id": repository.id,
        "node_id": node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "owner": user(world, repository.owner),
        "html_url": f"{world.base_url}/{repository.full_name}",
        "description": None,
        "fork": repository.parent is not None,
        "url": api,
        **{name: api + tail for name, tail in REPOSITORY_LINKS.items()},
    }


def repository(world: World, repository: Repository) -> Json:
    """A repository in a pull request, a list and a payload."""
    html = f"{world.base_url}/{repository.full_name}"
    host = world.base_url.split("://", 1)[-1]
    open_issues = sum(1 for issue in repository.issues.values() if issue.state == "open")
    forks = sum(1 for found in world.repositories.values() if found.parent is repository)
    return {
        **minimal_repository(world, repository),
        "created_at": timestamp(repository.created_at),
        "updated_at": timestamp(repository.updated_at),
        "pushed_at": timestamp(repository.pushed_at),
        "git_url": f"git://{host}/{repository.full_name}.git",
        "ssh_url": f"git@{host}:{repository.full_name}.git",
        "clone_url": f"{html}.git",
        "svn_url": html,
        "homepage": None,
        "size": 1,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        "has_issues": True,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": True,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": forks,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": open_issues,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if repository.private else "public",
        "forks": forks,
        "open_issues": open_issues,
        "watchers": 0,
        "default_branch": repository.default_branch,
    }


def full_repository(world: World, found: Repository, role: str | None) -> Json:
    """A repository when it is asked for, with what the caller may do when that is a person."""
    shown = {**repository(world, found), "network_count": 0, "subscribers_count": 0}
    if role is not None:
        shown["permissions"] = permissions(role)
    if found.owner.type == "Organization":
        shown["organization"] = user(world, found.owner)
    if found.parent:
        shown["parent"] = shown["source"] = repository(world, found.parent)
    return shown


def permissions(role: str) -> dict[str, bool]:
    """A role as the flags of old."""
    order = ["read", "triage", "write", "maintain", "admin"]
    names = {"read": "pull", "triage": "triage", "write": "push", "maintain": "maintain", "admin": "admin"}
    granted = order.index(role) if role in order else -1
    return {names[each]: order.index(each) <= granted for each in reversed(order)}


def app(world: World, found: App) -> Json:
    """A GitHub App."""
    return {
        "id": found.id,
        "client_id": found.client_id,
        "slug": found.slug,
        "node_id": node_id("A", found.id),
        "owner": user(world, found.owner),
        "name": found.slug,
        "description": None,
        "external_url": world.base_url + found.page,
        "html_url": world.base_url + found.page,
        "created_at": timestamp(found.created_at),
        "updated_at": timestamp(found.created_at),
        "permissions": found.permissions,
        "events": list(found.events),
    }


def installation(world: World, found: Installation) -> Json:
    """An installation of an App."""
    settings = f"{world.base_url}/organizations/{found.account.login}/settings/installations/{found.id}"
    return {
        "id": found.id,
        "account": user(world, found.account),
        "repository_selection": "all" if found.repositories is None else "selected",
        "access_tokens_url": f"{world.api}/app/installations/{found.id}/access_tokens",
        "repositories_url": f"{world.api}/installation/repositories",
        "html_url": settings,
        "app_id": found.app.id,
        "app_slug": found.app.slug,
        "target_id": found.account.id,
        "target_type": found.account.type,
        "permissions": found.app.permissions,
        "events": list(found.app.events),
        "created_at": timestamp(found.created_at),
        "updated_at": timestamp(found.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(world, found.suspended_by) if found.suspended_by else None,
        "suspended_at": optional_timestamp(found.suspended_at),
    }


def installation_token(world: World, minted: InstallationToken) -> Json:
    """A freshly minted installation token."""
    chosen = minted.repositories if minted.repositories is not None else minted.installation.repositories
    shown: Json = {
        "token": minted.token,
        "expires_at": timestamp(minted.expires_at),
        "permissions": minted.permissions,
        "repository_selection": "all" if chosen is None else "selected",
    }
    if minted.repositories is not None:
        shown["repositories"] = [
            repository(world, world.repositories[chosen_id]) for chosen_id in sorted(minted.repositories)
        ]
    return shown


def hook(world: World, found: Hook) -> Json:
    """A repository's webhook, the secret masked."""
    assert found.repository is not None
    api = f"{world.api}/repos/{found.repository.full_name}/hooks/{found.id}"
    return {
        "type": "Repository",
        "id": found.id,
        "name": "web",
        "active": True,
        "events": list(found.events),
        "config": hook_config(found),
        "updated_at": timestamp(found.created_at),
        "created_at": timestamp(found.created_at),
        "url": api,
        "test_url": f"{api}/test",
        "ping_url": f"{api}/pings",
        "deliveries_url": f"{api}/deliveries",
        "last_response": {"code": None, "status": "unused", "message": None},
    }


def hook_config(found: Hook) -> Json:
    """Where and how a hook delivers."""
    config = {"content_type": "json", "insecure_ssl": "0", "url": found.url or ""}
    return {**config, "secret": "********"} if found.secret else config

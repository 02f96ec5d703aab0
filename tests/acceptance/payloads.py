"""Webhook bodies as GitHub sends them, with all the fields that nobody here reads."""

from __future__ import annotations

import hashlib
from typing import Any

Json = dict[str, Any]

REPOSITORY = "acme/widgets"
NUMBER = 12
NULL_SHA = "0" * 40
API = "https://api.github.com"
WEB = "https://github.com"
NOON = "2026-01-01T12:00:00Z"

LOGIN_LINKS = ("followers", "gists", "starred", "subscriptions", "organizations", "repos", "events")
REPOSITORY_LINKS = (
    "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents",
    "contributors", "deployments", "downloads", "events", "forks", "hooks", "issues", "keys", "labels",
    "languages", "merges", "milestones", "notifications", "pulls", "releases", "stargazers", "statuses",
    "subscribers", "subscription", "tags", "teams", "trees",
)  # fmt: skip


def sha(of: str) -> str:
    """The SHA of a commit that is called so."""
    return hashlib.sha1(of.encode(), usedforsecurity=False).hexdigest()


HEAD = sha("head")
OLD_HEAD = sha("the head before")
TIP = sha("tip of main")


def user(login: str) -> Json:
    """An account; names that end with [bot] are Apps'."""
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {
        "login": login,
        "id": int(sha(login)[:7], 16),
        "node_id": f"U_{sha(login)[:10]}",
        "avatar_url": "https://avatars.githubusercontent.com/u/1?v=4",
        "gravatar_id": "",
        "url": f"{API}/users/{login}",
        "html_url": f"{WEB}/{login}",
        **{f"{link}_url": f"{API}/users/{login}/{link}" for link in LOGIN_LINKS},
        "type": kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def repository(full_name: str = REPOSITORY) -> Json:
    """A repository."""
    owner, _, name = full_name.partition("/")
    return {
        "id": int(sha(full_name)[:7], 16),
        "node_id": f"R_{sha(full_name)[:10]}",
        "name": name,
        "full_name": full_name,
        "private": False,
        "owner": user(owner) | {"type": "Organization" if full_name == REPOSITORY else "User"},
        "html_url": f"{WEB}/{full_name}",
        "description": None,
        "fork": full_name != REPOSITORY,
        "url": f"{API}/repos/{full_name}",
        **{f"{link}_url": f"{API}/repos/{full_name}/{link}" for link in REPOSITORY_LINKS},
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": NOON,
        "pushed_at": NOON,
        "git_url": f"git://github.com/{full_name}.git",
        "ssh_url": f"git@github.com:{full_name}.git",
        "clone_url": f"{WEB}/{full_name}.git",
        "svn_url": f"{WEB}/{full_name}",
        "homepage": None,
        "size": 108,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": "Python",
        "archived": False,
        "disabled": False,
        "open_issues_count": 1,
        "license": None,
        "topics": [],
        "visibility": "public",
        "forks": 0,
        "open_issues": 1,
        "watchers": 0,
        "default_branch": "main",
    }


def label(name: str) -> Json:
    """A label."""
    return {
        "id": int(sha(name)[:7], 16),
        "node_id": f"LA_{sha(name)[:10]}",
        "url": f"{API}/repos/{REPOSITORY}/labels/{name}",
        "name": name,
        "color": "ededed",
        "default": False,
        "description": None,
    }


def pull(
    *,
    author: str = "alice",
    head: str = HEAD,
    head_ref: str = "topic",
    head_repository: str | None = REPOSITORY,
    base: str = "main",
    draft: bool = False,
    state: str = "open",
    labels: tuple[str, ...] = (),
    title: str = "Add a widget",
    changed_files: int = 1,
    updated_at: str = NOON,
) -> Json:
    """A pull request, as the REST API and payloads have it: alice's, from a branch of the repository itself.

    `head_repository` is None once the fork was deleted.
    """
    mine = f"{API}/repos/{REPOSITORY}/pulls/{NUMBER}"
    owner = head_repository.partition("/")[0] if head_repository else author
    return {
        "url": mine,
        "id": 9012,
        "node_id": "PR_kwDOABCDEF",
        "html_url": f"{WEB}/{REPOSITORY}/pull/{NUMBER}",
        "diff_url": f"{WEB}/{REPOSITORY}/pull/{NUMBER}.diff",
        "patch_url": f"{WEB}/{REPOSITORY}/pull/{NUMBER}.patch",
        "issue_url": f"{API}/repos/{REPOSITORY}/issues/{NUMBER}",
        "number": NUMBER,
        "state": state,
        "locked": False,
        "title": title,
        "user": user(author),
        "body": "See /docs.\r\n",
        "created_at": "2026-01-01T11:00:00Z",
        "updated_at": updated_at,
        "closed_at": None if state == "open" else updated_at,
        "merged_at": None,
        "merge_commit_sha": None,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [label(name) for name in labels],
        "milestone": None,
        "draft": draft,
        "commits_url": f"{mine}/commits",
        "review_comments_url": f"{mine}/comments",
        "review_comment_url": f"{API}/repos/{REPOSITORY}/pulls/comments{{/number}}",
        "comments_url": f"{API}/repos/{REPOSITORY}/issues/{NUMBER}/comments",
        "statuses_url": f"{API}/repos/{REPOSITORY}/statuses/{head}",
        "head": {
            "label": f"{owner}:{head_ref}",
            "ref": head_ref,
            "sha": head,
            "user": user(owner),
            "repo": repository(head_repository) if head_repository else None,
        },
        "base": {
            "label": f"acme:{base}",
            "ref": base,
            "sha": TIP,
            "user": user("acme") | {"type": "Organization"},
            "repo": repository(),
        },
        "_links": {"self": {"href": mine}, "html": {"href": f"{WEB}/{REPOSITORY}/pull/{NUMBER}"}},
        "author_association": "NONE",
        "auto_merge": None,
        "active_lock_reason": None,
        "merged": False,
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": None,
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": 1,
        "additions": 3,
        "deletions": 1,
        "changed_files": changed_files,
    }


def delivered(sender: str, **fields: object) -> Json:
    """What every delivery of a repository ends with."""
    return {
        **fields,
        "repository": repository(),
        "organization": {"login": "acme", "id": 1, "url": f"{API}/orgs/acme", "description": None},
        "installation": {"id": 77, "node_id": "INS_77"},
        "sender": user(sender),
    }


def pull_request(action: str, of: Json | None = None, *, sender: str = "", **more: object) -> Json:
    """A `pull_request` delivery, by the pull request's author unless somebody else is named."""
    of = of or pull()
    fields = {"action": action, "number": of["number"], "pull_request": of}
    if action == "synchronize":
        fields |= {"before": OLD_HEAD, "after": of["head"]["sha"]}
    return delivered(sender or of["user"]["login"], **fields, **more)


def issue_comment(
    body: str | None,
    *,
    by: str = "alice",
    action: str = "created",
    of: Json | None = None,
    on_issue: bool = False,
    comment_id: int = 5001,
) -> Json:
    """An `issue_comment` delivery; as GitHub's, it does not hold the pull request's head."""
    of = of or pull()
    mine = f"{API}/repos/{REPOSITORY}/issues/{NUMBER}"
    links = {"url": of["url"], "html_url": of["html_url"], "diff_url": of["diff_url"], "merged_at": None}
    shared = ("number", "title", "user", "labels", "state", "locked", "assignee", "assignees", "milestone")
    issue = {
        "url": mine,
        "repository_url": f"{API}/repos/{REPOSITORY}",
        "comments_url": f"{mine}/comments",
        "html_url": of["html_url"],
        "id": 8012,
        "node_id": "I_kwDOABCDEF",
        **{name: of[name] for name in shared},
        "comments": 1,
        "created_at": of["created_at"],
        "updated_at": of["updated_at"],
        "closed_at": of["closed_at"],
        "author_association": "NONE",
        "body": of["body"],
        "state_reason": None,
    }
    comment = {
        "url": f"{API}/repos/{REPOSITORY}/issues/comments/{comment_id}",
        "html_url": f"{of['html_url']}#issuecomment-{comment_id}",
        "issue_url": mine,
        "id": comment_id,
        "node_id": f"IC_{comment_id}",
        "user": user(by),
        "created_at": of["updated_at"],
        "updated_at": of["updated_at"],
        "author_association": "NONE",
        "body": body,
        "performed_via_github_app": None,
    }
    fields: Json = {"action": action, "issue": issue, "comment": comment}
    if not on_issue:
        issue |= {"draft": of["draft"], "pull_request": links}
    if action == "edited":
        fields["changes"] = {"body": {"from": "LGTM"}}
    return delivered(by, **fields)


QUEUE_REF = f"refs/heads/gh-readonly-queue/main/pr-{NUMBER}-{TIP}"


def merge_group(action: str, *, head: str = HEAD, base: str = "main", reason: str | None = None) -> Json:
    """A `merge_group` delivery."""
    group = {
        "head_sha": head,
        "head_ref": QUEUE_REF.replace("/main/", f"/{base}/"),
        "base_sha": TIP,
        "base_ref": f"refs/heads/{base}",
        "head_commit": commit(head, ("src/app.py",)),
    }
    more = {} if reason is None else {"reason": reason}
    return delivered("github-merge-queue[bot]", action=action, merge_group=group, **more)


def commit(commit_sha: str, modified: tuple[str, ...]) -> Json:
    """A commit in a push."""
    return {
        "id": commit_sha,
        "tree_id": sha("tree"),
        "distinct": True,
        "message": "Change something\n\n/test unit",
        "timestamp": NOON,
        "url": f"{WEB}/{REPOSITORY}/commit/{commit_sha}",
        "author": {"name": "Alice", "email": "alice@users.example", "username": "alice"},
        "committer": {"name": "Alice", "email": "alice@users.example", "username": "alice"},
        "added": [],
        "removed": [],
        "modified": list(modified),
    }


def push(
    ref: str = "refs/heads/main",
    *,
    after: str = HEAD,
    before: str = OLD_HEAD,
    modified: tuple[str, ...] = ("src/app.py",),
    by: str = "alice",
) -> Json:
    """A `push` delivery; the null SHA after it is a deletion, before it a creation."""
    deleted = after == NULL_SHA
    last = None if deleted else commit(after, modified)
    return delivered(
        by,
        ref=ref,
        before=before,
        after=after,
        pusher={"name": by, "email": f"{by}@users.example"},
        created=before == NULL_SHA,
        deleted=deleted,
        forced=False,
        base_ref=None,
        compare=f"{WEB}/{REPOSITORY}/compare/{before[:12]}...{after[:12]}",
        commits=[last] if last else [],
        head_commit=last,
    )


def ping() -> Json:
    """GitHub's greeting of a new hook."""
    hook = {"type": "Repository", "id": 1, "name": "web", "active": True, "events": ["*"], "config": {}}
    return delivered("alice", zen="Design for failure.", hook_id=1, hook=hook)


def installation(action: str) -> Json:
    """The App was installed, or removed."""
    mine = repository()
    short = {name: mine[name] for name in ("id", "node_id", "name", "full_name", "private")}
    whole = {"id": 77, "account": user("acme"), "repository_selection": "all", "app_id": 3, "events": []}
    return {
        "action": action,
        "installation": whole,
        "repositories": [short],
        "requester": None,
        "sender": user("alice"),
    }


def installation_repositories(action: str) -> Json:
    """Repositories were added to, or removed from, the App's installation."""
    body = installation(action)
    listed = body.pop("repositories")
    added, removed = (listed, []) if action == "added" else ([], listed)
    return body | {
        "repository_selection": "selected",
        "repositories_added": added,
        "repositories_removed": removed,
    }


def repository_event(action: str) -> Json:
    """The repository was renamed, transferred or something else."""
    changes = {
        "renamed": {"repository": {"name": {"from": "gadgets"}}},
        "transferred": {"owner": {"from": {"user": user("alice")}}},
    }.get(action)
    return delivered("alice", action=action) | ({"changes": changes} if changes else {})

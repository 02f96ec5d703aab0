"""Issues, pull requests, comments, commits and statuses as GitHub's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from .checks import unmet
from .shapes import app, node_id, optional_timestamp, repository, timestamp, user
from .state import Pull

if TYPE_CHECKING:
    from .state import Account, Comment, Issue, Json, Label, Reaction, Repository, World

REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
ASSOCIATION = {
    "admin": "OWNER",
    "maintain": "COLLABORATOR",
    "write": "COLLABORATOR",
    "triage": "COLLABORATOR",
    "read": "NONE",
    "none": "NONE",
}


def association(found: Repository, account: Account) -> str:
    """What an author is to a repository, in GitHub's words."""
    if account.id in found.owner.members:
        return "MEMBER"
    if account.login in found.roles and found.owner.type == "Organization":
        return "MEMBER" if found.roles[account.login] == "admin" else "COLLABORATOR"
    return ASSOCIATION[found.role_of(account)]


def label(world: World, found: Repository, shown: Label) -> Json:
    """A label."""
    return {
        "id": shown.id,
        "node_id": node_id("LA", shown.id),
        "url": f"{world.api}/repos/{found.full_name}/labels/{quote(shown.name)}",
        "name": shown.name,
        "description": None,
        "color": "ededed",
        "default": False,
    }


def issue(world: World, found: Issue) -> Json:
    """An issue; of a pull request, the half that is an issue."""
    home = found.repository
    api = f"{world.api}/repos/{home.full_name}"
    mine = f"{api}/issues/{found.number}"
    html = f"{world.base_url}/{home.full_name}"
    shown: Json = {
        "url": mine,
        "repository_url": api,
        "labels_url": f"{mine}/labels{{/name}}",
        "comments_url": f"{mine}/comments",
        "events_url": f"{mine}/events",
        "timeline_url": f"{mine}/timeline",
        "html_url": f"{html}/issues/{found.number}",
        "id": found.id,
        "node_id": node_id("I", found.id),
        "number": found.number,
        "title": found.title,
        "user": user(world, found.author),
        "labels": [label(world, home, each) for each in found.labels],
        "state": found.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(found.comments),
        "created_at": timestamp(found.created_at),
        "updated_at": timestamp(found.updated_at),
        "closed_at": optional_timestamp(found.closed_at),
        "closed_by": user(world, found.closed_by) if found.closed_by else None,
        "author_association": association(home, found.author),
        "active_lock_reason": None,
        "body": found.body,
        "reactions": rollup(mine, []),
        "performed_via_github_app": None,
        "state_reason": None,
    }
    if isinstance(found, Pull):
        pull_html = f"{html}/pull/{found.number}"
        shown["html_url"] = pull_html
        shown["draft"] = found.draft
        shown["pull_request"] = {
            "url": f"{api}/pulls/{found.number}",
            "html_url": pull_html,
            "diff_url": f"{pull_html}.diff",
            "patch_url": f"{pull_html}.patch",
            "merged_at": optional_timestamp(found.merged_at),
        }
    return shown


def pull(world: World, found: Pull) -> Json:
    """A pull request in a list."""
    home = found.repository
    api = f"{world.api}/repos/{home.full_name}"
    mine = f"{api}/pulls/{found.number}"
    as_issue = f"{api}/issues/{found.number}"
    html = f"{world.base_url}/{home.full_name}/pull/{found.number}"
    head_owner = found.head_owner or found.author
    return {
        "url": mine,
        "id": found.pull_id,
        "node_id": node_id("PR", found.pull_id),
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": as_issue,
        "number": found.number,
        "state": found.state,
        "locked": False,
        "title": found.title,
        "user": user(world, found.author),
        "body": found.body,
        "created_at": timestamp(found.created_at),
        "updated_at": timestamp(found.updated_at),
        "closed_at": optional_timestamp(found.closed_at),
        "merged_at": optional_timestamp(found.merged_at),
        "merge_commit_sha": found.merge_commit_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [label(world, home, each) for each in found.labels],
        "milestone": None,
        "draft": found.draft,
        "commits_url": f"{mine}/commits",
        "review_comments_url": f"{mine}/comments",
        "review_comment_url": f"{api}/pulls/comments{{/number}}",
        "comments_url": f"{as_issue}/comments",
        "statuses_url": f"{api}/statuses/{found.head_sha}",
        "head": _end(world, head_owner, found.head_ref, found.head_sha, found.head_repository),
        "base": _end(world, home.owner, found.base_ref, found.base_sha, home),
        "_links": {
            "self": {"href": mine},
            "html": {"href": html},
            "issue": {"href": as_issue},
            "comments": {"href": f"{as_issue}/comments"},
            "review_comments": {"href": f"{mine}/comments"},
            "review_comment": {"href": f"{api}/pulls/comments{{/number}}"},
            "commits": {"href": f"{mine}/commits"},
            "statuses": {"href": f"{api}/statuses/{found.head_sha}"},
        },
        "author_association": association(home, found.author),
        "auto_merge": _auto_merge(world, found.auto_merge_by),
        "active_lock_reason": None,
    }


def full_pull(world: World, found: Pull, *, asked: bool) -> Json:
    """A pull request on its own. `asked` by REST; a payload never knows whether it can be merged."""
    git = found.repository.git
    base = git.merge_base(found.base_tip, found.head_sha) or found.base_tip
    changes = git.changes(base, found.head_sha)
    mergeable = _mergeable(found) if asked else None
    fits = "blocked" if unmet(found.repository, found.base_ref, found.head_sha) else "clean"
    state = {None: "unknown", True: fits, False: "dirty"}[mergeable]
    return {
        **pull(world, found),
        "merged": found.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": "draft" if found.draft and mergeable else state,
        "merged_by": user(world, found.merged_by) if found.merged_by else None,
        "comments": len(found.comments),
        "review_comments": 0,
        "maintainer_can_modify": found.maintainer_can_modify,
        "commits": len(git.between(base, found.head_sha)),
        "additions": sum(change.additions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "changed_files": len(changes),
    }


def _auto_merge(world: World, by: Account | None) -> Json | None:
    if by is None:
        return None
    return {
        "enabled_by": user(world, by),
        "merge_method": "merge",
        "commit_title": None,
        "commit_message": None,
    }


def _mergeable(found: Pull) -> bool | None:
    """GitHub computes this in the background: the first to ask after a change learns nothing."""
    ends = (found.head_sha, found.base_tip)
    if found.state == "closed":
        return None
    if found.mergeability != ends:
        found.mergeability = ends
        return None
    return found.repository.git.merges_cleanly(found.base_tip, found.head_sha)


def _end(world: World, owner: Account, ref: str, sha: str, home: Repository | None) -> Json:
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(world, owner),
        "repo": repository(world, home) if home else None,
    }


def comment(world: World, home: Issue, found: Comment) -> Json:
    """A comment on an issue or pull request."""
    api = f"{world.api}/repos/{home.repository.full_name}"
    kind = "pull" if isinstance(home, Pull) else "issues"
    page = f"{world.base_url}/{home.repository.full_name}/{kind}/{home.number}"
    mine = f"{api}/issues/comments/{found.id}"
    return {
        "url": mine,
        "html_url": f"{page}#issuecomment-{found.id}",
        "issue_url": f"{api}/issues/{home.number}",
        "id": found.id,
        "node_id": node_id("IC", found.id),
        "user": user(world, found.author),
        "created_at": timestamp(found.created_at),
        "updated_at": timestamp(found.updated_at),
        "author_association": association(home.repository, found.author),
        "body": found.body,
        "reactions": rollup(mine, found.reactions),
        "performed_via_github_app": app(world, found.app) if found.app else None,
    }


def rollup(url: str, reactions: list[Reaction]) -> Json:
    """How often each emoji was given."""
    counts = {name: sum(1 for given in reactions if given.content == name) for name in REACTIONS}
    return {"url": f"{url}/reactions", "total_count": len(reactions), **counts}


def reaction(world: World, found: Reaction) -> Json:
    """An emoji on a comment."""
    return {
        "id": found.id,
        "node_id": node_id("REA", found.id),
        "user": user(world, found.account),
        "content": found.content,
        "created_at": timestamp(found.created_at),
    }

"""The control API's actions on one pull request or issue, and its comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from . import comments, pulls
from .control_repository import push, repository_of
from .records import Comment, PullView
from .state import Pull, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from . import state
    from .control_repository import Packed
    from .hub import Hub


def show_pull(hub: Hub, repository: int, number: int) -> PullView:
    """A pull request as it is."""
    pull = pull_of(hub, repository, number)
    return PullView(
        number=pull.number,
        title=pull.title,
        body=pull.body,
        author=pull.author.login,
        state=pull.state,
        draft=pull.draft,
        merged=pull.merged_at is not None,
        head_sha=pull.head_sha,
        head_ref=pull.head_ref,
        head_repository=pull.head_repository.full_name if pull.head_repository else None,
        base_sha=pull.base_sha,
        base_ref=pull.base_ref,
        auto_merge=pull.auto_merge_by is not None,
        queued=any(group.pull is pull for group in pull.repository.queue),
        labels=[label.name for label in pull.labels],
        commits=pull.repository.git.between(pull.base_tip, pull.head_sha),
    )


def push_pull(
    hub: Hub,
    repository: int,
    number: int,
    *,
    by: str,
    files: Mapping[str, Packed],
    message: str,
    onto: str | None,
    author: str,
) -> dict[str, str]:
    """Commit to the head branch."""
    pull = pull_of(hub, repository, number)
    if pull.head_repository is None:
        raise Refused("the head repository was deleted")
    return push(
        hub,
        pull.head_repository.id,
        by=by,
        files=files,
        branch=pull.head_ref,
        message=message,
        onto=onto,
        author=author,
    )


def comment(hub: Hub, repository: int, number: int, by: str, body: str) -> Comment:
    """Comment."""
    issue, author = _issue(hub, repository, number), hub.world.account(by)
    app = next((app for app in hub.world.apps.values() if app.bot is author), None)
    return _comment(comments.add_comment(hub.world, issue, author, body, app))


def edit_comment(hub: Hub, repository: int, number: int, *, by: str, comment: int, body: str) -> None:
    """Change a comment."""
    issue = _issue(hub, repository, number)
    _, found = comments.find_comment(issue.repository, comment)
    comments.edit_comment(hub.world, issue, found, hub.world.account(by), body)


def delete_comment(hub: Hub, repository: int, number: int, by: str, comment: int) -> None:
    """Delete a comment."""
    issue = _issue(hub, repository, number)
    _, found = comments.find_comment(issue.repository, comment)
    comments.delete_comment(hub.world, issue, found, hub.world.account(by))


def list_comments(hub: Hub, repository: int, number: int) -> list[Comment]:
    """Comments."""
    return [_comment(each) for each in _issue(hub, repository, number).comments]


def set_state(hub: Hub, repository: int, number: int, by: str, state: Literal["open", "closed"]) -> None:
    """Close or reopen."""
    pulls.set_state(hub.world, pull_of(hub, repository, number), hub.world.account(by), state)


def set_draft(hub: Hub, repository: int, number: int, by: str, *, draft: bool) -> None:
    """Convert to a draft, or mark as ready."""
    pulls.set_draft(hub.world, pull_of(hub, repository, number), hub.world.account(by), draft=draft)


def edit_pull(
    hub: Hub, repository: int, number: int, *, by: str, title: str | None, body: str | None, base: str | None
) -> None:
    """Change title, body or base."""
    pull = pull_of(hub, repository, number)
    pulls.edit(hub.world, pull, hub.world.account(by), title=title, body=body, base=base)


def label(hub: Hub, repository: int, number: int, by: str, name: str, *, add: bool) -> None:
    """Add or remove a label."""
    pulls.set_label(hub.world, pull_of(hub, repository, number), hub.world.account(by), name, add=add)


def auto_merge(hub: Hub, repository: int, number: int, by: str, *, on: bool) -> None:
    """Wish for a merge, or no longer."""
    pulls.set_auto_merge(hub.world, pull_of(hub, repository, number), hub.world.account(by), on=on)


def merge(hub: Hub, repository: int, number: int, by: str) -> dict[str, str]:
    """Merge."""
    return {"sha": pulls.merge(hub.world, pull_of(hub, repository, number), hub.world.account(by))}


def _issue(hub: Hub, repository: int, number: int) -> state.Issue:
    found = repository_of(hub, repository)
    if number not in found.issues:
        raise Refused(f"{found.full_name} has no issue or pull request {number}")
    return found.issues[number]


def pull_of(hub: Hub, repository: int, number: int) -> Pull:
    found = _issue(hub, repository, number)
    if not isinstance(found, Pull):
        raise Refused(f"#{number} is an issue, not a pull request")
    return found


def _comment(found: state.Comment) -> Comment:
    return Comment(
        id=found.id,
        author=found.author.login,
        body=found.body,
        created_at=found.created_at,
        updated_at=found.updated_at,
        reactions=[reaction.content for reaction in found.reactions],
    )


ACTIONS: dict[str, Callable[..., object]] = {
    "comments": list_comments,
    **{
        act.__name__: cast("Callable[..., Any]", act)
        for act in (
            show_pull,
            push_pull,
            comment,
            edit_comment,
            delete_comment,
            set_state,
            set_draft,
            edit_pull,
            label,
            auto_merge,
            merge,
        )
    },
}

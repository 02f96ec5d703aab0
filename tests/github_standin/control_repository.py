"""The control API's actions on one repository or pull request."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Literal, cast

from . import accounts, branches, comments, pulls
from .records import Comment, PullView, Status
from .state import Pull, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from . import state
    from .hub import Hub

    Packed = str | dict[str, str] | None
    """A file's text, `{"base64": ...}`, or None to delete it."""


def unpacked(files: Mapping[str, Packed]) -> dict[str, bytes | None]:
    """Files as they came in JSON, as bytes."""
    return {
        path: base64.b64decode(content["base64"])
        if isinstance(content, dict)
        else None
        if content is None
        else content.encode()
        for path, content in files.items()
    }


def show_repository(hub: Hub, repository: int) -> dict[str, str]:
    """Its name now."""
    return {"full_name": _repository(hub, repository).full_name}


def tip(hub: Hub, repository: int, branch: str) -> dict[str, str]:
    """A branch's tip."""
    found = _repository(hub, repository)
    if branch not in found.heads:
        raise Refused(f"{found.full_name} has no branch {branch!r}")
    return {"sha": found.heads[branch]}


def push(
    hub: Hub,
    repository: int,
    *,
    by: str,
    files: Mapping[str, Packed],
    branch: str,
    message: str,
    onto: str | None,
) -> dict[str, str]:
    """Commit files to a branch."""
    world, found = hub.world, _repository(hub, repository)
    sha = branches.commit_to_branch(
        world, found, world.account(by), unpacked(files), branch=branch, message=message, onto=onto
    )
    return {"sha": sha}


def delete_branch(hub: Hub, repository: int, by: str, branch: str) -> None:
    """Delete a branch."""
    branches.delete_branch(hub.world, _repository(hub, repository), hub.world.account(by), branch)


def fork(hub: Hub, repository: int, by: str) -> dict[str, int]:
    """Fork."""
    return {"id": accounts.fork(hub.world, _repository(hub, repository), hub.world.account(by)).id}


def permit(hub: Hub, repository: int, login: str, role: str) -> None:
    """Give a role."""
    accounts.permit(hub.world, _repository(hub, repository), login, role)


def rename(hub: Hub, repository: int, name: str) -> None:
    """Rename."""
    accounts.rename(hub.world, _repository(hub, repository), name)


def hook(hub: Hub, repository: int, url: str, secret: str, events: Sequence[str]) -> dict[str, int]:
    """Add a webhook."""
    found = _repository(hub, repository)
    return {"id": accounts.add_hook(hub.world, hub.webhooks, found, url=url, secret=secret, events=events).id}


def open_issue(hub: Hub, repository: int, by: str, title: str, body: str) -> dict[str, int]:
    """Open an issue."""
    found = _repository(hub, repository)
    return {"number": pulls.open_issue(hub.world, found, hub.world.account(by), title, body).number}


def open_pull(
    hub: Hub,
    repository: int,
    by: str,
    branch: str,
    files: Mapping[str, Packed] | None,
    *,
    title: str,
    body: str,
    base: str,
    draft: bool,
    fork: bool,
    maintainer_can_modify: bool,
) -> dict[str, int]:
    """Open a pull request, after a commit of its files."""
    world, found, author = hub.world, _repository(hub, repository), hub.world.account(by)
    head = accounts.fork(world, found, author) if fork else found
    if files is not None:
        onto = found.heads.get(base) if branch not in head.heads else None
        if onto and head is not found:
            head.git.fetch(found.git, onto, f"refs/upstream/{base}")
        branches.commit_to_branch(
            world, head, author, unpacked(files), branch=branch, message=title, onto=onto
        )
    opened = pulls.open_pull(
        world,
        found,
        author,
        head,
        branch,
        base=base,
        title=title,
        body=body,
        draft=draft,
        maintainer_can_modify=maintainer_can_modify,
    )
    return {"number": opened.number}


def list_pulls(hub: Hub, repository: int) -> list[int]:
    """Numbers of its pull requests."""
    return [pull.number for pull in _repository(hub, repository).pulls]


def statuses(hub: Hub, repository: int, sha: str, context: str) -> list[Status]:
    """Statuses of a commit."""
    written = _repository(hub, repository).statuses.get(sha, [])
    return [
        Status(
            id=each.id,
            sha=each.sha,
            context=each.context,
            state=each.state,
            description=each.description,
            target_url=each.target_url,
            creator=each.creator.login,
            received_at=each.received_at,
        )
        for each in written
        if context in ("", each.context)
    ]


def show_pull(hub: Hub, repository: int, number: int) -> PullView:
    """A pull request as it is."""
    pull = _pull(hub, repository, number)
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
) -> dict[str, str]:
    """Commit to the head branch."""
    pull = _pull(hub, repository, number)
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
    )


def comment(hub: Hub, repository: int, number: int, by: str, body: str) -> Comment:
    """Comment."""
    issue = _issue(hub, repository, number)
    return _comment(comments.add_comment(hub.world, issue, hub.world.account(by), body))


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
    pulls.set_state(hub.world, _pull(hub, repository, number), hub.world.account(by), state)


def set_draft(hub: Hub, repository: int, number: int, by: str, *, draft: bool) -> None:
    """Convert to a draft, or mark as ready."""
    pulls.set_draft(hub.world, _pull(hub, repository, number), hub.world.account(by), draft=draft)


def edit_pull(
    hub: Hub, repository: int, number: int, *, by: str, title: str | None, body: str | None, base: str | None
) -> None:
    """Change title, body or base."""
    pull = _pull(hub, repository, number)
    pulls.edit(hub.world, pull, hub.world.account(by), title=title, body=body, base=base)


def label(hub: Hub, repository: int, number: int, by: str, name: str, *, add: bool) -> None:
    """Add or remove a label."""
    pulls.set_label(hub.world, _pull(hub, repository, number), hub.world.account(by), name, add=add)


def merge(hub: Hub, repository: int, number: int, by: str) -> dict[str, str]:
    """Merge."""
    return {"sha": pulls.merge(hub.world, _pull(hub, repository, number), hub.world.account(by))}


def _repository(hub: Hub, repository: int) -> state.Repository:
    if repository not in hub.world.repositories:
        raise Refused(f"there is no repository with id {repository}")
    return hub.world.repositories[repository]


def _issue(hub: Hub, repository: int, number: int) -> state.Issue:
    found = _repository(hub, repository)
    if number not in found.issues:
        raise Refused(f"{found.full_name} has no issue or pull request {number}")
    return found.issues[number]


def _pull(hub: Hub, repository: int, number: int) -> Pull:
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
    "pulls": list_pulls,
    **{
        act.__name__: cast("Callable[..., Any]", act)
        for act in (
            show_repository,
            tip,
            push,
            delete_branch,
            fork,
            permit,
            rename,
            hook,
            open_issue,
            open_pull,
            statuses,
            show_pull,
            push_pull,
            comment,
            edit_comment,
            delete_comment,
            set_state,
            set_draft,
            edit_pull,
            label,
            merge,
        )
    },
}

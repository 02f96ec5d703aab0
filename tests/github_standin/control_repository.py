"""The control API's actions on one repository."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

from . import accounts, branches, pulls
from .records import Status
from .state import Refused

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
    return {"full_name": repository_of(hub, repository).full_name}


def tip(hub: Hub, repository: int, branch: str) -> dict[str, str]:
    """A branch's tip."""
    found = repository_of(hub, repository)
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
    author: str,
) -> dict[str, str]:
    """Commit files to a branch."""
    world, found = hub.world, repository_of(hub, repository)
    sha = branches.commit_to_branch(
        world,
        found,
        world.account(by),
        unpacked(files),
        branch=branch,
        message=message,
        onto=onto,
        author=world.account(author) if author else None,
    )
    return {"sha": sha}


def tag(hub: Hub, repository: int, by: str, name: str, sha: str | None) -> None:
    """Make, move or delete a tag."""
    branches.set_tag(hub.world, repository_of(hub, repository), hub.world.account(by), name, sha)


def delete_branch(hub: Hub, repository: int, by: str, branch: str) -> None:
    """Delete a branch."""
    branches.delete_branch(hub.world, repository_of(hub, repository), hub.world.account(by), branch)


def fork(hub: Hub, repository: int, by: str) -> dict[str, int]:
    """Fork."""
    return {"id": accounts.fork(hub.world, repository_of(hub, repository), hub.world.account(by)).id}


def permit(hub: Hub, repository: int, login: str, role: str) -> None:
    """Give a role."""
    accounts.permit(hub.world, repository_of(hub, repository), login, role)


def rename(hub: Hub, repository: int, name: str, by: str) -> None:
    """Rename."""
    found = repository_of(hub, repository)
    accounts.rename(hub.world, found, name, hub.world.account(by) if by else found.owner)


def transfer(hub: Hub, repository: int, to: str, by: str) -> None:
    """Give to another account."""
    found = repository_of(hub, repository)
    accounts.transfer(hub.world, found, to, hub.world.account(by) if by else found.owner)


def star(hub: Hub, repository: int, by: str) -> None:
    """Star."""
    accounts.star(hub.world, repository_of(hub, repository), hub.world.account(by))


def deliver(
    hub: Hub, repository: int, *, event: str, action: str | None, by: str, payload: state.Json
) -> None:
    """Deliver any event at all."""
    hub.world.emit(event, action, repository_of(hub, repository), hub.world.account(by), payload)


def hook(hub: Hub, repository: int, url: str, secret: str, events: Sequence[str]) -> dict[str, int]:
    """Add a webhook."""
    found = repository_of(hub, repository)
    return {"id": accounts.add_hook(hub.world, hub.webhooks, found, url=url, secret=secret, events=events).id}


def open_issue(hub: Hub, repository: int, by: str, title: str, body: str) -> dict[str, int]:
    """Open an issue."""
    found = repository_of(hub, repository)
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
    world, found, author = hub.world, repository_of(hub, repository), hub.world.account(by)
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
    return [pull.number for pull in repository_of(hub, repository).pulls]


def statuses(hub: Hub, repository: int, sha: str, context: str) -> list[Status]:
    """Statuses of a commit."""
    written = repository_of(hub, repository).statuses.get(sha, [])
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


def repository_of(hub: Hub, repository: int) -> state.Repository:
    if repository not in hub.world.repositories:
        raise Refused(f"there is no repository with id {repository}")
    return hub.world.repositories[repository]


ACTIONS: dict[str, Callable[..., object]] = {
    "pulls": list_pulls,
    **{
        act.__name__: cast("Callable[..., Any]", act)
        for act in (
            show_repository,
            tip,
            push,
            delete_branch,
            tag,
            fork,
            permit,
            rename,
            transfer,
            star,
            deliver,
            hook,
            open_issue,
            open_pull,
            statuses,
        )
    },
}

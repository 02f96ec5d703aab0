"""Where Apps are installed, and what they are told when that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import shapes
from .state import Installation, Refused, now

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .state import Account, App, Json, Repository, World


def install(
    world: World, app: App, login: str, repositories: Sequence[str] | None, by: Account | None = None
) -> Installation:
    """Install an App on an account: on all its repositories, or on those named; or change which these are."""
    account = world.account(login, "Organization")
    chosen: set[int] | None = None
    if repositories is not None:
        found = [world.find_repository(f"{login}/{name.rpartition('/')[2]}") for name in repositories]
        chosen = {repository.id for repository in found if repository}
    by = by or account
    for installation in app.installations:
        if installation.account is account:
            _choose(world, installation, chosen, by)
            return installation
    installation = Installation(world.new_id("installation"), app, account, chosen, now())
    app.installations.append(installation)
    _emit(world, "created", installation, by, requester=None)
    return installation


def uninstall(world: World, installation: Installation, by: Account) -> None:
    """Take an App off an account; its tokens are worth nothing from now on."""
    _emit(world, "deleted", installation, by)
    installation.app.installations.remove(installation)
    for token in world.installation_tokens.values():
        token.revoked = token.revoked or token.installation is installation


def suspend(world: World, installation: Installation, by: Account, *, suspended: bool) -> None:
    """Suspend an installation (its tokens are refused, and it hears of nothing), or end that."""
    if suspended == (installation.suspended_at is not None):
        return
    installation.suspended_at = now() if suspended else None
    installation.suspended_by = by if suspended else None
    _emit(world, "suspend" if suspended else "unsuspend", installation, by)


def tell_of_new_repository(world: World, repository: Repository, by: Account) -> None:
    """Apps that are installed on all repositories of an account see its new ones."""
    for installation in world.installations_of(repository):
        if installation.repositories is None:
            _emit_repositories(world, "added", installation, by, [repository])


def find(world: World, installation_id: int) -> Installation:
    """An installation of any App; Refused if there is none."""
    for app in world.apps.values():
        for installation in app.installations:
            if installation.id == installation_id:
                return installation
    raise Refused(f"there is no installation {installation_id}")


def _choose(world: World, installation: Installation, chosen: set[int] | None, by: Account) -> None:
    before = _covered(world, installation)
    installation.repositories = chosen
    after = _covered(world, installation)
    for action, changed in (
        ("added", [each for each in after if each not in before]),
        ("removed", [each for each in before if each not in after]),
    ):
        if changed:
            _emit_repositories(world, action, installation, by, changed)


def _covered(world: World, installation: Installation) -> list[Repository]:
    return [each for each in world.repositories.values() if installation.covers(each)]


def _emit(world: World, action: str, installation: Installation, by: Account, **more: object) -> None:
    payload: Json = {
        "installation": shapes.installation(world, installation),
        "repositories": _mentions(_covered(world, installation)),
    }
    world.emit("installation", action, None, by, payload | more, installation=installation)


def _emit_repositories(
    world: World, action: str, installation: Installation, by: Account, changed: Iterable[Repository]
) -> None:
    mentions = _mentions(changed)
    payload: Json = {
        "installation": shapes.installation(world, installation),
        "repository_selection": "all" if installation.repositories is None else "selected",
        "repositories_added": mentions if action == "added" else [],
        "repositories_removed": mentions if action == "removed" else [],
        "requester": None,
    }
    world.emit("installation_repositories", action, None, by, payload, installation=installation)


def _mentions(repositories: Iterable[Repository]) -> list[Json]:
    return [
        {
            "id": each.id,
            "node_id": shapes.node_id("R", each.id),
            "name": each.name,
            "full_name": each.full_name,
            "private": each.private,
        }
        for each in repositories
    ]

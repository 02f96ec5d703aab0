"""What people do with accounts, repositories and Apps."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import installations, shapes
from .branches import commit_to_branch
from .records import EVENTS
from .state import DEFAULT_PERMISSIONS, ROLES, App, Hook, Refused, now

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .state import Account, Json, Repository, World
    from .webhooks import Webhooks

CHECK_EVENTS = ("check_run", "check_suite")


def make_repository(
    world: World,
    full_name: str,
    *,
    files: Mapping[str, bytes | None],
    permissions: Mapping[str, str],
    private: bool,
    default_branch: str,
) -> Repository:
    """A repository with a first commit; an unknown owner becomes an organisation."""
    owner_login, _, name = full_name.partition("/")
    if not owner_login or not name or "/" in name:
        raise Refused(f"{full_name!r} is not owner/name")
    owner = world.account(owner_login, "Organization")
    made = world.make_repository(owner, name, private=private, default_branch=default_branch)
    for login, role in permissions.items():
        permit(world, made, login, role)
    installations.tell_of_new_repository(world, made, owner)
    commit_to_branch(world, made, owner, files, branch=default_branch, message="Begin")
    return made


def permit(world: World, repository: Repository, login: str, role: str) -> None:
    """Give a person a role."""
    if role not in ROLES:
        raise Refused(f"{role!r} is no role; there are {', '.join(ROLES)}")
    account = world.account(login)
    repository.roles.pop(account.login, None)
    if role != "none":
        repository.roles[account.login] = role


def fork(world: World, repository: Repository, by: Account) -> Repository:
    """The fork that a person has, made when new."""
    for found in world.repositories.values():
        if found.parent is repository and found.owner is by:
            return found
    name = repository.name
    while world.find_repository(f"{by.login}/{name}"):
        name += "-1"
    return world.make_repository(
        by, name, private=repository.private, default_branch=repository.default_branch, parent=repository
    )


def rename(world: World, repository: Repository, name: str, by: Account) -> None:
    """Rename a repository; its old name leads to it until another takes it."""
    before = repository.name
    _move(world, repository, repository.owner, name)
    world.emit(
        "repository", "renamed", repository, by, {"changes": {"repository": {"name": {"from": before}}}}
    )


def transfer(world: World, repository: Repository, to: str, by: Account) -> None:
    """Give a repository to another account; its old name leads to it, and its hooks stay."""
    before = repository.owner
    _move(world, repository, world.account(to, "Organization"), repository.name)
    former: Json = (
        {"organization": shapes.organization(world, before)}
        if before.type == "Organization"
        else {"user": shapes.user(world, before)}
    )
    world.emit("repository", "transferred", repository, by, {"changes": {"owner": {"from": former}}})


def _move(world: World, repository: Repository, owner: Account, name: str) -> None:
    if world.find_repository(f"{owner.login}/{name}"):
        raise Refused(f"{owner.login}/{name} exists already")
    world.renamed[repository.full_name.lower()] = repository.id
    repository.owner, repository.name = owner, name
    world.renamed.pop(repository.full_name.lower(), None)


def star(world: World, repository: Repository, by: Account) -> None:
    """Star a repository: GitHub then says that it is watched, too. Neither means anything to a bot."""
    world.emit("star", "created", repository, by, {"starred_at": shapes.timestamp(now())})
    world.emit("watch", "started", repository, by, {})


def add_hook(
    world: World,
    webhooks: Webhooks,
    repository: Repository,
    *,
    url: str,
    secret: str,
    events: Iterable[str] = EVENTS,
) -> Hook:
    """Add a repository webhook and ping it."""
    hook = Hook(world.new_id("hook"), url, secret, tuple(events), now(), repository=repository)
    world.hooks[hook.id] = hook
    repository.hooks.append(hook)
    webhooks.ping(hook)
    return hook


def point_hook(world: World, webhooks: Webhooks, hook_id: int, url: str | None, secret: str) -> None:
    """Send a hook's deliveries elsewhere from now on, and ping it there."""
    hook = world.hooks.get(hook_id)
    if hook is None:
        raise Refused(f"there is no hook {hook_id}")
    hook.url, hook.secret = url, secret
    webhooks.ping(hook)


def register_app(
    world: World,
    webhooks: Webhooks,
    slug: str,
    *,
    owner: str,
    webhook_url: str | None,
    webhook_secret: str,
    events: Iterable[str],
    permissions: Mapping[str, str] | None,
    callback_url: str = "",
) -> App:
    """Register a GitHub App with a new key pair; its hook is pinged when it has an address."""
    if any(app.slug == slug for app in world.apps.values()):
        raise Refused(f"there is an App {slug!r} already")
    private, public = _new_key()
    app = App(
        world.new_id("app"),
        slug,
        world.account(owner, "Organization"),
        world.account(f"{slug}[bot]", "Bot"),
        private,
        public,
        dict(DEFAULT_PERMISSIONS if permissions is None else permissions),
        tuple(events),
        now(),
        client_secret=secrets.token_hex(20),
        callback_url=callback_url,
    )
    # Whoever may write checks hears what people want of them, asked for or not.
    heard = CHECK_EVENTS if app.permissions.get("checks") == "write" else ()
    listens = (*app.events, *(each for each in heard if each not in app.events))
    app.hook = Hook(world.new_id("hook"), webhook_url, webhook_secret, listens, now(), app=app)
    world.apps[app.id] = app
    world.hooks[app.hook.id] = app.hook
    webhooks.ping(app.hook)
    return app


def _new_key() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()

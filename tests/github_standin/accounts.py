"""What people do with accounts, repositories and Apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .branches import commit_to_branch
from .records import EVENTS
from .state import DEFAULT_PERMISSIONS, ROLES, App, Hook, Installation, Refused, now

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .state import Account, Repository, World
    from .webhooks import Webhooks


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


def rename(world: World, repository: Repository, name: str) -> None:
    """Rename a repository; its old name leads to it until another takes it."""
    if world.find_repository(f"{repository.owner.login}/{name}"):
        raise Refused(f"{repository.owner.login}/{name} exists already")
    world.renamed[repository.full_name.lower()] = repository.id
    repository.name = name
    world.renamed.pop(repository.full_name.lower(), None)


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
    )
    app.hook = Hook(world.new_id("hook"), webhook_url, webhook_secret, app.events, now(), app=app)
    world.apps[app.id] = app
    world.hooks[app.hook.id] = app.hook
    webhooks.ping(app.hook)
    return app


def install(world: World, app: App, login: str, repositories: Sequence[str] | None) -> Installation:
    """Install an App on an account: on all its repositories, or on those named."""
    chosen: set[int] | None = None
    if repositories is not None:
        found = [world.find_repository(f"{login}/{name.rpartition('/')[2]}") for name in repositories]
        chosen = {repository.id for repository in found if repository}
    account = world.account(login, "Organization")
    for installation in app.installations:
        if installation.account is account:
            installation.repositories = chosen
            return installation
    installation = Installation(world.new_id("installation"), app, account, chosen, now())
    app.installations.append(installation)
    return installation


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

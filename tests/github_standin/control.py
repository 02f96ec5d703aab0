"""The control API below `/_standin/`: what tests and the demo do and see; `client.py` is its other end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from . import (
    accounts,
    auth,
    control_checks,
    control_organizations,
    control_pull,
    control_queue,
    control_repository,
    installations,
    sign_in,
)
from .hub import Hub, hub
from .records import App, Delivery, User
from .state import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from . import state, webhooks

routes = Blueprint("control", __name__, url_prefix="/_standin")


@routes.post("/<action>")
def control(action: str) -> tuple[Response, int] | Response:
    """Perform an action with the arguments in the JSON body."""
    act = next((area[action] for area in AREAS if action in area), None)
    if act is None:
        return Response(f"there is no action {action!r}", 404)
    try:
        result = act(hub(), **(request.get_json() or {}))
    except Refused as refused:
        return Response(str(refused), 400)
    return jsonify(result)


def user(hub: Hub, login: str) -> User:
    """A person, made when new."""
    found = hub.world.account(login)
    return User(found.id, found.login, found.type, found.token)


def repository(
    hub: Hub,
    *,
    full_name: str,
    files: Mapping[str, control_repository.Packed],
    permissions: Mapping[str, str],
    private: bool,
    default_branch: str,
) -> dict[str, int]:
    """Make a repository; hook it when the stand-in was started with a webhook."""
    made = accounts.make_repository(
        hub.world,
        full_name,
        files=control_repository.unpacked(files),
        permissions=permissions,
        private=private,
        default_branch=default_branch,
    )
    if hub.world.default_hook:
        url, secret = hub.world.default_hook
        accounts.add_hook(hub.world, hub.webhooks, made, url=url, secret=secret)
    return {"id": made.id}


def find_repository(hub: Hub, full_name: str) -> dict[str, int]:
    """A repository by name."""
    found = hub.world.find_repository(full_name)
    if found is None:
        raise Refused(f"there is no repository {full_name!r}")
    return {"id": found.id}


def app(
    hub: Hub,
    *,
    slug: str,
    owner: str,
    webhook_url: str | None,
    webhook_secret: str,
    events: Sequence[str],
    permissions: Mapping[str, str] | None,
    callback_url: str,
    install: bool,
) -> App:
    """Register an App and install it on its owner."""
    made = accounts.register_app(
        hub.world,
        hub.webhooks,
        slug,
        owner=owner,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        events=events,
        permissions=permissions,
        callback_url=callback_url,
    )
    if install:
        installations.install(hub.world, made, owner, None)
    return App(
        id=made.id,
        slug=made.slug,
        private_key=made.private_key,
        bot_login=made.bot.login,
        bot_id=made.bot.id,
        hook_id=made.hook.id if made.hook else None,
        installations={each.account.login: each.id for each in made.installations},
        client_id=made.client_id,
        client_secret=made.client_secret,
        callback_url=made.callback_url,
    )


def set_callback_url(hub: Hub, app: int, url: str) -> None:
    """Send people back to another address after they signed in."""
    if app not in hub.world.apps:
        raise Refused(f"there is no App {app}")
    hub.world.apps[app].callback_url = url


def revoke_user_tokens(hub: Hub, login: str) -> None:
    """Make what Apps were given to act as a person invalid."""
    sign_in.revoke(hub.world, login)


def install(hub: Hub, app: int, account: str, repositories: Sequence[str] | None, by: str) -> dict[str, int]:
    """Install an App on an account, or change on which of its repositories."""
    if app not in hub.world.apps:
        raise Refused(f"there is no App {app}")
    person = hub.world.account(by) if by else None
    return {"id": installations.install(hub.world, hub.world.apps[app], account, repositories, person).id}


def uninstall(hub: Hub, installation: int, by: str) -> None:
    """Take an App off an account."""
    found = installations.find(hub.world, installation)
    installations.uninstall(hub.world, found, hub.world.account(by) if by else found.account)


def suspend(hub: Hub, installation: int, by: str, *, suspended: bool) -> None:
    """Suspend an installation, or end that."""
    found = installations.find(hub.world, installation)
    person = hub.world.account(by) if by else found.account
    installations.suspend(hub.world, found, person, suspended=suspended)


def set_webhook(hub: Hub, hook: int, url: str | None, secret: str) -> None:
    """Point a hook at another address."""
    accounts.point_hook(hub.world, hub.webhooks, hook, url, secret)


def mint(hub: Hub, installation: int) -> dict[str, str]:
    """A token for an installation."""
    found = installations.find(hub.world, installation)
    return {"token": auth.mint(hub.world, found, hub.limits.token_seconds).token}


def revoke_tokens(hub: Hub) -> None:
    """Make all minted tokens invalid."""
    for minted in hub.world.installation_tokens.values():
        minted.revoked = True


def mark(hub: Hub) -> dict[str, int]:
    """Where the request log ends now."""
    return {"mark": hub.log.mark()}


def requests(hub: Hub, since: int, method: str, path: str) -> Sequence[object]:
    """A part of the request log."""
    return hub.log.since(since, method, path)


def deliveries(hub: Hub, event: str, hook: int | None) -> list[Delivery]:
    """The delivery log."""
    found = hub.webhooks.of(hub.world.hooks.get(hook or 0), event)
    return [_delivery(each) for each in found]


def _delivery(found: webhooks.Delivery) -> Delivery:
    return Delivery(
        id=found.id,
        guid=found.guid,
        hook_id=found.hook.id,
        event=found.event,
        action=found.action,
        redelivery=found.redelivery,
        created_at=found.created_at,
        sent_at=found.sent_at,
        answered_at=found.answered_at,
        status=found.status,
        status_code=found.status_code,
        headers=found.headers,
        payload=found.payload,
        response_body=found.response_body,
    )


def redeliver(hub: Hub, delivery: int) -> None:
    """Send a delivery once more."""
    hub.webhooks.redeliver(hub.webhooks.find(delivery))


def age_deliveries(hub: Hub, seconds: float) -> None:
    """Make the delivery log older."""
    hub.webhooks.age(seconds)


def settled(hub: Hub) -> dict[str, bool]:
    """Whether every delivery has its outcome."""
    return {"settled": hub.webhooks.settled()}


def violations(hub: Hub, *, forget: bool) -> list[str]:
    """What broke GitHub's OpenAPI document."""
    return hub.check.violations(forget=forget)


def limits(hub: Hub, **changes: float | bool | None) -> None:
    """Change rate limits."""
    hub.limits.change(changes)


def age_requests(hub: Hub, seconds: float) -> None:
    """Make what counts for limits older."""
    hub.limits.age(seconds)


def fault(hub: Hub, **described: state.Json) -> dict[str, int]:
    """Script a fault."""
    return {"id": hub.faults.add(**described)}  # type: ignore[arg-type] # checked by the client's signature


def clear_faults(hub: Hub, fault: int | None) -> None:
    """End one fault, or all."""
    hub.faults.clear(fault)
    if fault is None:
        hub.webhooks.rules.clear()


def delivery_fault(hub: Hub, *, kind: str, event: str, action: str, times: int, seconds: float) -> None:
    """Script a fault of deliveries."""
    hub.webhooks.bend(kind, event, action, times, seconds)


def release(hub: Hub, *, newest_first: bool) -> None:
    """Send what was held back."""
    hub.webhooks.release(newest_first=newest_first)


ACTIONS: dict[str, Callable[..., object]] = {
    act.__name__: act
    for act in (
        user,
        repository,
        find_repository,
        app,
        set_callback_url,
        revoke_user_tokens,
        install,
        uninstall,
        suspend,
        set_webhook,
        mint,
        revoke_tokens,
        mark,
        requests,
        deliveries,
        redeliver,
        age_deliveries,
        settled,
        violations,
        limits,
        age_requests,
        fault,
        clear_faults,
        delivery_fault,
        release,
    )
}
AREAS = (
    ACTIONS,
    control_checks.ACTIONS,
    control_organizations.ACTIONS,
    control_pull.ACTIONS,
    control_queue.ACTIONS,
    control_repository.ACTIONS,
)

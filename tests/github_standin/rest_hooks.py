"""Webhooks and their delivery logs, of Apps and of repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from . import shapes
from .hub import caller, hub, the_repository
from .responses import cursor_page_of, not_found, page_of

if TYPE_CHECKING:
    from .state import Hook, Json
    from .webhooks import Delivery

routes = Blueprint("hooks", __name__)
REPOSITORY = "/repos/<owner>/<name>/hooks"
FILTERS = {"": range(1000), "success": range(200, 400), "failure": range(400, 600)}


@routes.get("/app/hook/config")
def get_app_hook_config() -> Response:
    """Where the App's hook delivers."""
    return jsonify(shapes.hook_config(_app_hook()))


@routes.get("/app/hook/deliveries")
def list_app_deliveries() -> Response:
    """The App's delivery log, newest first."""
    return _log(_app_hook())


@routes.get("/app/hook/deliveries/<int:delivery_id>")
def get_app_delivery(delivery_id: int) -> Response:
    """One delivery with what was sent and answered."""
    return jsonify(_full(_find(_app_hook(), delivery_id)))


@routes.post("/app/hook/deliveries/<int:delivery_id>/attempts")
def redeliver_app_delivery(delivery_id: int) -> tuple[Response, int]:
    """Send a delivery once more."""
    hub().webhooks.redeliver(_find(_app_hook(), delivery_id))
    return jsonify({}), 202


@routes.get(REPOSITORY)
def list_hooks(owner: str, name: str) -> Response:
    """A repository's hooks."""
    repository = the_repository(owner, name)
    caller().require(repository, "repository_hooks", "read", "admin")
    return jsonify([shapes.hook(hub().world, each) for each in page_of(repository.hooks)])


@routes.get(f"{REPOSITORY}/<int:hook_id>")
def get_hook(owner: str, name: str, hook_id: int) -> Response:
    """One hook."""
    return jsonify(shapes.hook(hub().world, _hook(owner, name, hook_id)))


@routes.get(f"{REPOSITORY}/<int:hook_id>/deliveries")
def list_deliveries(owner: str, name: str, hook_id: int) -> Response:
    """A repository hook's delivery log, newest first."""
    return _log(_hook(owner, name, hook_id))


@routes.get(f"{REPOSITORY}/<int:hook_id>/deliveries/<int:delivery_id>")
def get_delivery(owner: str, name: str, hook_id: int, delivery_id: int) -> Response:
    """One delivery with what was sent and answered."""
    return jsonify(_full(_find(_hook(owner, name, hook_id), delivery_id)))


@routes.post(f"{REPOSITORY}/<int:hook_id>/deliveries/<int:delivery_id>/attempts")
def redeliver(owner: str, name: str, hook_id: int, delivery_id: int) -> tuple[Response, int]:
    """Send a delivery once more."""
    hub().webhooks.redeliver(_find(_hook(owner, name, hook_id), delivery_id))
    return jsonify({}), 202


def _app_hook() -> Hook:
    hook = caller().as_app().hook
    if hook is None:
        raise not_found()
    return hook


def _hook(owner: str, name: str, hook_id: int) -> Hook:
    repository = the_repository(owner, name)
    caller().require(repository, "repository_hooks", "read", "admin")
    for hook in repository.hooks:
        if hook.id == hook_id:
            return hook
    raise not_found()


def _find(hook: Hook, delivery_id: int) -> Delivery:
    for delivery in hub().webhooks.logged(hook):
        if delivery.id == delivery_id:
            return delivery
    raise not_found()


def _log(hook: Hook) -> Response:
    """A page of a delivery log."""
    wanted = FILTERS[request.args.get("status", "")]
    found = [each for each in hub().webhooks.logged(hook) if each.status_code in wanted]
    return jsonify([_item(each) for each in cursor_page_of(found, [each.id for each in found])])


def _item(delivery: Delivery) -> Json:
    sent = delivery.sent_at or delivery.created_at
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": shapes.timestamp(sent),
        "redelivery": delivery.redelivery,
        "duration": round((delivery.answered_at or sent) - sent, 2),
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation_id,
        "repository_id": delivery.repository_id,
        "throttled_at": None,
    }


def _full(delivery: Delivery) -> Json:
    return {
        **_item(delivery),
        "url": delivery.hook.url or "",
        "request": {"headers": delivery.headers, "payload": delivery.payload},
        "response": {"headers": delivery.response_headers, "payload": delivery.response_body},
    }

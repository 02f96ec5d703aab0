"""Webhook deliveries: signed, sent in order by one thread per hook, logged, never redelivered unasked."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import requests

from . import shapes
from .state import Refused, now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .state import Account, Hook, Installation, Json, Repository, World

KEPT = 3 * 24 * 3600.0
"""Seconds for which the log keeps an entry, and GitHub can deliver it again."""
TIMEOUT = 10.0
"""Seconds that a receiver has to answer in."""
KINDS = ("drop", "duplicate", "delay", "reorder", "hold")


@dataclass(eq=False)
class Delivery:
    """One delivery; times are None until they happened."""

    id: int
    guid: str
    hook: Hook
    event: str
    action: str | None
    payload: Json
    repository_id: int | None
    installation_id: int | None
    created_at: float
    redelivery: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    sent_at: float | None = None
    answered_at: float | None = None
    status: str = "pending"
    status_code: int = 0
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


@dataclass
class DeliveryRule:
    """What is to happen to the next `left` deliveries of an event and action (any, when empty)."""

    kind: str
    event: str
    action: str
    left: int
    seconds: float
    held: list[Delivery] = field(default_factory=list)

    def meets(self, delivery: Delivery) -> bool:
        """Whether a delivery suffers this."""
        return self.left > 0 and self.event in ("", delivery.event) and self.action in ("", delivery.action)


class Webhooks:
    """All deliveries, oldest first, and their senders."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deliveries: list[Delivery] = []
        self.rules: list[DeliveryRule] = []
        self._stopped = threading.Event()
        self._queues: dict[int, queue.SimpleQueue[Delivery | None]] = {}
        world.emit = self.emit

    def emit(
        self,
        event: str,
        action: str | None,
        repository: Repository | None,
        sender: Account,
        payload: Json,
        *,
        installation: Installation | None = None,
    ) -> None:
        """Deliver an event of a repository to hooks that listen; one of an installation to its App alone."""
        body: Json = {} if action is None else {"action": action}
        body |= payload
        if repository:
            body["repository"] = shapes.repository(self.world, repository)
            if repository.owner.type == "Organization":
                body["organization"] = shapes.organization(self.world, repository.owner)
        body["sender"] = shapes.user(self.world, sender)
        if installation:
            # An App can't unsubscribe from what concerns its installations.
            if repository:
                body["installation"] = _mention(installation)
            if hook := installation.app.hook:
                self._add(hook, event, action, body, repository=repository, installation_id=installation.id)
        elif repository:
            self._emit_to_all(event, action, repository, body)

    def _emit_to_all(self, event: str, action: str | None, repository: Repository, body: Json) -> None:
        for hook in repository.hooks:
            if hook.listens(event):
                self._add(hook, event, action, body, repository=repository)
        for installation in self.world.installations_of(repository):
            app_hook = installation.app.hook
            if app_hook and app_hook.listens(event) and installation.suspended_at is None:
                with_app = {**body, "installation": _mention(installation)}
                self._add(
                    app_hook, event, action, with_app, repository=repository, installation_id=installation.id
                )

    def ping(self, hook: Hook) -> None:
        """Greet a new hook, as GitHub does."""
        body: Json = {"zen": "Practicality beats purity.", "hook_id": hook.id}
        if hook.repository:
            body["hook"] = shapes.hook(self.world, hook)
            body["repository"] = shapes.repository(self.world, hook.repository)
            body["sender"] = shapes.user(self.world, hook.repository.owner)
        elif hook.app:
            body["hook"] = {
                "type": "App",
                "id": hook.id,
                "name": "web",
                "active": True,
                "events": list(hook.events),
                "config": shapes.hook_config(hook),
                "updated_at": shapes.timestamp(hook.created_at),
                "created_at": shapes.timestamp(hook.created_at),
                "app_id": hook.app.id,
                "deliveries_url": f"{self.world.api}/app/hook/deliveries",
            }
        self._add(hook, "ping", None, body, repository=hook.repository)

    def bend(self, kind: str, event: str, action: str, times: int, seconds: float) -> None:
        """Script what happens to the next deliveries; Refused for a kind there is not."""
        if kind not in KINDS:
            raise Refused(f"{kind!r} is no fault of deliveries; there are {', '.join(KINDS)}")
        self.rules.append(DeliveryRule(kind, event, action, times, seconds))

    def release(self, *, newest_first: bool) -> None:
        """Send what was held back, in the order it was made or the other way round, and hold nothing more."""
        holding = [rule for rule in self.rules if rule.kind == "hold"]
        self.rules = [rule for rule in self.rules if rule not in holding]
        held = [delivery for rule in holding for delivery in rule.held]
        for delivery in sorted(held, key=lambda each: each.id, reverse=newest_first):
            self._queue(delivery.hook).put(delivery)

    def redeliver(self, delivery: Delivery) -> None:
        """Send a delivery once more: same guid and payload, another id."""
        again = replace(
            delivery,
            id=self.world.new_id("delivery"),
            redelivery=True,
            created_at=now(),
            sent_at=None,
            answered_at=None,
            status="pending",
            status_code=0,
            headers={},
            response_headers={},
            response_body="",
        )
        self.deliveries.append(again)
        self._queue(again.hook).put(again)

    def find(self, delivery_id: int, hook: Hook | None = None) -> Delivery:
        """A delivery by id (of one hook); Refused if there is none."""
        for delivery in self.deliveries:
            if delivery.id == delivery_id and hook in (None, delivery.hook):
                return delivery
        raise Refused(f"there is no delivery {delivery_id}")

    def of(self, hook: Hook | None = None, event: str = "") -> Iterator[Delivery]:
        """Deliveries (of one hook, of one event), oldest first."""
        for delivery in list(self.deliveries):
            if hook in (None, delivery.hook) and event in ("", delivery.event):
                yield delivery

    def logged(self, hook: Hook) -> list[Delivery]:
        """What the log of a hook shows, newest first: nothing that waits to be sent, and nothing old."""
        since = now() - KEPT
        found = [
            each
            for each in self.of(hook)
            if each.status != "pending" and (each.sent_at or each.created_at) > since
        ]
        return sorted(found, key=lambda each: -each.id)

    def age(self, seconds: float) -> None:
        """As if all that was delivered so far had been delivered earlier by so many seconds."""
        for delivery in self.deliveries:
            delivery.created_at -= seconds
            delivery.sent_at = None if delivery.sent_at is None else delivery.sent_at - seconds
            delivery.answered_at = None if delivery.answered_at is None else delivery.answered_at - seconds

    def settled(self) -> bool:
        """Whether nothing waits to be sent or answered."""
        return all(delivery.status != "pending" for delivery in list(self.deliveries))

    def stop(self) -> None:
        """Let the senders end after what they are sending now."""
        self._stopped.set()
        for waiting in self._queues.values():
            waiting.put(None)

    def _add(
        self,
        hook: Hook,
        event: str,
        action: str | None,
        payload: Json,
        *,
        repository: Repository | None = None,
        installation_id: int | None = None,
    ) -> None:
        if not hook.url:
            return
        delivery = Delivery(
            id=self.world.new_id("delivery"),
            guid=str(uuid.uuid4()),
            hook=hook,
            event=event,
            action=action,
            payload=payload,
            repository_id=repository.id if repository else None,
            installation_id=installation_id,
            created_at=now(),
        )
        self.deliveries.append(delivery)
        for due in self._bent_by_rules(delivery):
            self._queue(hook).put(due)

    def _bent_by_rules(self, delivery: Delivery) -> list[Delivery]:
        """What to send now that this delivery was made."""
        for rule in self.rules:
            if not rule.meets(delivery):
                continue
            rule.left -= 1
            if rule.kind == "drop":
                delivery.status, delivery.status_code = "failed to connect to host", 502
                return []
            if rule.kind == "duplicate":
                twin = replace(delivery, id=self.world.new_id("delivery"), headers={}, response_headers={})
                self.deliveries.append(twin)
                return [delivery, twin]
            if rule.kind == "delay":
                timer = threading.Timer(rule.seconds, self._queue(delivery.hook).put, [delivery])
                timer.daemon = True
                timer.start()
                return []
            rule.held.append(delivery)
            return list(reversed(rule.held)) if rule.kind == "reorder" and rule.left == 0 else []
        return [delivery]

    def _queue(self, hook: Hook) -> queue.SimpleQueue[Delivery | None]:
        if hook.id not in self._queues:
            waiting: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
            self._queues[hook.id] = waiting
            threading.Thread(
                target=_send_all, args=(waiting, self._stopped), daemon=True, name=f"hook-{hook.id}"
            ).start()
        return self._queues[hook.id]


def _mention(installation: Installation) -> Json:
    return {"id": installation.id, "node_id": shapes.node_id("INS", installation.id)}


def _send_all(waiting: queue.SimpleQueue[Delivery | None], stopped: threading.Event) -> None:
    with requests.Session() as session:
        session.trust_env = False
        while (delivery := waiting.get()) and not stopped.is_set():
            _send(session, delivery)


def _send(session: requests.Session, delivery: Delivery) -> None:
    """Deliver once and note what came of it."""
    body = json.dumps(delivery.payload, separators=(",", ":"), ensure_ascii=False).encode()
    delivery.headers = signed_headers(delivery, body)
    delivery.sent_at = now()
    try:
        # A connection of its own each time: a receiver that was restarted is no failure.
        response = session.post(
            delivery.hook.url or "",
            data=body,
            headers={**delivery.headers, "Connection": "close"},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.Timeout:
        delivery.status_code, status = 504, "timed out"
    except requests.RequestException as error:
        delivery.status_code, status = 502, "failed to connect to host"
        delivery.response_body = str(error)
    else:
        delivery.status_code = response.status_code
        delivery.response_headers = dict(response.headers)
        delivery.response_body = response.text[:10_000]
        status = "OK" if response.ok else f"Invalid HTTP Response: {response.status_code}"
    delivery.answered_at = now()
    delivery.status = status


def signed_headers(delivery: Delivery, body: bytes) -> dict[str, str]:
    """The headers that GitHub sends, with both signatures when the hook has a secret."""
    hook = delivery.hook
    target = hook.repository.id if hook.repository else hook.app.id if hook.app else hook.id
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/5tand1n",
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(target),
        "X-GitHub-Hook-Installation-Target-Type": "repository" if hook.repository else "integration",
    }
    if hook.secret:
        secret = hook.secret.encode()
        headers["X-Hub-Signature"] = "sha1=" + hmac.new(secret, body, hashlib.sha1).hexdigest()
        headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return headers

"""Our own web, asked as GitHub does: is it there, is it ours, and has it the same secret."""

from __future__ import annotations

import ipaddress
import json
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.doctor.checks import Check
from bot.doctor.findings import Diagnosis, broken, fine, skipped, warning
from bot.errors import NoAnswer, WebUnreachable
from bot.intake.signature import sign

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.models.doctor import SeenPage
    from bot.ports.doctor import WebLook

PART = "web"
ANSWERS = f"{PART}.answers"
PING = json.dumps({"zen": "Keep it logically awesome.", "hook_id": 0}).encode()
"""What web answers "pong" to, and stores nowhere."""

MEND = {
    NoAnswer.NAME: "Make a DNS record for that name, or mend PREFLIGHT_PUBLIC_URL.",
    NoAnswer.REFUSED: "Start web (`python -m bot web`), and the proxy or tunnel in front of it. If it can't "
    "be reached from here only, see what GitHub's deliveries say.",
    NoAnswer.TIME: "Let https in from the internet (a firewall may drop it), and see that web and its proxy "
    "run and don't hang.",
    NoAnswer.CERTIFICATE: "Replace the certificate by one that everybody trusts for that name, with its "
    "chain: GitHub delivers to no other. For a private authority set REQUESTS_CA_BUNDLE here.",
    NoAnswer.CUT: "See that PREFLIGHT_PUBLIC_URL has the right scheme and port, and what the proxy's log "
    "says.",
}
NOT_OURS = (
    "Let PREFLIGHT_PUBLIC_URL lead to web's PREFLIGHT_LISTEN: something else answers there (a proxy's own "
    "page, a sign-in, another program)."
)
RESTART = "Restart web with these settings: it has other PREFLIGHT_WEBHOOK_SECRETS than there are here."
NOT_READY = "See the checks of the database; web's internal listener says why at /readyz."


def web_checks(web: WebLook, public_url: str, secrets: Sequence[str]) -> list[Check]:
    """What is looked at through PREFLIGHT_PUBLIC_URL."""

    def answers() -> tuple[Diagnosis, ...]:
        return (judge_health(web.get("/healthz"), public_url),)

    def check(name: str, look: Callable[[], tuple[Diagnosis, ...]], *needs: str) -> Check:
        return Check(PART, name, lambda: _reaching(look), MEND[NoAnswer.TIME], needs)

    def ping() -> tuple[Diagnosis, ...]:
        pages = [web.post("/webhook", PING, _headers(secret)) for secret in secrets]
        return (judge_ping(pages),)

    return [
        Check(PART, "address", lambda: (judge_address(public_url, web.addresses()),), MEND[NoAnswer.NAME]),
        check("answers", answers),
        check("ready", lambda: (judge_ready(web.get("/readyz")),), ANSWERS),
        check("secret", ping, ANSWERS),
    ]


def judge_address(public_url: str, addresses: Sequence[str]) -> Diagnosis:
    """Whether the public URL can be public at all, by what its name stands for here."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    inner = [one for one in addresses if not ipaddress.ip_address(one.partition("%")[0]).is_global]
    if addresses and len(inner) == len(addresses):
        shown = host if host in inner else f"{host} ({inner[0]})"
        return warning(
            f"the public URL's host {shown} is of this machine or a private network: GitHub can't reach it",
            "Set PREFLIGHT_PUBLIC_URL to what the internet reaches. It is right only with a tunnel, a GitHub "
            "inside that network, or a name that means something else outside.",
        )
    if parts.scheme == "http":
        return warning(
            f"{public_url} is not encrypted: everybody in between reads deliveries and pages",
            "Put a proxy with a certificate in front, and set PREFLIGHT_PUBLIC_URL to https://...",
        )
    return fine(f"{public_url} is an address of the internet")


def judge_health(page: SeenPage, public_url: str) -> Diagnosis:
    """Whether it is our web that answers at the public URL."""
    if page.status == HTTPStatus.OK and page.text == "ok\n":
        return fine(f"web answers at {public_url}")
    if page.location:
        return broken(
            f"{public_url}/healthz redirects to {page.location}, and GitHub follows no redirect",
            "Set PREFLIGHT_PUBLIC_URL to where it leads if that is web, else take the redirect away.",
        )
    if page.status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
        return broken(
            f"the proxy at {public_url} does not reach web ({page.status})",
            "Start web (`python -m bot web`), and let the proxy lead to its PREFLIGHT_LISTEN.",
        )
    return broken(f"{public_url}/healthz was not answered by web, but with {page.status}", NOT_OURS)


def judge_ready(page: SeenPage) -> Diagnosis:
    """Whether web can do its work."""
    if page.status == HTTPStatus.OK:
        return fine("web has its database")
    if page.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return broken("web runs, but its database does not answer it or is not migrated", NOT_READY)
    return skipped(f"/readyz was answered with {page.status}: a proxy may keep it inside")


def judge_ping(pages: Sequence[SeenPage]) -> Diagnosis:
    """What a ping was answered that was signed with each of our secrets."""
    taken = [page.status == HTTPStatus.OK and page.text == "pong\n" for page in pages]
    if taken and all(taken):
        return fine("a signed ping was answered: web has the same secret")
    answers = {page.status for page, ours in zip(pages, taken, strict=True) if not ours}
    if answers == {HTTPStatus.UNAUTHORIZED}:
        number = "" if len(pages) == 1 else f" (of {len(pages)}, number {taken.index(False) + 1})"
        return broken(f"web does not know our webhook secret{number}: it answers 401", RESTART)
    page = next(page for page, ours in zip(pages, taken, strict=True) if not ours)
    shown = page.text.strip().partition("\n")[0][:100]
    return broken(f"a signed ping was answered with {page.status}: {shown or 'nothing'}", NOT_OURS)


def _headers(secret: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": "preflight-doctor",
        "X-Hub-Signature-256": sign(PING, secret),
    }


def _reaching(look: Callable[[], tuple[Diagnosis, ...]]) -> tuple[Diagnosis, ...]:
    """What a look says, or why it could not be reached."""
    try:
        return look()
    except WebUnreachable as error:
        return (broken(str(error), MEND[error.why]),)

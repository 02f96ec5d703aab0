"""How GitHub delivers to us: where the webhook leads, and what came of its last deliveries."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.doctor.findings import Diagnosis, broken, fine, or_fine, skipped, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.models.doctor import SeenDelivery, SeenHook

FINAL = "The webhook's URL must be the final one: GitHub follows no redirect."
WRONG_PATH = "The path is wrong, or a proxy does not send it to web: the URL must end in /webhook."
MEND_BY_CODE = {
    301: FINAL,
    302: FINAL,
    307: FINAL,
    308: FINAL,
    401: "The secrets differ: put the webhook's into PREFLIGHT_WEBHOOK_SECRETS and restart web, "
    "or set it anew at GitHub.",
    403: "Something in front of web refuses GitHub: look at the proxy's or firewall's rules for /webhook.",
    404: WRONG_PATH,
    405: WRONG_PATH,
    413: "A proxy takes only small bodies: let it take 25 MB (nginx: client_max_body_size 25m).",
    415: "Set the webhook's content type to application/json.",
    502: "The proxy in front of web does not reach it: see that web runs, and where /webhook is sent.",
    503: "Web could not store them, or the proxy has no web to send them to: see that both web and the "
    "database are up.",
    504: "The proxy in front of web waited in vain: see that web runs and is not overloaded.",
}
NOT_REACHED = (
    "GitHub does not reach it: see that the name, the certificate and the firewall let the internet in."
)
OTHER_CODE = "See Recent Deliveries at GitHub for what was answered, and web's log for why."
REDELIVERED = "The worker has them sent again by itself (`python -m bot redeliver --since 3d`: at once)."


def judge_hook(hook: SeenHook, public_url: str, where: str, *, app: bool = False) -> tuple[Diagnosis, ...]:
    """Whether a webhook leads to us, in a form that we take. `where`: what the webhook is called."""
    return or_fine(_wrong(hook, f"{public_url}/webhook", where, app=app), f"{where} leads to {hook.url}")


def judge_deliveries(deliveries: Sequence[SeenDelivery] | None, where: str) -> Diagnosis:
    """What came of the newest deliveries, newest first. Of one that was sent again the last try counts."""
    if deliveries is None:
        return skipped(f"we may not read the delivery log of {where}")
    newest: dict[str, SeenDelivery] = {}
    for one in deliveries:
        newest.setdefault(one.id, one)
    if not newest:
        return skipped(f"{where} has delivered nothing in the last days")
    failed = [one for one in newest.values() if one.failed]
    if not failed:
        return fine(f"the last {len(newest)} deliveries of {where} arrived")
    counts = Counter(_answer(one) for one in failed).most_common(4)
    shown = ", ".join(f"{many} times {answer}" for answer, many in counts)
    text = f"{len(failed)} of the last {len(newest)} deliveries of {where} failed: {shown}"
    mend = MEND_BY_CODE.get(failed[0].code, OTHER_CODE) if failed[0].answered else NOT_REACHED
    if next(iter(newest.values())).failed:
        return broken(f"{text}; the newest among them", mend)
    return warning(f"{text}; newer ones arrived", f"{REDELIVERED} If it happens again: {mend}")


def same_address(one: str, other: str) -> bool:
    """Whether two URLs are the same, but for letter case of the host, default ports and a last slash."""
    return _canonical(one) == _canonical(other)


def same_host(one: str, other: str) -> bool:
    """Whether two URLs lead to the same host and port."""
    return _canonical(one)[1:3] == _canonical(other)[1:3]


def _wrong(hook: SeenHook, wanted: str, where: str, *, app: bool) -> Iterator[Diagnosis]:
    edit = f"Edit {where} on GitHub:"
    if not hook.url:
        yield broken(f"{where} has no URL", f"{edit} tick Active, and set the URL {wanted} and the secret.")
        return
    if not hook.active:
        yield broken(f"{where} is not active", f"{edit} tick Active.")
    if not same_address(hook.url, wanted):
        yield _elsewhere(hook, wanted, where, edit)
    if hook.content_type != "json":
        yield broken(f"{where} sends forms, which we don't take", f"{edit} content type application/json.")
    if not hook.has_secret:
        yield broken(
            f"{where} has no secret, so nothing that it sends is believed",
            f"{edit} set a secret that is in PREFLIGHT_WEBHOOK_SECRETS.",
        )
    if hook.insecure_ssl:
        yield warning(f"{where} does not check our certificate", f"{edit} enable SSL verification.")
    if app and hook.deliveries is not None and not hook.deliveries:
        yield warning(
            f"{where} has delivered nothing in the last days",
            f"{edit} see that Active is ticked. If it is, nothing has happened yet: open a pull request.",
        )


def _elsewhere(hook: SeenHook, wanted: str, where: str, edit: str) -> Diagnosis:
    """It leads elsewhere. If somebody takes its deliveries there, that may be a tunnel to us."""
    text = f"{where} leads to {hook.url}, not to {wanted}"
    mend = f"{edit} set its URL to {wanted}. Or is PREFLIGHT_PUBLIC_URL wrong?"
    if hook.deliveries and not hook.deliveries[0].failed:
        return warning(
            f"{text}, and somebody there takes deliveries", f"Right if that is a tunnel. Else: {mend}"
        )
    return broken(text, mend)


def _canonical(url: str) -> tuple[str, str, int | None, str]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", url, None, ""
    return parts.scheme, (parts.hostname or "").rstrip("."), port, parts.path.rstrip("/")


def _answer(delivery: SeenDelivery) -> str:
    return str(delivery.code) if delivery.answered else (delivery.status or "no answer")

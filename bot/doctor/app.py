"""Our GitHub App: does GitHub know it, where is it installed, what may it do, where does GitHub deliver."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bot.doctor.checks import Check
from bot.doctor.findings import Diagnosis, broken, fine, or_fine, warning
from bot.doctor.github import ANSWERS, CREDENTIALS, PART, REACH
from bot.doctor.permissions import judge_events, judge_permissions
from bot.doctor.webhook import judge_deliveries, judge_hook
from bot.errors import GitHubNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.models.doctor import SeenApp, SeenInstallation
    from bot.policy.operator import Operator
    from bot.ports.doctor import AppLook

KEY = (
    "Compare PREFLIGHT_GITHUB_APP_ID with the App's page, and put a private key that is listed there into "
    "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE; see that the clock is right."
)
HOOK = "the App's webhook"
ITS_PAGE = "the App's page on GitHub"


def app_checks(app: AppLook, public_url: str, operator: Operator, wanted: Sequence[str]) -> list[Check]:
    """What is looked at with an App. `wanted` are the events that mean something to us."""

    def installations() -> tuple[Diagnosis, ...]:
        seen = app.app()
        return judge_installations(seen, app.installations(), operator.owned_by(seen.owner))

    def permissions() -> tuple[Diagnosis, ...]:
        return judge_permissions(app.app(), app.installations(), groups=bool(operator.trust))

    def events() -> tuple[Diagnosis, ...]:
        seen = app.app()
        mend = f"Tick it at {seen.page or ITS_PAGE} under Permissions & events, Subscribe to events."
        writes_checks = seen.permissions.get("checks") == "write"
        return judge_events(seen.events, wanted, HOOK, mend, writes_checks=writes_checks)

    def webhook() -> tuple[Diagnosis, ...]:
        try:
            return judge_hook(app.app_hook(), public_url, HOOK, app=True)
        except GitHubNotFound:
            mend = f"At {app.app().page or ITS_PAGE}: tick Active under Webhook, set URL and secret."
            return (broken("the App has no webhook, so GitHub tells us nothing", mend),)

    def deliveries() -> tuple[Diagnosis, ...]:
        return (judge_deliveries(app.app_hook().deliveries, HOOK),)

    known = (ANSWERS, CREDENTIALS)
    return [
        Check(PART, "credentials", lambda: (judge_app(app.app()),), KEY, (ANSWERS,)),
        Check(PART, "installations", installations, REACH, known),
        Check(PART, "permissions", permissions, REACH, known),
        Check(PART, "events", events, REACH, known),
        Check(PART, "webhook", webhook, REACH, known),
        Check(PART, "deliveries", deliveries, REACH, (*known, f"{PART}.webhook")),
    ]


def judge_app(app: SeenApp) -> Diagnosis:
    """The App is known."""
    return fine(f"we are the GitHub App {app.slug} of {app.owner}")


def judge_installations(
    app: SeenApp, installations: Sequence[SeenInstallation], operator: Operator
) -> tuple[Diagnosis, ...]:
    """Whether the App is installed wherever the (completed) operator's word serves repositories."""
    where = ", ".join(one.account for one in installations)
    return or_fine(_wrong(app, installations, operator), f"installed on {where}")


def _wrong(
    app: SeenApp, installations: Sequence[SeenInstallation], operator: Operator
) -> Iterator[Diagnosis]:
    there = {one.account.lower(): one for one in installations}
    install = f"Install it from {app.page or ITS_PAGE} (Install App)"
    if not installations:
        yield broken("the App is installed nowhere, so GitHub tells us nothing", f"{install}.")
        return
    for owner in _owners(operator):
        one = there.get(owner.lower())
        if one is None:
            yield broken(f"{owner} is served, but the App is not installed there", f"{install} on {owner}.")
        elif one.suspended:
            page = one.page or "its settings"
            yield broken(
                f"the App's installation on {owner} is suspended", f"An owner unsuspends it at {page}."
            )
    idle = ", ".join(one.account for one in installations if not _serves_some(operator, one.account))
    if idle:
        yield warning(
            f"the App is installed on {idle}, of which nothing is served",
            "Name its repositories in PREFLIGHT_REPOSITORIES or PREFLIGHT_CONFIG, or uninstall it there.",
        )


def _owners(operator: Operator) -> list[str]:
    """The accounts of which repositories are served, without those that are patterns."""
    patterns = (pattern for serve in operator.serves for pattern in serve.repositories)
    owners = {owner.lower(): owner for owner in (pattern.partition("/")[0] for pattern in patterns)}
    return [owner for _, owner in sorted(owners.items()) if not set(owner) & set("*?[")]


def _serves_some(operator: Operator, account: str) -> bool:
    """Whether any repository of the account can be among those that are served."""
    patterns = (pattern for serve in operator.serves for pattern in serve.repositories)
    return any(fnmatchcase(account.lower(), pattern.partition("/")[0].lower()) for pattern in patterns)

"""Planted bugs: what the bot must not do, done to it as it runs, so that chaos shows that it would notice.

Each changes the bot in the process that `tests.chaos.bot` starts, before its command runs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def triggers_without_looking() -> None:
    """Whether an attempt is there already is not asked: each try to start a run takes the next name."""
    from bot.models import Phase, RunRef  # noqa: PLC0415 - the bot is loaded only where a bug is planted
    from bot.runs import start  # noqa: PLC0415 - likewise
    from bot.runs.naming import dag_run_id  # noqa: PLC0415 - likewise

    def careless(run: Any, airflow: Any, rules: Any, intend: Any) -> Any:  # noqa: ANN401 - as the bot has it
        for attempt in range(start.MAX_ATTEMPTS):
            name = dag_run_id(rules.installation, run, attempt)
            ref = RunRef(run.dag_id, name)
            if name != run.dag_run_id and intend(name) and airflow.trigger(ref, run.conf, ""):
                return replace(run, phase=Phase.ACTIVE, dag_run_id=name, note="", steps=())
        raise AssertionError("no name is left")

    _instead_of(start, "_trigger", careless)


def posts_without_looking() -> None:
    """Whether a comment is there already is not looked for before it is posted again."""
    from bot.adapters.github import GitHubClient  # noqa: PLC0415 - likewise

    _instead_of(GitHubClient, "find_comment", lambda *_: None)


def checks_without_looking() -> None:
    """Whether a check run is there already is not looked for before it is created again."""
    from bot.adapters.github import GitHubClient  # noqa: PLC0415 - likewise

    _instead_of(GitHubClient, "find_check", lambda *_: None)


def acknowledges_first() -> None:
    """A delivery is done before what it leads to is stored."""
    from bot.intake.worker import DeliveryWorker  # noqa: PLC0415 - likewise

    def work(self: Any) -> bool:  # noqa: ANN401 - as the bot has it
        claim = self.inbox.claim()
        if claim is None:
            return False
        self.inbox.finish(claim, ignored=False, reason="")
        self.handler.handle(claim)
        return True

    _instead_of(DeliveryWorker, "work", work)


def never_supersedes() -> None:
    """What runs for an older head goes on."""
    from bot.commands import decide  # noqa: PLC0415 - likewise
    from bot.events import pull_request  # noqa: PLC0415 - likewise

    for module in (pull_request, decide):
        _instead_of(module, "stale_runs", lambda *_: ())


def trusts_everybody() -> None:
    """A stranger's head runs at once."""
    from bot.commands import session  # noqa: PLC0415 - likewise
    from bot.policy import automatic  # noqa: PLC0415 - likewise

    for module in (automatic, session):
        _instead_of(module, "distrust", lambda *_: None)


def stops_nothing() -> None:
    """What is to be stopped is stopped for us, and goes on in Airflow."""
    from bot.adapters.airflow import AirflowClient  # noqa: PLC0415 - likewise

    _instead_of(AirflowClient, "cancel", lambda *_: None)


def _instead_of(where: object, name: str, what: object) -> None:
    """Put it in the place of what the bot has there; AttributeError if it has no such thing (any more)."""
    getattr(where, name)
    setattr(where, name, what)


PLANTS: Mapping[str, Callable[[], None]] = {
    plant.__name__.replace("_", "-"): plant
    for plant in (
        triggers_without_looking,
        posts_without_looking,
        checks_without_looking,
        acknowledges_first,
        never_supersedes,
        trusts_everybody,
        stops_nothing,
    )
}

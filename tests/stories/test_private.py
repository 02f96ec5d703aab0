"""Private repositories: a step shows its run's ticket, and gets a token that reads that one repository."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import requests

from bot.runs.ticket import Tickets
from tests.fixtures.airflow import NUDGE_SECRET
from tests.stories.apps import OWNER
from tests.stories.pages import Browser
from tests.stories.pulls import DEVELOPER, STRANGER, checks, written
from tests.stories.waiting import until

if TYPE_CHECKING:
    from tests.stories.apps import Installed
    from tests.stories.conftest import MakeRepository
    from tests.stories.pulls import StoryPull

MINT = "/access_tokens"
PAUSE = timedelta(minutes=1)
"""Longer than the one before a step's second try."""

SECRETS = re.compile(r"pft_[0-9a-f]{8}|ghs_\w{8}|x-access-token", re.IGNORECASE)
FIND_SECRETS = (
    "if env | grep -iE '^PREFLIGHT_|ghs_'; then echo in the environment; exit 1; fi; "
    "if git config --list --local | grep -iE 'ghs_|extraheader|credential'; "
    "then echo in .git/config; exit 1; fi; "
    "if grep -rlE 'ghs_[A-Za-z0-9]{8}|pft_[0-9a-f]{8}' .git; then echo in .git; exit 1; fi"
)
"""What a step of the pull request would find, if the clone had left anything."""


def exchanged(installed: Installed, result: str = "exchanged") -> float:
    """How many tickets came to that end."""
    return installed.bot.figures().get(f'preflight_tickets_total{{result="{result}"}}', 0)


def ticket_of(pull: StoryPull) -> dict[str, object]:
    """What the newest run's `clone` sends in exchange for its token."""
    run = pull.dag_runs()[-1]
    return {
        "ticket": run.conf["preflight"]["ticket"],
        "run_id": run.conf["BUILD_ID"],
        "dag_run_id": run.id,
        "task_id": "clone",
        "try_number": 1,
        "repository": pull.repository.full_name,
    }


def present(installed: Installed, asked: dict[str, object]) -> requests.Response:
    """Somebody inside has got hold of a ticket."""
    with requests.Session() as session:
        session.trust_env = False
        at = installed.bot.parts.ports.internal_url
        return session.post(f"{at}/ticket", json=asked, timeout=20)


def test_a_private_repository_is_tested(installed: Installed) -> None:
    repository = installed.repository(
        f"{OWNER}/hidden",
        written({"unit": checks(test="test -f src/app.py", find=FIND_SECRETS)}),
        private=True,
    )
    before = exchanged(installed)
    mark = installed.github.mark()

    pull = repository.opened()

    status = pull.expect_status("preflight/unit", "success")
    (run,) = pull.expect_dag_runs("success")
    assert exchanged(installed) == before + 1
    assert len(installed.github.requests(mark, path=MINT)) <= 2  # the step's, and perhaps the bot's own
    ticket = str(run.conf["preflight"]["ticket"])
    assert re.fullmatch(r"pft_[0-9a-f]{64}", ticket)
    assert run.conf["preflight"]["trusted"] is True

    developer = Browser(installed.bot)
    page = developer.sign_in(developer.open(str(status.target_url)), installed.github, DEVELOPER)
    logs = [file.read_text() for file in installed.bot.logs.glob("bot-*.log")]
    shown = [page.text, pull.expect_comment("3 steps passed"), *logs]
    shown += [installed.airflow.log(run, step) for step in ("clone", "test", "find")]
    for text in shown:
        assert not SECRETS.search(text)
    assert any("exchanged" in text for text in logs)

    asked = ticket_of(pull)
    late = present(installed, asked)
    assert (late.status_code, late.json()) == (403, {"error": "the run is over, or was asked to stop"})
    made = Tickets(NUDGE_SECRET).issue(str(asked["run_id"]), repository.full_name)
    forged = present(installed, {**asked, "ticket": made})  # by somebody who knows all that Airflow knows
    assert (forged.status_code, forged.json()) == (
        403,
        {"error": "that is no ticket for this run and repository"},
    )


def test_a_step_that_finds_the_bot_away_asks_again(installed: Installed) -> None:
    repository = installed.repository(
        f"{OWNER}/patient", written({"unit": checks(test="true")}), private=True
    )
    bot = installed.bot.parts
    bot.stop_worker()
    pull = repository.opened()
    installed.github.settle()
    bot.stop_web()
    bot.start_worker()

    def waits() -> bool:
        return any(installed.airflow.steps(run).get("clone") == "up_for_retry" for run in pull.dag_runs())

    def tried_twice() -> bool:
        return installed.airflow.tries(pull.dag_runs()[0])["clone"] > 1

    until(waits, "an end of the first try of clone", pull.so_far)
    installed.airflow.age(pull.dag_runs()[0], PAUSE)
    until(tried_twice, "a second try of clone", pull.so_far)
    bot.start_web()
    bot.wait_ready()

    pull.expect_status("preflight/unit", "success")


def test_a_stranger_s_approved_head_is_not_trusted(installed: Installed) -> None:
    repository = installed.repository(
        f"{OWNER}/guarded", written({"unit": checks(test="true")}), private=True, people={STRANGER: "read"}
    )
    pull = repository.opened(by=STRANGER, fork=True)
    pull.expect_status("preflight/unit", "pending", "waiting for /ok-to-test")

    pull.says(f"/ok-to-test {pull.head_sha[:12]}")

    (run,) = until(pull.dag_runs, "a DAG run", pull.so_far)
    assert run.conf["preflight"]["trusted"] is False
    assert "ticket" in run.conf["preflight"]
    installed.bot.rest()


def test_with_a_personal_token_it_says_what_is_needed(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": checks(test="true")}, private=True).opened()

    pull.expect_status("preflight/unit", "failure")

    pull.expect_comment("GitHub App", "personal token")
    (run,) = pull.expect_dag_runs("failed")
    assert "ticket" not in run.conf["preflight"]

"""A dry run of the DAG `checks` in a real Airflow, from its conf to what the bot knows of it at the end."""

from __future__ import annotations

import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.adapters.airflow import AirflowClient
from bot.models import Outcome
from bot.policy.operator import Operator, Serve
from bot.runs.conf import build_conf
from bot.runs.follow import follow
from bot.runs.start import StartRules, start
from tests.examples import HEAD, TIP, branch, pull, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.models import Run, Subject
    from deploy.local.airflow import LocalAirflow

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(300)]

HOSTILE = "touch {pwned}; echo '{{{{ var.value.x }}}}' \"$HOME\" # it's long: " + "x" * 3000
SECONDS = 90
SUBJECTS = (pull(), branch())


@pytest.fixture(scope="module")
def pwned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the commands would make."""
    return tmp_path_factory.mktemp("dryrun") / "pwned"


@pytest.fixture(scope="module")
def steps(pwned: Path) -> dict[str, str]:
    return {"unit": HOSTILE.format(pwned=pwned), "lint": f"touch {pwned}"}


def followed(local: LocalAirflow, subject: Subject, steps: dict[str, str]) -> Run:
    """The run at its end."""
    airflow = AirflowClient(local.url, local.username, local.password)
    one = run(attempt=1)
    conf = build_conf(
        run_id=one.id,
        run_page="",
        subject=subject,
        pipeline="unit",
        values={"steps": steps},
        base_sha=TIP,
        delivery_id="d-1",
        actor="rita",
        trigger="command",
        dryrun=True,
    )
    one = replace(one, conf=conf, dryrun=True, number=subject.number)
    rules = StartRules(f"dry{time.monotonic_ns()}", lambda: Operator((Serve(("*",)),)))
    now = start(one, airflow, rules, lambda _: True)
    deadline = time.monotonic() + SECONDS
    while not now.finished:
        assert time.monotonic() < deadline, f"still {now}"
        time.sleep(0.1)
        assert now.ref is not None
        now = follow(now, airflow.look([now.ref])[now.ref], airflow, lambda *_: (), datetime.now(UTC))
    return now


@pytest.fixture(scope="module")
def ended(real_airflow: LocalAirflow, steps: dict[str, str]) -> Mapping[int, Run]:
    """The runs of all subjects, which went on side by side, by the subject's number."""
    with ThreadPoolExecutor() as pool:
        runs = pool.map(lambda subject: followed(real_airflow, subject, steps), SUBJECTS)
        return dict(zip((subject.number for subject in SUBJECTS), runs, strict=True))


@pytest.mark.parametrize("subject", SUBJECTS, ids=["pull request", "branch"])
def test_shows_the_exact_command_of_every_step_and_runs_none(
    real_airflow: LocalAirflow, ended: Mapping[int, Run], subject: Subject, steps: dict[str, str], pwned: Path
) -> None:
    over = ended[subject.number]
    assert over.outcome is Outcome.SUCCESS, over.reason
    assert [step.name for step in over.steps] == ["clone", "unit", "lint"]
    commands = {}
    for step in over.steps:
        assert step.result is not None
        assert step.result.exit_code is None, "nothing ran"
        commands[step.name] = shlex.split(step.result.argv)
    clone = commands["clone"]
    assert clone[1:5] == ["-m", "steps.release", "clone", "pr" if subject.number > 0 else "postsubmit"]
    assert {f"--base={TIP}", f"--commit={HEAD}", f"--url={subject.repository.clone_url}"} <= {*clone}
    for name, command in steps.items():
        assert commands[name][1:4] == ["-m", "steps.checks", "run"]
        assert commands[name][-2:] == ["--", command]
    assert not pwned.exists()
    folder = str(over.conf["ARTIFACTS_PATH"])
    assert not (real_airflow.settings.home / "artifacts" / folder).exists()

"""What runs leave behind, in the layout that Prow's tools read."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from tests.stories.apps import OWNER
from tests.stories.pages import page_at
from tests.stories.pulls import checks, written
from tests.stories.suites import as_pytest, leave
from tests.stories.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.stories.airflow_view import AirflowRun, AirflowView
    from tests.stories.apps import Installed
    from tests.stories.conftest import MakeRepository

PACKED = "source.tar.gz"
RELEASE = "UPDATE runs SET archive_due_at = now() WHERE archive_due_at IS NOT NULL"
"""As if the ten minutes had passed for which whoever archives a run has it."""

SECRET = "ghp_" + "aB3dE6" * 6


def kept_of(airflow: AirflowView, run: AirflowRun) -> Path:
    """The run's folder."""
    return airflow.local.settings.artifacts_folder / str(run.conf["ARTIFACTS_PATH"])


def until_archived(
    airflow: AirflowView, run: AirflowRun, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Wait for the file that is written last."""
    file = kept_of(airflow, run) / "finished.json"

    def is_there() -> bool:
        meanwhile()
        return file.is_file()

    until(is_there, f"{file}")


def files_of(airflow: AirflowView, run: AirflowRun) -> dict[str, str]:
    """All files of the run by their paths, but for the packed tree and what a worker died over."""
    folder = kept_of(airflow, run)
    files = {str(file.relative_to(folder)): file for file in folder.rglob("[!.]*") if file.is_file()}
    return {path: file.read_text() for path, file in files.items() if path != PACKED}


def test_they_are_kept_linked_and_shown(repository_with: MakeRepository, airflow: AirflowView) -> None:
    results = as_pytest("tests/test_app.py", {}, passing=["test_one"])
    steps = {
        "build": "mkdir $ARTIFACTS/site; echo '<script>alert(1)</script>' > $ARTIFACTS/site/index.html",
        "test": f"echo 'token is {SECRET}'; echo done testing; {leave()}",
    }
    repository = repository_with({"unit": checks(**steps)}, files={"junit.xml": results})

    pull = repository.opened()

    status = pull.expect_status("preflight/unit", "success")
    (run,) = pull.expect_dag_runs("success")
    owner, _, name = repository.full_name.partition("/")
    assert run.conf["ARTIFACTS_PATH"].startswith(f"pr-logs/pull/{owner}_{name}/{pull.number}/unit/")
    until_archived(airflow, run)
    files = files_of(airflow, run)
    assert set(files) == {
        "started.json",
        "finished.json",
        "build-log.txt",
        "artifacts/build/site/index.html",
        "artifacts/test/junit.xml",
        "artifacts/junit_test.xml",
    }
    assert files["artifacts/junit_test.xml"] == files["artifacts/test/junit.xml"] == results
    assert json.loads(files["started.json"])["repo-commit"] == pull.head_sha
    assert json.loads(files["finished.json"])["result"] == "SUCCESS"
    assert "done testing" in files["build-log.txt"]
    assert not [path for path, text in files.items() if SECRET in text]

    root = airflow.local.settings.artifacts_folder
    green = json.loads((root / f"pr-logs/directory/{owner}_{name}/unit/latest_green.json").read_text())
    assert green["sha"] == pull.head_sha

    page = page_at(status.target_url)
    assert SECRET not in page.text
    links = re.findall(r'href="(/runs/[0-9a-f]{32}/artifacts/[^"]+)"', page.text)
    shown = {
        link.partition("/artifacts/")[2]: page_at(urljoin(page.url, link))
        for link in links
        if PACKED not in link
    }
    assert {path: answer.text for path, answer in shown.items()} == files
    hostile = shown["artifacts/build/site/index.html"].headers
    assert hostile["Content-Type"].startswith("text/plain")
    assert "sandbox" in hostile["Content-Security-Policy"]
    assert page_at(f"{page.url}/artifacts/..%2f..%2fsecret").status_code == 404
    assert "2 artifacts" in pull.expect_comment("**`unit` passed**")


def test_the_worker_dies_before_all_is_archived(installed: Installed) -> None:
    pipelines = {"unit": checks(test="echo it ran"), "bad": checks(test="echo it broke; exit 3")}
    repository = installed.repository(f"{OWNER}/archived", written(pipelines))
    pull = repository.opened()
    until(
        lambda: {run.state for run in pull.dag_runs()} == {"success", "failed"},
        "the end of both runs",
        pull.so_far,
    )
    installed.bot.crash("worker")
    installed.bot.crash("worker")

    for run in pull.expect_dag_runs(*(run.state for run in pull.dag_runs())):
        until_archived(installed.airflow, run, partial(installed.bot.change, RELEASE))
        files = files_of(installed.airflow, run)
        passed = run.conf["JOB_NAME"] == "unit"
        assert set(files) == {"started.json", "finished.json", "build-log.txt"}
        assert json.loads(files["finished.json"])["passed"] is passed
        assert files["build-log.txt"].count("it ran" if passed else "it broke") >= 1

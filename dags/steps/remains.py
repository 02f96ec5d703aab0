"""What a step left behind, looked at by binaries of their own once the step's has ended."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steps import environment
from steps.contract import Run
from steps.folders import is_empty
from steps.layout import is_here, unlink
from steps.process import Outcome, StepProcess
from steps.workspace import remove

READING_SECONDS = 90.0
STORING_SECONDS = 300.0
_MOMENT = 0.3
"""Seconds in which nothing can be done: a binary takes as long to start."""
_DAGS = Path(__file__).resolve().parents[1]
_MAX_OUTPUT_BYTES = 8 * 1024 * 1024
_NOBODY_ELSES = ("AIRFLOW", "_AIRFLOW", "PREFLIGHT_NUDGE")


@dataclass(frozen=True)
class Remains:
    """`tests` and `artifacts` of the XCom `preflight`."""

    tests: dict[str, Any] | None = None
    artifacts: dict[str, Any] = field(default_factory=lambda: _kept_none(""))


@dataclass(frozen=True)
class Left:
    """Where a step left what it left, and where that goes."""

    folder: Path
    """Its $ARTIFACTS."""
    url: str = ""
    """Where artifacts are kept; empty when they stay in `folder`."""
    path: str = "artifacts"
    """The run's folder for the artifacts of its steps, below the URL."""
    sources: Sequence[str] = ()
    """Where the step ran: paths below become relative."""
    repository: str = ""
    """OWNER/NAME."""
    again: bool = False
    """It is not the step's first try."""
    root: Path | None = None
    """The artifacts root: no folder between it and `folder` may be a link."""


def left_by(run: Run, folder: Path, home: Path, *, again: bool) -> Left:
    """Return what a step of `run` left in `folder`, its $ARTIFACTS, when it ran in `home`."""
    url = os.environ.get("PREFLIGHT_ARTIFACTS_URL", "")
    owner, name = run.params.get("REPO_OWNER"), run.params.get("REPO_NAME")
    return Left(
        folder=folder,
        url="" if is_here(url, run.root) else url,
        path=folder.parent.relative_to(run.root).as_posix(),
        sources=sorted({str(home), os.path.realpath(home)}, key=len, reverse=True),
        repository=f"{owner}/{name}" if owner and name else "",
        again=again,
        root=run.root,
    )


def collect(
    left: Left, *, passed: bool, start: Callable[[StepProcess], Outcome], seconds: float | None = None
) -> Remains:
    """Summarise test results and keep artifacts, within `seconds` if there is a hurry."""
    if left.root is not None and unlink(left.folder, left.root):
        return Remains(artifacts=_kept_none("a link was put in place of $ARTIFACTS"))
    if is_empty(left.folder) and not (left.url and left.again):
        return NOTHING
    reading = READING_SECONDS if seconds is None else seconds / 2
    ends = time.monotonic() + (seconds or 0.0)
    folder = Path(tempfile.mkdtemp(prefix="preflight-remains-"))
    try:
        summary = folder / "summary.json"
        tests = _tests(left, summary, passed=passed, start=_Starter(start, folder, reading))
        storing = STORING_SECONDS if seconds is None else ends - time.monotonic()
        kept = _artifacts(left, summary, folder / "kept.json", _Starter(start, folder, storing))
        return Remains(tests, kept)
    finally:
        remove(folder)


@dataclass(frozen=True)
class _Starter:
    """Runs one of our binaries in a folder of its own, for so many seconds at most."""

    start: Callable[[StepProcess], Outcome]
    folder: Path
    seconds: float

    def run(self, *argv: str, env: Mapping[str, str]) -> str:
        """Run it to its end; returns what went wrong, if anything did."""
        if self.seconds < _MOMENT:
            return "no time was left"
        env = {**env, "PYTHONPATH": str(_DAGS), "PYTHONSAFEPATH": "1", "TMPDIR": str(self.folder)}
        process = StepProcess([sys.executable, "-m", *argv], env=env, cwd=self.folder, timeout=self.seconds)
        try:
            outcome = self.start(process)
        except OSError as error:
            return str(error)
        if outcome.stopped or outcome.timed_out:
            return "it took too long"
        return f"exit {outcome.exit_code}" if outcome.exit_code else ""


def _tests(left: Left, summary: Path, *, passed: bool, start: _Starter) -> dict[str, Any] | None:
    trouble = start.run(
        "steps.junit",
        "summarise",
        f"--folder={left.folder}",
        f"--output={summary}",
        f"--repository={left.repository}",
        *(f"--source={source}" for source in left.sources),
        *(["--passed"] if passed else []),
        env=environment.clean(os.environ),
    )
    value = _load(summary)
    tests = value.get("tests")
    if value and (tests is None or _is_tests(tests)):
        return tests
    note = f"the test results could not be read: {trouble or 'nothing was written'}"
    none = {"total": 0, "failed": 0, "skipped": 0, "seconds": None}
    return {**none, "failures": [], "flaky": [], "notes": [note]}


def _artifacts(left: Left, summary: Path, output: Path, start: _Starter) -> dict[str, Any]:
    """Keep them. A storage may need any of Airflow's environment, but its own settings."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(_NOBODY_ELSES)}
    trouble = start.run(
        "steps.artifacts",
        "keep",
        f"--folder={left.folder}",
        f"--summary={summary}",
        f"--output={output}",
        f"--seconds={start.seconds * 0.8:.1f}",
        *([f"--path={left.path}"] if left.url else []),
        *(["--replace"] if left.url and left.again else []),
        env=env | {"PREFLIGHT_ARTIFACTS_URL": left.url},
    )
    kept = _load(output)
    if isinstance(kept.get("kept"), int) and isinstance(kept.get("bytes"), int):
        dropped = str(kept.get("dropped", ""))[:1000]
        return {"kept": kept["kept"], "bytes": kept["bytes"], "dropped": dropped}
    return _kept_none(f"could not be kept: {trouble or 'nothing was written'}")


def _kept_none(why: str) -> dict[str, Any]:
    return {"kept": 0, "bytes": 0, "dropped": why}


def _load(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            value = json.loads(stream.read(_MAX_OUTPUT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_tests(value: object) -> bool:
    """Whether it is what steps.junit writes, and not what somebody put in its place."""
    if not isinstance(value, dict) or not isinstance(value.get("failures"), list):
        return False
    failures = all(
        isinstance(failure, dict) and isinstance(failure.get("message"), str) for failure in value["failures"]
    )
    return failures and isinstance(value.get("flaky"), list) and isinstance(value.get("notes"), list)


NOTHING = Remains()

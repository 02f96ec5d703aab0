"""What is told of what a step left, whatever happens to the binaries that look at it."""

import json
from pathlib import Path
from typing import Any

import pytest

from steps import remains
from steps.contract import Run
from steps.process import Outcome, StepProcess
from steps.remains import NOTHING, Left, collect, left_by

FAILED = '<testsuite><testcase name="a"><failure message="boom"/></testcase></testsuite>'


def start(process: StepProcess) -> Outcome:
    return process.run(lambda _line: None)


def never(_process: StepProcess) -> Outcome:
    pytest.fail("there is nothing to look at")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "artifacts" / "unit"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def filled(folder: Path) -> Path:
    (folder / "junit.xml").write_text(FAILED)
    (folder / "log.txt").write_text("log")
    return folder


def test_tests_and_artifacts(filled: Path) -> None:
    left = collect(Left(filled), passed=False, start=start)
    assert left.tests is not None
    assert (left.tests["failed"], left.tests["failures"][0]["message"]) == (1, "boom")
    assert left.artifacts == {"kept": 2, "bytes": len(FAILED) + 3, "dropped": ""}
    assert (filled.parent / "junit_unit.xml").read_text() == FAILED


def test_artifacts_without_tests(folder: Path) -> None:
    (folder / "log.txt").touch()
    left = collect(Left(folder), passed=False, start=start)
    assert (left.tests, left.artifacts["kept"]) == (None, 1)


@pytest.mark.parametrize("folder_is", ["empty", "missing"])
def test_nothing_is_started_for_nothing(folder: Path, folder_is: str) -> None:
    if folder_is == "missing":
        folder.rmdir()
    assert collect(Left(folder, again=True), passed=True, start=never) is NOTHING
    assert collect(Left(folder, url="memory://"), passed=True, start=never) is NOTHING


def test_what_an_earlier_try_stored_is_replaced_even_by_nothing(folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept" / "pr-logs" / "artifacts"
    (kept / "unit").mkdir(parents=True)
    (kept / "unit" / "old").touch()
    left = Left(folder, url=str(tmp_path / "kept"), path="pr-logs/artifacts", again=True)
    assert collect(left, passed=True, start=start) == NOTHING
    assert list((kept / "unit").iterdir()) == []


@pytest.mark.parametrize("linked", ["artifacts", "artifacts/unit"])
def test_a_link_in_place_of_the_folder_leads_nowhere(filled: Path, tmp_path: Path, linked: str) -> None:
    (tmp_path / "root" / linked).parent.mkdir(parents=True)
    (tmp_path / "root" / linked).symlink_to(tmp_path / linked)
    left = Left(tmp_path / "root" / "artifacts" / "unit", root=tmp_path / "root")
    told = collect(left, passed=False, start=never)
    assert told.artifacts["dropped"] == "a link was put in place of $ARTIFACTS"
    assert not (tmp_path / "root" / linked).exists()
    assert (filled / "log.txt").exists()


def test_a_step_that_passed_has_flaky_tests_only(folder: Path) -> None:
    (folder / "1.xml").write_text(FAILED)
    (folder / "2.xml").write_text('<testsuite><testcase name="a"/></testsuite>')
    left = collect(Left(folder), passed=True, start=start)
    assert left.tests is not None
    assert (left.tests["failed"], left.tests["flaky"]) == (0, ["a"])


class TestTrouble:
    def test_with_starting(self, filled: Path) -> None:
        def refuse(_process: StepProcess) -> Outcome:
            raise OSError("no more processes")

        left = collect(Left(filled), passed=False, start=refuse)
        assert left.tests is not None
        assert left.tests["notes"] == ["the test results could not be read: no more processes"]
        assert left.artifacts == {"kept": 0, "bytes": 0, "dropped": "could not be kept: no more processes"}

    def test_with_a_storage(self, filled: Path) -> None:
        left = collect(Left(filled, url="nowhere://x"), passed=False, start=start)
        assert left.tests is not None
        assert left.artifacts["dropped"] == "could not be kept: exit 1"
        assert (filled / "log.txt").exists()

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "[]",
            "{}",
            '{"tests": 3}',
            '{"tests": {"failures": [3], "flaky": [], "notes": []}}',
            '{"tests": {"failures": [{"message": 3}], "flaky": [], "notes": []}}',
            "[" * 100_000,
        ],
        ids=["nothing", "list", "empty", "number", "strange failures", "strange message", "deep"],
    )
    def test_with_what_was_written(self, filled: Path, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
        def scribble(argv: list[str], **_more: object) -> str:
            output = next(word.removeprefix("--output=") for word in argv if word.startswith("--output="))
            Path(output).write_text(written)
            return output

        monkeypatch.setattr(remains, "StepProcess", scribble)
        left = collect(Left(filled), passed=False, start=lambda _process: Outcome(0, 0.1))
        assert left.tests is not None
        assert left.tests["notes"] == ["the test results could not be read: nothing was written"]
        assert left.artifacts["dropped"] == "could not be kept: nothing was written"


class TestAHurry:
    def started(self, filled: Path, seconds: float) -> list[float | None]:
        timeouts: list[Any] = []

        def see(process: StepProcess) -> Outcome:
            timeouts.append(process._timeout)  # noqa: SLF001 - what it was given
            return Outcome(0, 0.0)

        collect(Left(filled), passed=False, start=see, seconds=seconds)
        return timeouts

    def test_leaves_half_for_each(self, filled: Path) -> None:
        reading, storing = self.started(filled, 3.0)
        assert reading == 1.5
        assert storing is not None
        assert 2.0 < storing <= 3.0, "what reading did not use"

    @pytest.mark.parametrize("seconds", [0.1, 0.0, -5.0])
    def test_that_is_too_great_starts_nothing(self, filled: Path, seconds: float) -> None:
        assert self.started(filled, seconds) == []


class TestTheEnvironment:
    @pytest.fixture
    def seen(self, filled: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
        for name in ("AIRFLOW__CORE__FERNET_KEY", "PREFLIGHT_NUDGE_SECRET", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "s3cret")
        seen: dict[str, dict[str, str]] = {}

        def see(process: StepProcess) -> Outcome:
            seen[process._argv[2]] = process._env  # noqa: SLF001 - what it was given
            return Outcome(0, 0.0)

        collect(Left(filled, url="s3://bucket"), passed=False, start=see)
        return seen

    def test_of_the_reader_has_no_secrets(self, seen: dict[str, dict[str, str]]) -> None:
        assert "s3cret" not in json.dumps(seen["steps.junit"])

    def test_of_the_keeper_has_the_storages_alone(self, seen: dict[str, dict[str, str]]) -> None:
        names = {name for name, value in seen["steps.artifacts"].items() if value == "s3cret"}
        assert names == {"AWS_SECRET_ACCESS_KEY"}
        assert seen["steps.artifacts"]["PREFLIGHT_ARTIFACTS_URL"] == "s3://bucket"


@pytest.mark.parametrize(
    ("url", "expected"),
    [("", ""), ("{root}", ""), ("s3://bucket/x", "s3://bucket/x")],
    ids=["none", "here", "there"],
)
def test_where_a_steps_artifacts_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, expected: str
) -> None:
    monkeypatch.setenv("PREFLIGHT_ARTIFACTS_URL", url.format(root=tmp_path))
    run = Run(
        params={"REPO_OWNER": "acme", "REPO_NAME": "app"}, root=tmp_path, folder=tmp_path / "pr-logs" / "1"
    )
    left = left_by(run, run.artifacts("unit"), tmp_path / "home", again=True)
    assert (left.url, left.path, left.repository, left.again) == (
        expected,
        "pr-logs/1/artifacts",
        "acme/app",
        True,
    )
    assert left.sources == [str(tmp_path / "home")]


def test_paths_become_relative_to_the_tree_that_the_step_had(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "home" / "preflight-ab12cd34" / "source" / "tests" / "test_a.py"
    failure = f"<failure>{source}:7: AssertionError</failure>"
    (folder / "junit.xml").write_text(f'<testsuite><testcase name="a">{failure}</testcase></testsuite>')
    left = collect(Left(folder, sources=[str(tmp_path / "home")]), passed=False, start=start)
    assert left.tests is not None
    told = left.tests["failures"][0]
    assert (told["file"], told["line"]) == ("tests/test_a.py", 7)

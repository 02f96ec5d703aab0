"""What was checked, as JUnit XML that others and our own reader understand."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml

from steps.cases import Cases
from steps.errors import StepFailed
from tests.dags.conftest import Done


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "junit.xml"


def written(path: Path) -> list[tuple[str, str, str]]:
    """Each case's name, how it ended, and its message."""
    found = []
    for case in ET.parse(path).getroot().iter("testcase"):  # noqa: S314 - our own file
        result = case.find("*")
        found.append(
            (case.get("name", ""), "passed", "")
            if result is None
            else (case.get("name", ""), result.tag, result.get("message", ""))
        )
    return found


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(StepFailed("no such cluster"), "no such cluster", id="our words"),
        pytest.param(ValueError(), "ValueError", id="no words"),
        pytest.param(SystemExit(143), "stopped by SIGTERM", id="SIGTERM"),
        pytest.param(KeyboardInterrupt(), "stopped by SIGINT", id="Ctrl-C"),
        pytest.param(SystemExit(250), "250", id="no signal"),
    ],
)
def test_a_check_that_raises_has_failed(path: Path, error: BaseException, message: str) -> None:
    cases = Cases("deploy setup", path)
    with pytest.raises(type(error)), cases.case("chart"):
        raise error
    cases.write()
    assert written(path) == [("chart", "failure", message)]


def test_all_that_was_checked_is_written(path: Path) -> None:
    cases = Cases("deploy setup", path)
    with cases.case("credentials"):
        pass
    cases.add("gpu driver", skipped="no GPU was asked for")
    cases.add("chart", 1.5, failure="timed out", text="pod a: Pending")
    cases.write()
    suite = next(iter(JUnitXml.fromfile(str(path))))
    assert (suite.name, suite.tests, suite.failures, suite.skipped) == ("deploy setup", 3, 1, 1)
    assert written(path) == [
        ("credentials", "passed", ""),
        ("gpu driver", "skipped", "no GPU was asked for"),
        ("chart", "failure", "timed out"),
    ]
    assert "pod a: Pending</failure>" in path.read_text()


def test_whether_a_failure_is_told_is_known() -> None:
    cases = Cases("x")
    cases.add("a")
    cases.add("b", skipped="why")
    assert not cases.told
    cases.add("c", failure="why")
    assert cases.told


@given(text=st.text())
def test_any_text_can_be_written(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("cases") / "junit.xml"
    cases = Cases(f"suite {text}", path)
    cases.add(f"case {text}", failure=f"failure {text}", text=f"{text}\x00\ud800\x1b[31m")
    cases.add("skipped", skipped=f"why {text}")
    cases.write()
    assert len(written(path)) == 2


def test_of_a_long_text_the_end_is_kept(path: Path) -> None:
    cases = Cases("x", path)
    cases.add("log", failure="failed", text="x" * 10_000_000 + "the end")
    cases.write()
    assert path.stat().st_size < 200_000
    assert "the end" in path.read_text()


def test_without_a_path_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cases = Cases("x")
    cases.add("a")
    cases.adopt(io.BytesIO(b"<testsuite/>"), 100)
    cases.write()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_program_takes_their_place(path: Path) -> None:
    cases = Cases("x", path)
    cases.add("ours")
    cases.adopt(io.BytesIO(b"<testsuite/>"), 100)
    cases.write()
    assert (path.read_text(), cases.told) == ("<testsuite/>", True)


def test_a_file_of_another_program_has_an_end(path: Path) -> None:
    with pytest.raises(OSError, match="longer than 1 MB"):
        Cases("x", path).adopt(io.BytesIO(b"x" * (1024**2 + 1)), 1024**2)


def test_our_own_reader_understands_them(step: Callable[..., Done], path: Path, tmp_path: Path) -> None:
    cases = Cases("deploy test", path)
    cases.add("smoke", failure="refused")
    cases.write()
    summary = tmp_path / "summary.json"
    done = step("steps.junit", "summarise", f"--folder={path.parent}", f"--output={summary}")
    tests = json.loads(summary.read_text())["tests"]
    assert (done.exit_code, tests["total"], tests["failed"]) == (0, 1, 1)
    assert [failure["message"] for failure in tests["failures"]] == ["refused"]

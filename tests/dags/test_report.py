import json
from pathlib import Path

import pytest

from steps.contract import Command
from steps.process import Outcome
from steps.remains import Remains
from steps.report import Limit, describe, dry_run, judge, limit, read_output, xcoms


@pytest.mark.parametrize(
    ("outcome", "said", "expected"),
    [
        (Outcome(0, 1.0), None, ("succeeded", None)),
        (Outcome(0, 1.0), "ignored", ("succeeded", None)),
        (Outcome(1, 42.3), None, ("failed", "exit 1 after 42s")),
        (Outcome(1, 0.04), None, ("failed", "exit 1 after 0s")),
        (Outcome(1, 3.21), None, ("failed", "exit 1 after 3.2s")),
        (Outcome(2, 125), None, ("failed", "exit 2 after 2m05s")),
        (Outcome(1, 1), "merge conflict in a.py", ("failed", "merge conflict in a.py")),
        (Outcome(1, 1), "two\nlines\x1b[0m", ("failed", "two lines [0m")),
        (Outcome(1, 1), ["no text"], ("failed", "exit 1 after 1s")),
        (Outcome(75, 2), None, ("temporary", "exit 75 after 2s")),
        (Outcome(-9, 2), None, ("failed", "killed by SIGKILL after 2s")),
        (Outcome(137, 2), None, ("failed", "exit 137 (SIGKILL) after 2s")),
        (
            Outcome(-9, 42, out_of_memory=True),
            None,
            ("failed", "killed by SIGKILL (out of memory) after 42s"),
        ),
        (
            Outcome(137, 42, out_of_memory=True),
            None,
            ("failed", "exit 137 (SIGKILL, out of memory) after 42s"),
        ),
        (Outcome(200, 2), None, ("failed", "exit 200 after 2s")),
        (Outcome(143, 61, timed_out=True), None, ("timed_out", "timed out after 1m00s")),
        (Outcome(143, 5, stopped=True), "ignored", ("cancelled", "cancelled after 5s")),
    ],
)
def test_how_a_step_ended_in_words(outcome: Outcome, said: object, expected: tuple[str, str | None]) -> None:
    assert judge(outcome, limit(60), said) == expected


@pytest.mark.parametrize(
    ("nearer", "expected"),
    [
        pytest.param(limit(3600), Limit(3600, "timed out after 1h"), id="no limit for the run"),
        pytest.param(limit(60, 10_800, 100), Limit(60, "timed out after 1m00s"), id="the step's is nearer"),
        pytest.param(
            limit(3600, 10_800, 9000), Limit(1800, "the run timed out after 3h"), id="the run's is nearer"
        ),
        pytest.param(limit(60, 5400, 5500), Limit(-100, "the run timed out after 1h30m"), id="none is left"),
    ],
)
def test_a_step_runs_no_longer_than_itself_and_its_run_may(nearer: Limit, expected: Limit) -> None:
    assert nearer == expected


def test_the_report_is_what_the_contract_says() -> None:
    command = Command(["tool", "--value=a b", "$(id)"], name="unit", reproduce="make test")
    assert describe(command, "failed", Outcome(1, 42.12345), "exit 1 after 42s") == {
        "version": 1,
        "name": "unit",
        "outcome": "failed",
        "exit_code": 1,
        "duration_seconds": 42.123,
        "reason": "exit 1 after 42s",
        "argv": "tool '--value=a b' '$(id)'",
        "reproduce": "make test",
        "dryrun": False,
        "tests": None,
        "artifacts": {"kept": 0, "bytes": 0, "dropped": ""},
    }


def test_the_report_tells_of_tests_and_artifacts_and_fits() -> None:
    failure = {"name": "t", "message": "m" * 1000, "file": "", "line": None, "seconds": None}
    tests = {"total": 200, "failed": 100, "failures": [failure] * 100, "flaky": [], "notes": []}
    artifacts = {"kept": 3, "bytes": 21, "dropped": "1 file, 0 bytes: a link"}
    told = describe(Command(["tool"]), "failed", Outcome(1, 1), "exit 1", Remains(tests, artifacts))
    assert (told["artifacts"], told["tests"]["failed"], len(told["tests"]["failures"])) == (
        artifacts,
        100,
        100,
    )
    assert len(json.dumps(told)) < 48 * 1024


def test_a_dry_run_shows_the_command_and_names_the_environment() -> None:
    assert dry_run(Command(["tool", "a b"]), {"PATH", "HOME"}) == [
        "Dry run: nothing is run.",
        "command: tool 'a b'",
        "working directory: a fresh folder, removed at the end",
        "environment: HOME PATH",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "[1]", '"x"', '{"a": NaN}', "[" * 100_000, "\ud800".encode("utf-8", "surrogatepass")],
    ids=["empty", "text", "list", "string", "NaN", "deep", "no UTF-8"],
)
def test_output_that_is_no_object_is_none(tmp_path: Path, text: str | bytes) -> None:
    file = tmp_path / "output.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert read_output(file) == {}


def test_output_is_not_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"secret": 1}')
    (tmp_path / "output.json").symlink_to(tmp_path / "secret.json")
    assert read_output(tmp_path / "output.json") == {}


def test_xcoms_are_well_named_and_of_bounded_size() -> None:
    output = {
        "commit": "0f",
        "image.tag-1_x": {"deep": [1, None, True]},
        "preflight": "reserved",
        "return_value": "reserved",
        "reason": "reserved",
        "": "no name",
        "a b": "no name",
        "-q": "no name",
        "big": "x" * 50_000,
        "nul": "a\0b",
        "half": json.loads('"\\ud800"'),
    }
    assert xcoms(output) == {"commit": "0f", "image.tag-1_x": {"deep": [1, None, True]}}

"""XML that is broken, or made to break its reader: a note in the summary, never a crash or a stall."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steps.junit import __main__ as junit
from tests.dags.conftest import DAGS, Done
from tests.dags.junit_summaries import bad, ok, suite, told, written

Summarise = Callable[[], dict[str, Any]]
MEMORY = 256 * 1024 * 1024

MUCH = "x" * 30_000_000
BOMB = """<!DOCTYPE bomb [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<testsuite><testcase name="&b;"><failure>&b;</failure></testcase></testsuite>"""
OUTSIDE = """<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>
<testsuite><testcase name="a"><failure>&secret;</failure></testcase></testsuite>"""
PARAMETER = """<!DOCTYPE x [<!ENTITY % more SYSTEM "http://192.0.2.1/x.dtd"> %more;]>
<testsuite><testcase name="a"/></testsuite>"""


@pytest.fixture
def summarise(step: Callable[..., Done], tmp_path: Path) -> Summarise:
    """Run the binary on the folder `left`; returns what it wrote."""

    def run() -> dict[str, Any]:
        output = tmp_path / "summary.json"
        done = step("steps.junit", "summarise", f"--folder={tmp_path / 'left'}", f"--output={output}")
        assert done.exit_code == 0, done.output
        written: dict[str, Any] = json.loads(output.read_text())
        return written

    return run


@pytest.fixture
def left(tmp_path: Path) -> Path:
    (tmp_path / "left").mkdir()
    return tmp_path / "left"


def summarised_with(left: Path, **limits: int) -> dict[str, Any]:
    """Run the binary with other limits than its own."""
    changed = "; ".join(f"junit.{name} = {value}" for name, value in limits.items())
    program = f"import sys; from steps.junit import __main__ as junit; {changed}; sys.exit(junit.main())"
    output = left.parent / "summary.json"
    done = subprocess.run(
        [sys.executable, "-c", program, "summarise", f"--folder={left}", f"--output={output}"],
        env={"PYTHONPATH": str(DAGS)},
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    tests: dict[str, Any] = json.loads(output.read_text())["tests"]
    return tests


@pytest.mark.parametrize(
    ("text", "note"),
    [
        pytest.param(BOMB, "junit.xml declares entities, which are never expanded here", id="entity bomb"),
        pytest.param(OUTSIDE, "junit.xml declares entities", id="a file by an entity"),
        pytest.param(PARAMETER, "junit.xml declares entities", id="an address by an entity"),
        pytest.param("", "junit.xml is not well-formed: no element found", id="empty"),
        pytest.param("\0" * 100, "junit.xml is not well-formed", id="NULs"),
        pytest.param("no XML", "junit.xml is not well-formed: syntax error: line 1", id="text"),
        pytest.param("<testsuite><testcase name='\0'/></testsuite>", "is not well-formed", id="a NUL"),
        pytest.param('<?xml version="1.0" encoding="x-none"?><testsuite/>', "an encoding", id="encoding"),
        pytest.param("<testsuite>" * 5000, "is nested more than 100 levels deep", id="deep suites"),
        pytest.param(
            f"<testsuite><testcase>{'<a>' * 99_000}", "is nested more than 100 levels", id="deep case"
        ),
    ],
)
def test_is_noted(left: Path, text: str, note: str) -> None:
    tests = told(written(left, {"junit.xml": text, "other.xml": suite(bad("a"))}))
    assert len(tests["notes"]) == 1
    assert note in tests["notes"][0]
    assert tests["failures"][-1]["name"] == "Sum.a", "what can be read is read"
    assert "root:" not in json.dumps(tests)


def test_what_came_before_the_break_counts(left: Path) -> None:
    tests = told(written(left, {"junit.xml": suite(ok("a"), bad("b"), ok("c")).removesuffix("</testsuite>")}))
    assert (tests["total"], tests["failed"]) == (3, 1)
    assert tests["notes"] == ["junit.xml is not well-formed: no element found: line 1, column 166"]


def test_a_document_type_alone_does_no_harm(left: Path) -> None:
    text = f'<!DOCTYPE testsuite SYSTEM "http://192.0.2.1/junit.dtd">{suite(ok("a"))}'
    assert told(written(left, {"junit.xml": text}))["notes"] == []


def test_other_encodings_are_read(left: Path) -> None:
    text = f'<?xml version="1.0" encoding="utf-16"?>{suite(bad("grün"))}'
    (left / "junit.xml").write_bytes(text.encode("utf-16"))
    assert told(left)["failures"][0]["name"] == "Sum.grün"


def test_control_and_direction_characters_do_not_reach_the_summary(left: Path) -> None:
    tests = told(written(left, {"junit.xml": suite(bad("a\u202eb&#133;c", message="x\u2066&#9;y\u200b"))}))
    assert (tests["failures"][0]["name"], tests["failures"][0]["message"]) == ("Sum.a b c", "x y")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(f'<testcase name="{MUCH}"><error/></testcase>', {"failed": 1}, id="a name"),
        pytest.param(f'<testcase><error message="{MUCH}"/></testcase>', {"failed": 1}, id="a message"),
        pytest.param(f"<testcase><error>{MUCH}</error></testcase>", {"failed": 1}, id="a text"),
        pytest.param(f"<testcase/><system-out>{MUCH}</system-out>", {"total": 1}, id="output"),
        pytest.param(f"<testcase/><!-- {MUCH} -->", {"total": 1}, id="a comment"),
        pytest.param("<testcase name='a'/>" * 200_000, {"total": 200_000}, id="cases"),
        pytest.param(
            "".join(f'<testcase name="t{number}"><error/></testcase>' for number in range(120_000)),
            {"total": 120_000, "failed": 120_000},
            id="failures",
        ),
        pytest.param(f"<testcase>{'<error/>' * 300_000}</testcase>", {"failed": 1}, id="errors of a case"),
        pytest.param(
            "<testcase " + " ".join(f"a{number}=''" for number in range(300_000)) + "/>",
            {"total": 1},
            id="attributes",
        ),
    ],
)
def test_takes_bounded_memory_whatever_there_is_much_of(left: Path, text: str, shown: dict[str, int]) -> None:
    written(left, {"junit.xml": suite(text)})
    tests = summarised_with(left, MEMORY_BYTES=MEMORY)
    assert tests["notes"] == []
    assert {key: tests[key] for key in shown} == shown
    assert len(json.dumps(tests)) < 200_000


class TestWhatIsTooMuch:
    def test_a_big_file_is_not_even_opened(self, left: Path, summarise: Summarise) -> None:
        written(left, {"junit.xml": "", "other.xml": suite(ok("a"))})
        os.truncate(left / "junit.xml", 100 * 1024**2)
        tests = summarise()["tests"]
        assert (tests["total"], tests["notes"]) == (1, ["junit.xml was not read: 100 MB are too much"])

    def test_many_files(self, left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(junit, "MAX_FILES", 3)
        tests = told(written(left, {f"{number}.xml": suite(ok("a")) for number in range(5)}))
        assert (tests["total"], tests["notes"]) == (3, ["2 more XML files were not read: at most 3 are"])

    def test_many_broken_files(self, left: Path) -> None:
        tests = told(written(left, {f"junit-{number}.xml": "<testsuite" for number in range(30)}))
        assert len(tests["notes"]) == 10
        assert tests["notes"][-1] == "21 more files could not be read"

    def test_time(self, left: Path) -> None:
        written(left, {"a.xml": suite(bad("a")), "junit.xml": suite("<testcase/>" * 1_000_000)})
        tests = summarised_with(left, CPU_SECONDS=1)
        assert tests["notes"] == ["not all was read: it takes more than 1 seconds"]
        assert tests["failures"][0]["name"] == "Sum.a"


class TestWhatIsNoFile:
    @pytest.mark.parametrize("make", ["link", "folder link", "pipe", "folder", "device"])
    def test_is_neither_read_nor_waited_for(self, left: Path, summarise: Summarise, make: str) -> None:
        outside = written(left.parent / "outside", {"junit.xml": suite(bad("secret"))})
        target = left / "junit.xml"
        if make == "link":
            target.symlink_to(outside / "junit.xml")
        elif make == "folder link":
            (left / "folder").symlink_to(outside)
        elif make == "pipe":
            os.mkfifo(target)
        elif make == "folder":
            target.mkdir()
        else:
            target.symlink_to("/dev/zero")
        assert summarise() == {"tests": None, "files": []}

    def test_may_take_a_files_place(self, left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Between our look and our reading."""
        written(left, {path: suite(ok("a")) for path in ("junit.xml", "b/junit.xml", "c/junit.xml")})
        outside = written(left.parent / "outside", {"junit.xml": suite(bad("secret"))})
        found = junit.found(left)
        (left / "junit.xml").unlink()
        os.mkfifo(left / "junit.xml")
        (left / "b/junit.xml").unlink()
        (left / "b").rmdir()
        (left / "b").symlink_to(outside)
        (left / "c/junit.xml").unlink()
        monkeypatch.setattr(junit, "found", lambda _folder: found)
        tests = told(left)
        assert (tests["total"], len(tests["notes"])) == (0, 3)


def test_by_hand_it_says_what_it_found(step: Callable[..., Done], left: Path) -> None:
    written(left, {"junit.xml": suite(ok("a"), bad("b"), '<testcase name="c"><skipped/></testcase>')})
    done = step("steps.junit", "summarise", f"--folder={left}")
    assert done.output.splitlines() == ["3 tests, 1 failed, 1 skipped", "failed: Sum.b: boom"]
    assert not done.handed_on.exists()


def test_a_dry_run_reads_nothing(step: Callable[..., Done], left: Path) -> None:
    written(left, {"junit.xml": "", "a/b.xml": "", "c.txt": ""})
    done = step("steps.junit", "summarise", f"--folder={left}", "--dryrun")
    assert sorted(done.output.splitlines()) == ["would read: a/b.xml", "would read: junit.xml"]

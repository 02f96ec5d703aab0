"""pytest over the tree."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from steps.archive import pack
from tests.dags.conftest import Done
from tests.dags.test_cases import written

PYTEST_FOLDER = Path(sys.executable).parent
PASSING = "def test_passes():\n    pass\n"
FAILING = "def test_fails():\n    assert 1 == 2\n"

Check = Callable[..., Done]


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "junit.xml"


@pytest.fixture
def check(step: Callable[..., Done], tmp_path: Path, junit: Path) -> Check:
    """Test a tree of these files."""

    def run(files: Mapping[str, str], *options: str, **more: str) -> Done:
        tree = tmp_path / "merged"
        tree.mkdir()
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        pack(tree, tmp_path / "source.tar.gz", {})
        archive = f"--archive={tmp_path / 'source.tar.gz'}"
        more = {"PATH": f"{PYTEST_FOLDER}:/usr/bin:/bin"} | more
        return step("steps.checks", "test", archive, f"--junit_path={junit}", *options, **more)

    return run


def reason(done: Done) -> str:
    return str(json.loads(done.handed_on.read_text())["reason"])


def test_its_results_are_ours(check: Check, junit: Path) -> None:
    done = check({"test_a.py": PASSING + FAILING})
    assert (done.exit_code, done.left_behind) == (1, []), done.output
    assert written(junit) == [
        ("test_passes", "passed", ""),
        ("test_fails", "failure", "assert 1 == 2"),
    ]
    assert "1 failed, 1 passed" in done.output


@pytest.mark.parametrize(
    "conftest",
    [
        pytest.param("import os; os._exit(0)", id="before the first test"),
        pytest.param(
            "import os\ndef pytest_runtest_call(item): os._exit(0)",
            id="in a test",
        ),
        pytest.param(
            "def pytest_collection_modifyitems(items): items.clear()\n"
            "def pytest_sessionfinish(session): session.exitstatus = 0",
            id="no test at all",
        ),
    ],
)
def test_what_ends_pytest_early_with_0_is_not_green(check: Check, junit: Path, conftest: str) -> None:
    done = check({"conftest.py": conftest, "test_a.py": FAILING})
    assert (done.exit_code, "has no test results" in reason(done)) == (1, True), done.output
    assert [outcome for _, outcome, _ in written(junit)] == ["failure"]


def test_tests_that_pass_do(check: Check, junit: Path) -> None:
    assert check({"test_a.py": PASSING}).exit_code == 0
    assert written(junit) == [("test_passes", "passed", "")]


@pytest.mark.parametrize(
    ("excludes", "run"),
    [
        pytest.param([], ["test_a", "test_b", "test_c"], id="nothing"),
        pytest.param(["slow"], ["test_a"], id="a folder"),
        pytest.param(["slow/"], ["test_a"], id="a folder, with a slash"),
        pytest.param(["*/deep"], ["test_a", "test_b"], id="a folder anywhere"),
        pytest.param(["*_b.py"], ["test_a", "test_c"], id="files"),
    ],
)
def test_what_is_excluded_is_not_run(check: Check, junit: Path, excludes: list[str], run: list[str]) -> None:
    tests = {
        "test_a.py": "def test_a(): pass",
        "slow/test_b.py": "def test_b(): pass",
        "slow/deep/test_c.py": "def test_c(): pass",
    }
    assert check(tests, *(f"--exclude={glob}" for glob in excludes)).exit_code == 0
    assert sorted(name for name, _, _ in written(junit)) == run


def test_options_are_handed_to_it(check: Check, junit: Path) -> None:
    assert check({"test_a.py": PASSING + FAILING}, "--", "-k", "passes").exit_code == 0
    assert [name for name, _, _ in written(junit)] == ["test_passes"]


@pytest.mark.parametrize(
    ("files", "options", "why"),
    [
        pytest.param({"a.txt": ""}, [], "pytest found no tests (exit code 5)", id="no tests"),
        pytest.param(
            {"test_a.py": "import nowhere"},
            [],
            "pytest was interrupted, or could not collect the tests (exit code 2)",
            id="can't be collected",
        ),
        pytest.param(
            {"test_a.py": PASSING},
            ["--", "--no-such-option"],
            "pytest does not understand its command line (exit code 4)",
            id="mistaken option",
        ),
        pytest.param(
            {"test_a.py": "import time\ndef test_a(): time.sleep(600)"},
            ["--timeout=2"],
            "pytest ran out of time (exit code 124)",
            id="too long",
        ),
    ],
)
def test_what_keeps_it_from_testing_is_explained(
    check: Check, files: dict[str, str], options: list[str], why: str, junit: Path
) -> None:
    done = check(files, *options)
    assert (done.exit_code, reason(done), done.left_behind) == (1, why, [])
    assert junit.exists()


def test_without_pytest_it_says_what_to_do(check: Check, tmp_path: Path, junit: Path) -> None:
    done = check({"test_a.py": PASSING}, PATH=str(tmp_path))
    assert done.exit_code == 1
    assert reason(done).startswith("pytest is neither in the tree's .venv nor on PATH: install it")
    assert [case[:2] for case in written(junit)] == [("test", "failure")]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("j.unlink(missing_ok=True); j.symlink_to('/etc/hostname')", id="a link"),
        pytest.param("os.mkfifo(j)", id="a pipe"),
        pytest.param("j.write_bytes(b'x' * 60_000_000)", id="huge"),
    ],
)
def test_only_a_file_is_taken_for_its_results(check: Check, junit: Path, body: str) -> None:
    hostile = (
        "import os, pathlib, sys\n"
        "j = pathlib.Path(next(a for a in sys.argv if 'junitxml' in a).partition('=')[2])\n"
        f"def test_a():\n    {body}\n    os._exit(0)\n"
    )
    done = check({"test_a.py": hostile})
    assert (done.exit_code, "has no test results" in reason(done)) == (1, True), done.output
    assert [name for name, _, _ in written(junit)] != ["test_a"]


def test_its_environment_is_clean(check: Check) -> None:
    shows = "import os\ndef test_a():\n    print('NAMES', *sorted(os.environ))\n"
    done = check({"test_a.py": shows}, "--", "-s", GITHUB_TOKEN="secret", PULL_NUMBER="7", LC_ALL="C")
    names = next(line for line in done.output.splitlines() if "NAMES" in line).split()[1:]
    assert {*names} - {"NAMES", "PYTEST_CURRENT_TEST", "PYTEST_VERSION", "LC_CTYPE"} == {
        *("CI", "HOME", "LC_ALL", "PATH", "PULL_NUMBER", "TERM", "TMPDIR")
    }


def test_a_dry_run_shows_it(step: Callable[..., Done]) -> None:
    done = step("steps.checks", "test", "--archive=/x", "--exclude=slow/", "--dryrun", "--", "-x")
    assert done.output.splitlines()[:2] == [
        "command: pytest '--junitxml=<a fresh folder>/junit.xml' --ignore-glob=slow -x",
        "working directory: a fresh copy of /x",
    ]

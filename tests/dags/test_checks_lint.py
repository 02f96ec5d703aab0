"""The linter over the tree's Python files."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from steps.archive import pack
from steps.checks.lint import _batches
from steps.checks.linters import FLAKE8, LINTERS, PYLINT, RUFF, Linter, message
from tests.dags.conftest import Done
from tests.dags.test_cases import written

RUFF_FOLDER = Path(sys.executable).parent
CLEAN = '"""Fine."""\n'
FAULTY = "import os\nimport sys\n"

Lint = Callable[..., Done]


def reason(done: Done) -> str:
    return str(json.loads(done.handed_on.read_text())["reason"])


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    return tmp_path / "junit.xml"


@pytest.fixture
def bin_(tmp_path: Path) -> Path:
    """A folder for linters, with what a shell script needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "env", "sleep", "rm"):
        (folder / name).symlink_to(f"/bin/{name}" if Path("/bin", name).exists() else f"/usr/bin/{name}")
    return folder


@pytest.fixture
def lint(step: Callable[..., Done], tmp_path: Path, junit: Path, bin_: Path) -> Lint:
    """Lint a tree of these files, with the linters of `bin_` on PATH."""

    def run(files: Mapping[str, str], *options: str, **more: str) -> Done:
        tree = tmp_path / "merged"
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
            if text.startswith("#!"):
                (tree / path).chmod(0o755)
        pack(tree, tmp_path / "source.tar.gz", {})
        archive = f"--archive={tmp_path / 'source.tar.gz'}"
        return step(
            "steps.checks", "lint", archive, f"--junit_path={junit}", *options, **{"PATH": str(bin_)} | more
        )

    return run


@pytest.fixture
def ruff(bin_: Path) -> None:
    (bin_ / "ruff").symlink_to(RUFF_FOLDER / "ruff")


def stand_in(bin_: Path, name: str, body: str) -> None:
    (bin_ / name).write_text(f"#!/bin/sh\n{body}\n")
    (bin_ / name).chmod(0o755)


@pytest.mark.usefixtures("ruff")
class TestRuff:
    def test_each_file_is_a_case_with_its_messages(self, lint: Lint, junit: Path) -> None:
        done = lint({"a.py": CLEAN, "pkg/b.py": FAULTY, "README": "x"})
        assert (done.exit_code, done.left_behind) == (1, []), done.output
        assert reason(done) == "ruff: 2 messages in 1 file"
        unused = "1:8: F401 [*] `os` imported but unused"
        assert written(junit) == [("a.py", "passed", ""), ("pkg/b.py", "failure", unused)]
        assert "`sys` imported but unused" in junit.read_text()
        assert f"pkg/b.py:{unused}" in done.output

    def test_a_clean_tree_passes(self, lint: Lint, junit: Path) -> None:
        assert lint({"a.py": CLEAN}).exit_code == 0
        assert written(junit) == [("a.py", "passed", "")]

    def test_what_is_no_python_at_all_is_a_message(self, lint: Lint, junit: Path) -> None:
        assert lint({"a.py": "def ("}).exit_code == 1
        assert written(junit)[0][:2] == ("a.py", "failure")

    def test_the_trees_own_configuration_counts(self, lint: Lint) -> None:
        done = lint(
            {"a.py": FAULTY, "ruff.toml": 'lint.ignore = ["F401"]\nfix = true\noutput-format = "json"\n'}
        )
        assert done.exit_code == 0, done.output

    def test_options_are_handed_to_it(self, lint: Lint) -> None:
        assert lint({"a.py": FAULTY}, "--", "--ignore=F401").exit_code == 0

    def test_a_mistake_is_the_linters_own(self, lint: Lint, junit: Path) -> None:
        done = lint({"a.py": CLEAN}, "--", "--no-such-option")
        assert done.exit_code == 1
        assert reason(done).startswith("ruff itself failed, exit code 2: ")
        assert [case[:2] for case in written(junit)] == [("a.py", "passed"), ("ruff", "failure")]

    @pytest.mark.parametrize(
        ("excludes", "linted"),
        [
            pytest.param([], ["a.py", "sub/b.py", "sub/vendor/c.py", "x_pb2.py"], id="nothing"),
            pytest.param(["sub"], ["a.py", "x_pb2.py"], id="a folder"),
            pytest.param(["sub/"], ["a.py", "x_pb2.py"], id="a folder, with a slash"),
            pytest.param(["*/vendor"], ["a.py", "sub/b.py", "x_pb2.py"], id="a folder anywhere"),
            pytest.param(["*_pb2.py", "sub/b.py"], ["a.py", "sub/vendor/c.py"], id="files"),
            pytest.param(["*.py"], [], id="all"),
        ],
    )
    def test_what_is_excluded_is_left_out(
        self, lint: Lint, junit: Path, excludes: list[str], linted: list[str]
    ) -> None:
        tree = dict.fromkeys(["a.py", "sub/b.py", "sub/vendor/c.py", "x_pb2.py"], CLEAN)
        assert lint(tree, *(f"--exclude={glob}" for glob in excludes)).exit_code == 0
        assert [name for name, how, _ in written(junit) if how == "passed"] == linted

    def test_names_are_never_options(self, lint: Lint, junit: Path) -> None:
        done = lint({"--fix.py": FAULTY, "-q": "", "@a.py": FAULTY, "a b.py": FAULTY})
        assert done.exit_code == 1
        assert [case[:2] for case in written(junit)] == [
            ("--fix.py", "failure"),
            ("@a.py", "failure"),
            ("a b.py", "failure"),
        ]


def test_links_are_not_followed(
    step: Callable[..., Done], tmp_path: Path, junit: Path, ruff: None, bin_: Path
) -> None:
    tree = tmp_path / "merged"
    tree.mkdir()
    (tmp_path / "secret.py").write_text(FAULTY)
    (tree / "link.py").symlink_to(tmp_path / "secret.py")
    (tree / "folder").symlink_to(tmp_path)
    pack(tree, tmp_path / "source.tar.gz", {})
    done = step(
        "steps.checks",
        "lint",
        f"--archive={tmp_path / 'source.tar.gz'}",
        f"--junit_path={junit}",
        PATH=str(bin_),
    )
    assert (done.exit_code, done.output) == (0, "There are no Python files.\n")
    assert written(junit) == [("python files", "skipped", "there are none")]


class TestTheChoice:
    @pytest.mark.parametrize(
        ("file", "text", "linter"),
        [
            pytest.param("ruff.toml", "", RUFF, id="ruff.toml"),
            pytest.param("pyproject.toml", "[tool.ruff]\n", RUFF, id="tool.ruff"),
            pytest.param("pyproject.toml", "[tool.ruff.lint]\n", RUFF, id="tool.ruff.lint"),
            pytest.param(".pylintrc", "", PYLINT, id="pylintrc"),
            pytest.param("pyproject.toml", "[x]\n[tool.pylint.main]\n", PYLINT, id="tool.pylint"),
            pytest.param("setup.cfg", "[pylint.main]\n", PYLINT, id="setup.cfg for pylint"),
            pytest.param("setup.cfg", "[metadata]\n[flake8]\n", FLAKE8, id="setup.cfg for flake8"),
            pytest.param("tox.ini", "[flake8]\n", FLAKE8, id="tox.ini"),
            pytest.param("pyproject.toml", "# [tool.ruff]\n", None, id="a comment"),
            pytest.param("setup.cfg", "", None, id="nothing"),
        ],
    )
    def test_is_the_trees(self, tmp_path: Path, file: str, text: str, linter: Linter | None) -> None:
        (tmp_path / file).write_text(text)
        assert [each for each in LINTERS if each.is_configured(tmp_path)] == ([linter] if linter else [])

    @pytest.mark.parametrize(
        ("files", "options", "used"),
        [
            pytest.param({"tox.ini": "[flake8]\n"}, [], "flake8", id="as configured"),
            pytest.param({}, [], "pylint", id="the first that is there"),
            pytest.param({}, ["--linter=flake8"], "flake8", id="as asked for"),
        ],
    )
    def test_is_used(
        self, lint: Lint, bin_: Path, files: dict[str, str], options: list[str], used: str
    ) -> None:
        for name in ("pylint", "flake8"):
            stand_in(bin_, name, f"echo this is {name}")
        assert f"this is {used}" in lint({"a.py": CLEAN} | files, *options).output

    def test_the_trees_own_environment_comes_first(self, lint: Lint, bin_: Path) -> None:
        stand_in(bin_, "pylint", "echo from PATH")
        files = {"a.py": CLEAN, ".venv/bin/pylint": "#!/bin/sh\necho from the tree\n"}
        assert "from the tree" in lint(files, "--linter=pylint").output

    @pytest.mark.parametrize(
        ("files", "options", "named"),
        [
            pytest.param({}, [], "ruff or pylint or flake8 is", id="any"),
            pytest.param({"ruff.toml": ""}, [], "ruff is", id="the configured one"),
            pytest.param({}, ["--linter=pylint"], "pylint is", id="the one that was asked for"),
        ],
    )
    def test_that_is_not_there_is_explained(
        self, lint: Lint, files: dict[str, str], options: list[str], named: str, junit: Path
    ) -> None:
        done = lint({"a.py": CLEAN} | files, *options)
        assert done.exit_code == 1
        assert reason(done).startswith(f"{named} neither in the tree's .venv nor on PATH: install it")
        assert [case[:2] for case in written(junit)] == [("lint", "failure")]


class TestOthers:
    """As pylint and flake8 end and speak (recorded of pylint 4 and flake8 7)."""

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            pytest.param(
                "pylint",
                "echo '*** Module b'; echo 'b.py:1:0: W0611: Unused import os (unused-import)'; exit 4",
                id="pylint",
            ),
            pytest.param("flake8", "echo './b.py:1:1: F401 unused'\nexit 1", id="flake8"),
        ],
    )
    def test_their_messages_are_understood(
        self, lint: Lint, bin_: Path, name: str, body: str, junit: Path
    ) -> None:
        stand_in(bin_, name, body)
        done = lint({"a.py": CLEAN, "b.py": FAULTY})
        assert (done.exit_code, reason(done)) == (1, f"{name}: 1 message in 1 file")
        assert [case[:2] for case in written(junit)] == [("a.py", "passed"), ("b.py", "failure")]

    def test_messages_that_do_not_fail_it_are_no_failures(self, lint: Lint, bin_: Path, junit: Path) -> None:
        stand_in(bin_, "pylint", "echo 'a.py:1:0: C0114: Missing docstring (missing-module-docstring)'")
        assert lint({"a.py": FAULTY}).exit_code == 0
        assert written(junit) == [("a.py", "passed", "")]

    def test_its_environment_is_clean(self, lint: Lint, bin_: Path) -> None:
        stand_in(bin_, "flake8", "env")
        output = lint({"a.py": CLEAN}, GITHUB_TOKEN="secret", PULL_NUMBER="7", ARTIFACTS=str(bin_)).output
        names = {line.partition("=")[0] for line in output.splitlines()[1:]}
        assert names - {"PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE"} == {
            *("ARTIFACTS", "CI", "HOME", "PATH", "PULL_NUMBER", "TERM", "TMPDIR")
        }

    def test_it_is_stopped_when_time_is_up(self, lint: Lint, bin_: Path) -> None:
        stand_in(bin_, "flake8", "sleep 600")
        done = lint({"a.py": CLEAN}, "--timeout=0.3")
        assert (done.exit_code, reason(done), done.left_behind) == (1, "flake8 timed out after 0.3s", [])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a/b.py:3:8: F401 [*] `os` imported", ("a/b.py", "3:8: F401 [*] `os` imported")),
        ("./a.py:3: E1 text", ("a.py", "3: E1 text")),
        ("a b.py:1:0: C0114: Missing", ("a b.py", "1:0: C0114: Missing")),
        ("Found 3 errors.", None),
        ("************* Module a", None),
        ("Your code has been rated at 0.00/10", None),
        ("", None),
    ],
)
def test_a_message_names_its_file(line: str, found: tuple[str, str] | None) -> None:
    assert message(line) == found


def test_a_thousand_files_fit_command_lines() -> None:
    files = [f"folder/{'x' * 200}{number}.py" for number in range(2000)]
    batches = list(_batches(files))
    assert [file for batch in batches for file in batch] == [f"./{file}" for file in files]
    assert all(sum(len(file) + 1 for file in batch) <= 100_300 for batch in batches)


def test_a_dry_run_shows_it_and_needs_nothing(step: Callable[..., Done], junit: Path) -> None:
    done = step(
        "steps.checks",
        "lint",
        "--archive=/x",
        "--linter=pylint",
        "--dryrun",
        f"--junit_path={junit}",
        "--",
        "-j2",
    )
    template = "'--msg-template={path}:{line}:{column}: {msg_id}: {msg} ({symbol})'"
    assert done.output.splitlines()[:2] == [
        f"command: pylint --output-format=text {template} -j2 '<the Python files>'",
        "working directory: a fresh copy of /x",
    ]
    assert (done.exit_code, junit.exists()) == (0, False)

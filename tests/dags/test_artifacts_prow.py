"""Runs told of in Prow's layout: `started`, `finished`, `upload` and `latest-green`."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
import pytest

from bot.models import Outcome, Run
from bot.report.archive import prow as bots
from steps.artifacts import prow
from steps.artifacts.latest_green import advance
from steps.artifacts.place import Told
from steps.errors import TryAgain
from steps.storage import Documents, LocalStorage, documents_at
from tests.dags.conftest import Done
from tests.dags.test_cases import written
from tests.report.archiving import finished

SHA = "a" * 40
FOLDER = "pr-logs/pull/o_r/12/e2e/7"
PROW = {
    "REPO_OWNER": "o",
    "REPO_NAME": "r",
    "PULL_PULL_SHA": SHA,
    "PULL_NUMBER": "12",
    "PULL_REFS": f"main:{'b' * 40},12:{SHA}",
    "PULL_BASE_REF": "main",
    "JOB_NAME": "e2e",
    "JOB_TYPE": "presubmit",
    "BUILD_ID": "7",
    "ARTIFACTS_PATH": FOLDER,
}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GREEN = "pr-logs/directory/o_r/e2e/latest_green.json"

Tell = Callable[..., Done]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def tell(step: Callable[..., Done], root: Path) -> Tell:
    """Run a command as a step of a run would, with Prow's names in its environment."""

    def run(command: str, *options: str, **more: str) -> Done:
        return step("steps.artifacts", command, f"--url={root}", *options, **PROW | more)

    return run


def document(path: Path) -> Any:  # noqa: ANN401 - whatever JSON holds
    return json.loads(path.read_text())


class TestKeysAreTheBots:
    def told(self, run: Run) -> Told:
        return Told(
            repository=run.repository.full_name,
            commit=run.head_sha,
            job=run.pipeline,
            run=run.id,
            pull=str(run.number) if run.number > 0 else "",
            refs=str(run.conf["PULL_REFS"]),
            base=run.base_ref,
            kind=str(run.conf["JOB_TYPE"]),
        )

    def test_in_started(self) -> None:
        run = finished()
        assert run.started_at is not None
        assert prow.started(self.told(run), int(run.started_at.timestamp())) == bots.started(run)

    @pytest.mark.parametrize(
        ("outcome", "result"),
        [(Outcome.SUCCESS, "SUCCESS"), (Outcome.FAILURE, "FAILURE"), (Outcome.CANCELLED, "ABORTED")],
    )
    def test_in_finished(self, outcome: Outcome, result: str) -> None:
        run = finished(outcome=outcome, reason="unit failed")
        assert run.finished_at is not None
        ours = json.loads(
            prow.finished(self.told(run), int(run.finished_at.timestamp()), result, "unit failed")
        )
        theirs = json.loads(bots.finished(run))
        theirs["metadata"]["links"] = {}  # to the run's page, which other runs have not
        assert ours == theirs

    @pytest.mark.parametrize("kind", ["presubmit", "postsubmit", "batch"])
    def test_in_latest_green(self, kind: str) -> None:
        run = finished()
        run = replace(run, conf={**run.conf, "JOB_TYPE": kind})
        told = self.told(run)
        folder = bots.folder_of(run)
        assert folder is not None
        assert prow.latest_green(told, folder, run.created_at) == bots.latest_green(run)
        assert prow.latest_green_path(told) == bots.latest_green_path(run)

    def test_in_which_is_newer(self) -> None:
        run = finished()
        document = prow.latest_green(self.told(run), "x", run.created_at - timedelta(seconds=1))
        assert bots.is_newer(run, document)
        assert not prow.is_newer(run.created_at - timedelta(days=1), bots.latest_green(run))


class TestStartedAndFinished:
    def test_are_written_of_the_run_that_the_environment_names(self, tell: Tell, root: Path) -> None:
        assert tell("started", "--timestamp=17").exit_code == 0
        done = tell("finished", "--result=FAILURE", "--reason=unit failed", "--timestamp=42")
        assert done.exit_code == 0, done.output
        started, ended = (document(root / FOLDER / name) for name in ("started.json", "finished.json"))
        assert (started["timestamp"], started["pull"], started["repo-commit"]) == (17, "12", SHA)
        assert (ended["passed"], ended["result"], ended["metadata"]["outcome"]) == (
            False,
            "FAILURE",
            "failure",
        )
        assert (ended["metadata"]["reason"], ended["metadata"]["pipeline"]) == ("unit failed", "e2e")

    def test_can_be_told_all_by_options(self, step: Callable[..., Done], root: Path) -> None:
        options = [f"--url={root.as_uri()}", "--path=logs/nightly/3", "--repository=o/r", f"--commit={SHA}"]
        done = step("steps.artifacts", "started", *options, "--job=nightly", "--run=3")
        assert done.exit_code == 0, done.output
        assert document(root / "logs" / "nightly" / "3" / "started.json")["repos"] == {"o/r": SHA}

    def test_have_a_time_of_their_own(self, tell: Tell, root: Path) -> None:
        before = int(datetime.now(UTC).timestamp())
        tell("started")
        assert document(root / FOLDER / "started.json")["timestamp"] >= before

    def test_are_cases(self, tell: Tell, tmp_path: Path) -> None:
        tell("started", f"--junit_path={tmp_path / 'junit.xml'}")
        assert written(tmp_path / "junit.xml") == [("started.json", "passed", "")]

    @pytest.mark.parametrize(
        ("option", "words"),
        [
            ("--path=/etc", "not a relative path"),
            ("--path=../x", "not a relative path"),
            ("--path=a//b", "not a relative path"),
            ("--repository=o", "not OWNER/NAME"),
            ("--repository=o/r/../x", "not OWNER/NAME"),
            ("--repository=o/..", "not OWNER/NAME"),
            ("--job=../x", "not a pipeline's name"),
            ("--commit=main", "not a full commit SHA"),
            ("--pull=x", "not a number"),
            ("--run=a\nb", "not one line"),
        ],
    )
    def test_options_are_checked(self, tell: Tell, option: str, words: str) -> None:
        done = tell("started", option)
        assert (done.exit_code, words in done.output) == (2, True)

    def test_what_nobody_says_is_asked_for(self, step: Callable[..., Done]) -> None:
        done = step("steps.artifacts", "started")
        assert done.exit_code == 2
        assert "required: --url, --path, --repository, --commit, --job" in done.output

    def test_a_dry_run_shows_them_and_no_password(self, tell: Tell, root: Path) -> None:
        done = tell("finished", "--result=SUCCESS", "--url=s3://key:s3cret@bucket", "--dryrun")
        assert done.exit_code == 0
        assert done.output.startswith(f"would write s3://bucket/{FOLDER}/finished.json:\n{{")
        assert "s3cret" not in done.output
        assert not root.exists()

    def test_a_link_that_a_step_made_is_not_followed(self, tell: Tell, root: Path, tmp_path: Path) -> None:
        (root / FOLDER).parent.mkdir(parents=True)
        (root / FOLDER).symlink_to(tmp_path)
        done = tell("started")
        assert (done.exit_code, "leads through a link" in done.output) == (1, True)
        assert not (tmp_path / "started.json").exists()

    @pytest.mark.parametrize(
        ("url", "exit_code", "words"),
        [
            ("nowhere://key:s3cret@bucket", 1, "nothing was stored: ValueError: Protocol not known"),
            ("http://key:s3cret@127.0.0.1:9/x", 1, "nothing was stored"),
        ],
    )
    def test_a_place_that_takes_nothing_is_explained(
        self, tell: Tell, url: str, exit_code: int, words: str
    ) -> None:
        done = tell("started", f"--url={url}")
        assert (done.exit_code, words in done.output, "s3cret" in done.output) == (exit_code, True, False)


class TestUpload:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        made = tmp_path / "made"
        (made / "logs").mkdir(parents=True)
        (made / "junit_unit.xml").write_text("<testsuite/>")
        (made / "logs" / "a.txt").write_text("aaa")
        (made / "link").symlink_to("/etc/hostname")
        (tmp_path / "log").write_text("all of it")
        return made

    def test_puts_all_where_tools_look_and_leaves_it_here(
        self, tell: Tell, root: Path, folder: Path, tmp_path: Path
    ) -> None:
        done = tell("upload", f"--folder={folder}", f"--build-log={tmp_path / 'log'}")
        assert done.exit_code == 0, done.output
        kept = {path.relative_to(root / FOLDER).as_posix() for path in root.rglob("*") if path.is_file()}
        assert kept == {"artifacts/junit_unit.xml", "artifacts/logs/a.txt", "build-log.txt"}
        assert (root / FOLDER / "build-log.txt").read_text() == "all of it"
        assert (folder / "junit_unit.xml").exists()
        assert "not kept: 1 file, 0 bytes: a link" in done.output
        assert "stored 2 files, 15 bytes" in done.output

    def test_what_can_not_be_stored_fails_it(self, tell: Tell, folder: Path, root: Path) -> None:
        (root / FOLDER / "artifacts" / "logs" / "a.txt").mkdir(parents=True)
        done = tell("upload", f"--folder={folder}")
        assert done.exit_code == 1
        assert "1 of 2 files were not stored, logs/a.txt for one" in done.handed_on.read_text()

    def test_a_dry_run_shows_what_would_go_where(self, tell: Tell, folder: Path, root: Path) -> None:
        done = tell("upload", f"--folder={folder}", "--dryrun")
        where = f"{root}/{FOLDER}/artifacts"
        assert f"would put logs/a.txt (3 bytes) at {where}/logs/a.txt\n" in done.output
        assert not root.exists()


class TestLatestGreen:
    def test_is_the_run_that_began_last(self, tell: Tell, root: Path) -> None:
        for run, began in (("7", 100), ("9", 300), ("8", 200)):
            folder = f"pr-logs/pull/o_r/12/e2e/{run}"
            tell("started", f"--timestamp={began}", f"--path={folder}")
            done = tell("latest-green", f"--path={folder}", f"--run={run}")
            assert done.exit_code == 0, done.output
        green = document(root / GREEN)
        assert (green["run"], green["sha"], green["base"], green["status"]) == ("9", SHA, "main", "passing")
        assert green["created"] == "1970-01-01T00:05:00+00:00"
        assert "stays as it is" in done.output

    def test_needs_to_know_when_the_run_began(self, tell: Tell) -> None:
        done = tell("latest-green")
        assert (done.exit_code, "give --created" in done.output) == (1, True)

    @pytest.mark.parametrize(
        ("time", "kept"),
        [("2026-01-01T12:00:00Z", "2026-01-01T12:00:00+00:00"), ("2026-01-01", "2026-01-01T00:00:00+00:00")],
    )
    def test_can_be_told_when(self, tell: Tell, root: Path, time: str, kept: str) -> None:
        assert tell("latest-green", f"--created={time}").exit_code == 0
        assert document(root / GREEN)["created"] == kept

    def test_a_dry_run_shows_it(self, tell: Tell, root: Path) -> None:
        done = tell("latest-green", "--created=2026-01-01", "--dryrun")
        assert done.output.startswith(f"would write {root}/{GREEN}, unless it is newer:\n{{")
        assert not root.exists()

    @pytest.mark.parametrize(
        "there", [b"", b"{", b"[]", b'{"created": "soon"}', b'{"created": "2027-01-01"}']
    )
    def test_what_is_broken_is_replaced(self, tell: Tell, root: Path, there: bytes) -> None:
        (root / GREEN).parent.mkdir(parents=True)
        (root / GREEN).write_bytes(there)
        tell("latest-green", "--created=2026-01-01")
        assert document(root / GREEN)["run"] == "7"


TOLD = Told("o/r", SHA, "e2e", run="7", kind="presubmit")


class Overwritten:
    """A place in which others write between our writing and our reading."""

    def __init__(self, documents: Documents, *others: bytes) -> None:
        self._documents = documents
        self._others = [*others]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the place has
        return getattr(self._documents, name)

    def write(self, path: str, content: bytes, *, new: bool = False) -> None:
        self._documents.write(path, content, new=new)
        if self._others:
            self._documents.write(path, self._others.pop(0))


def green(hours: int) -> bytes:
    return prow.latest_green(TOLD, FOLDER, NOON + timedelta(hours=hours))


@pytest.mark.parametrize("where", ["folder", "memory"])
class TestAdvancing:
    @pytest.fixture
    def documents(self, where: str, tmp_path: Path) -> Iterator[Documents]:
        yield documents_at(str(tmp_path) if where == "folder" else "memory://bucket/root")
        fsspec.filesystem("memory").store.clear()

    @pytest.mark.parametrize(
        ("there", "newest"),
        [(None, True), (green(-1), True), (green(0), True), (green(1), False)],
        ids=["the first", "newer", "the same again", "older"],
    )
    def test_never_goes_back(self, documents: Documents, there: bytes | None, *, newest: bool) -> None:
        if there is not None:
            documents.write(GREEN, there)
        assert advance(documents, GREEN, TOLD, FOLDER, NOON) is newest
        assert documents.read(GREEN, 10_000) == (green(0) if newest else there)

    def test_an_older_one_that_came_between_is_replaced(self, documents: Documents) -> None:
        assert advance(Overwritten(documents, green(-1)), GREEN, TOLD, FOLDER, NOON)
        assert documents.read(GREEN, 10_000) == green(0)

    def test_a_newer_one_that_came_between_stays(self, documents: Documents) -> None:
        assert not advance(Overwritten(documents, green(1)), GREEN, TOLD, FOLDER, NOON)
        assert documents.read(GREEN, 10_000) == green(1)

    def test_others_that_never_stop_are_not_fought_for_ever(self, documents: Documents) -> None:
        with pytest.raises(TryAgain, match="written by others all the time"):
            advance(Overwritten(documents, *[green(-1)] * 20), GREEN, TOLD, FOLDER, NOON)

    def test_who_was_first_is_asked_again(self, documents: Documents) -> None:
        documents.write(GREEN, green(1))
        with pytest.raises(FileExistsError):
            documents.write(GREEN, green(0), new=True)


def test_of_many_at_once_in_a_folder_the_newest_stays(tmp_path: Path) -> None:
    def run(hours: int) -> None:
        documents = LocalStorage(tmp_path)
        with documents.alone(GREEN):
            advance(documents, GREEN, TOLD, FOLDER, NOON + timedelta(hours=hours))

    threads = [threading.Thread(target=run, args=(hours,)) for hours in (3, 1, 9, 2, 8, 4, 7, 5, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (tmp_path / GREEN).read_bytes() == green(9)
    assert [path.name for path in (tmp_path / GREEN).parent.glob("*.tmp")] == []

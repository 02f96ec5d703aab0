"""`clone lastgreen`: the commit that the bot wrote down as the last that passed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.report.archive import prow
from steps.release.latest_green import LatestGreen, parsed
from tests.dags.clones import Pull, Step, unpacked
from tests.dags.conftest import Done, Repository
from tests.examples import run

A = "a" * 40


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return Pull(repository)


@pytest.fixture
def green(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "o_r" / "unit" / "latest_green.json"


@pytest.fixture
def clone(step: Step, url: str, tmp_path: Path) -> Callable[..., Done]:
    """Run `release clone lastgreen`."""

    def run(green: object, *more: str) -> Done:
        options = (f"--green={green}", f"--url={url}", f"--archive={tmp_path / 'source.tar.gz'}")
        return step("steps.release", "clone", "lastgreen", *options, *more)

    return run


Clone = Callable[..., Done]


@pytest.mark.parametrize("as_uri", [False, True], ids=["a path", "an fsspec URL"])
def test_clones_the_commit_that_passed(
    clone: Clone, pull: Pull, green: Path, repository: Repository, *, as_uri: bool
) -> None:
    repository.commit(onto=pull.base, ref="refs/heads/main", broken="x\n")
    green.parent.mkdir(parents=True)
    green.write_text(json.dumps({"sha": pull.base, "base": "main"}))
    done = clone(green.as_uri() if as_uri else green)
    assert done.exit_code == 0, done.output
    tree = unpacked(green.parents[3] / "source.tar.gz")
    assert repository.git("rev-parse", "HEAD", "origin/main", folder=tree).split() == [pull.base] * 2


def test_a_retry_clones_the_same_though_a_newer_one_passed_meanwhile(
    clone: Clone, pull: Pull, green: Path
) -> None:
    green.parent.mkdir(parents=True)
    green.write_text(json.dumps({"sha": pull.base}))
    clone(green)
    green.unlink()
    done = clone(green)
    assert (done.exit_code, "Reusing" in done.output) == (0, True), done.output


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "the pipeline never passed there", id="missing"),
        pytest.param("{", "is not a latest_green.json", id="broken"),
        pytest.param('{"sha": "main"}', "no full commit SHA: 'main'", id="no commit"),
    ],
)
def test_what_can_not_be_used_is_said(clone: Clone, green: Path, content: str | None, reason: str) -> None:
    green.parent.mkdir(parents=True)
    if content is not None:
        green.write_text(content)
    done = clone(green)
    assert (done.exit_code, reason in done.output, str(green) in done.output) == (1, True, True), done.output


def test_an_unknown_kind_of_url_is_said(clone: Clone) -> None:
    done = clone("nowhere://x/latest_green.json")
    assert (done.exit_code, "can't be read" in done.output) == (1, True), done.output


def test_a_dry_run_reads_nothing(clone: Clone, green: Path) -> None:
    done = clone(green, "--dryrun")
    assert (done.exit_code, f"# HEAD_SHA is the commit that {green} names" in done.output) == (0, True)
    assert "git fetch" in done.output


def test_reads_what_the_bot_writes() -> None:
    one = run()
    assert parsed(prow.latest_green(one)) == LatestGreen(one.head_sha, one.base_ref)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"[" * 60_000, id="nested deeply"),
        pytest.param(json.dumps({"sha": ["x"]}).encode(), id="a list of commits"),
        pytest.param(json.dumps({"sha": A.upper()}).encode(), id="upper case"),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parsed(content)


@pytest.mark.parametrize("base", [None, 7, "", "../x", "a b", "x\ny"])
def test_a_base_that_is_no_branch_is_left_out(base: object) -> None:
    assert parsed(json.dumps({"sha": A, "base": base}).encode()) == LatestGreen(A, "")


@given(st.binary())
def test_reading_raises_only_what_is_said(content: bytes) -> None:
    try:
        assert parsed(content).commit
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either is fine, nothing else is

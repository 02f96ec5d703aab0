import json
import os
import tarfile
import time
from pathlib import Path

import pytest

from tests.dags.clones import Pull, Step, cases, options, unpacked
from tests.dags.conftest import Repository
from tests.dags.git_server import git_server


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return Pull(repository)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "one" / "source.tar.gz"


def test_merges_head_into_base_and_packs_the_tree(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    done = step("steps.release", *options(url, pull, archive), "--base-ref=main")
    assert done.exit_code == 0, done.output
    tree = unpacked(archive)
    assert {entry.name: entry.read_text() for entry in tree.iterdir() if entry.is_file()} == {
        "shared": "2\n",
        "kept": "1\n",
        "added": "by the pull request\n",
    }
    assert repository.git("rev-parse", "HEAD^1", "HEAD^2", folder=tree).split() == [pull.base, pull.head]
    assert repository.git("diff-index", "HEAD", folder=tree) == ""
    assert repository.git("diff", "--name-only", "origin/main", folder=tree) == "added"
    assert json.loads(done.handed_on.read_text()) == {
        "commit": repository.git("rev-parse", "HEAD", folder=tree),
        "tree": repository.git("rev-parse", "HEAD^{tree}", folder=tree),
    }
    assert done.left_behind == []


def test_each_check_is_a_junit_case(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    report = archive.parents[2] / "junit.xml"
    step("steps.release", *options(url, pull, archive), f"--junit_path={report}")
    assert cases(report) == {"fetch": "passed", "merge": "passed"}
    step("steps.release", *options(url, pull, archive), f"--junit_path={report}")
    assert cases(report) == {"fetch": "skipped: the archive was made before"}
    pull.base = repository.commit(onto=pull.base, ref="refs/heads/main", added="differs\n")
    step("steps.release", *options(url, pull, archive), f"--junit_path={report}")
    assert cases(report) == {"fetch": "passed", "merge": "failure: merge conflict in added"}


def test_a_retry_makes_the_same_commit_again(step: Step, url: str, pull: Pull, archive: Path) -> None:
    commits = set()
    for _ in range(2):
        done = step("steps.release", *options(url, pull, archive))
        commits.add(json.loads(done.handed_on.read_text())["commit"])
        archive.unlink()
    assert len(commits) == 1


def test_a_resumed_run_reuses_its_archive_without_asking_the_remote(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    step("steps.release", *options(url, pull, archive))
    first = archive.read_bytes()
    repository.bare.rename(repository.bare.with_name("gone"))
    done = step("steps.release", *options(url, pull, archive))
    assert (done.exit_code, "Reusing" in done.output, archive.read_bytes() == first) == (0, True, True)


def test_an_archive_of_other_commits_is_made_anew(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    step("steps.release", *options(url, pull, archive))
    first = archive.read_bytes()
    pull.head = repository.commit(onto=pull.head, ref="refs/pull/7/head", more="x\n")
    assert step("steps.release", *options(url, pull, archive)).exit_code == 0
    assert archive.read_bytes() != first


@pytest.mark.parametrize("content", ["not an archive", ""], ids=["rubbish", "empty"])
def test_a_broken_archive_is_made_anew(step: Step, url: str, pull: Pull, archive: Path, content: str) -> None:
    archive.parent.mkdir(parents=True)
    archive.write_text(content)
    assert step("steps.release", *options(url, pull, archive)).exit_code == 0
    assert tarfile.is_tarfile(archive)


def test_a_conflict_fails_for_good_and_names_the_files(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    odd = "$(id) {{ var.value.x }}\n"
    root = repository.commit(ref="refs/heads/main", **{"b.py": "1\n", odd: "1\n", "a.py": "1\n"})
    pull.head = repository.commit(
        onto=root, ref="refs/pull/7/head", **{"b.py": "2\n", odd: "2\n", "a.py": "2\n"}
    )
    pull.base = repository.commit(
        onto=root, ref="refs/heads/main", **{"b.py": "3\n", odd: "3\n", "a.py": "1\n"}
    )
    done = step("steps.release", *options(url, pull, archive))
    reason = r"merge conflict in '$(id) {{ var.value.x }}\n', b.py"
    assert (done.exit_code, json.loads(done.handed_on.read_text())) == (1, {"reason": reason})
    assert f"error: {reason}" in done.output
    assert not archive.exists()
    assert done.left_behind == []


def test_unrelated_histories_fail_for_good(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    repository.git("checkout", "--quiet", "--orphan", "other")
    pull.head = repository.commit(ref="refs/pull/7/head", other="x\n")
    done = step("steps.release", *options(url, pull, archive))
    assert (done.exit_code, "unrelated histories" in done.output) == (1, True)


def test_a_head_that_is_merged_already_gives_the_base(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    pull.head = repository.git("rev-parse", f"{pull.base}~1")
    assert step("steps.release", *options(url, pull, archive)).exit_code == 0
    assert repository.git("rev-parse", "HEAD", folder=unpacked(archive)) == pull.base


def test_history_is_deepened_until_the_merge_base_is_there(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    pull.head = repository.history(60, onto=pull.head, ref="refs/pull/7/head")
    assert step("steps.release", *options(url, pull, archive)).exit_code == 0
    tree = unpacked(archive)
    assert (tree / "number").read_text() == "59"
    assert (tree / "shared").read_text() == "2\n"


def test_history_stays_shallow_when_that_suffices(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    pull.base = repository.history(60, onto=pull.base, ref="refs/heads/main")
    pull.head = repository.commit(onto=pull.base, ref="refs/pull/7/head", added="x\n")
    assert step("steps.release", *options(url, pull, archive)).exit_code == 0
    tree = unpacked(archive)
    assert int(repository.git("rev-list", "--count", "HEAD", folder=tree)) < 60


def test_a_server_that_refuses_shas_is_asked_for_the_branches(
    step: Step, pull: Pull, archive: Path, repository: Repository
) -> None:
    moved = repository.commit(onto=pull.base, ref="refs/heads/main", later="x\n")
    assert moved != pull.base
    with git_server(repository.bare.parents[1], version2=False) as address:
        done = step(
            "steps.release",
            *options(f"{address}/o/r.git", pull, archive),
            "--base-ref=main",
        )
    assert (done.exit_code, "fetching the branches instead" in done.output) == (0, True), done.output


def test_a_base_branch_named_like_an_option_is_a_branch(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    pull.base = repository.commit(onto=pull.base, ref="refs/heads/-q", q="x\n")
    done = step("steps.release", *options(url, pull, archive), "--base-ref=-q")
    assert done.exit_code == 0, done.output
    tree = unpacked(archive)
    assert repository.git("rev-parse", "refs/remotes/origin/-q", folder=tree) == pull.base


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [(500, 75), (502, 75), (503, 75), (429, 75), (404, 1), (403, 1), (401, 1)],
)
def test_what_may_pass_later_is_temporary(
    step: Step, pull: Pull, archive: Path, status: int, exit_code: int
) -> None:
    with git_server(archive.parent, status=status) as address:
        done = step("steps.release", *options(f"{address}/o/r.git", pull, archive))
    assert done.exit_code == exit_code, done.output
    assert json.loads(done.handed_on.read_text())["reason"]


def test_a_remote_that_is_down_is_temporary(step: Step, pull: Pull, archive: Path) -> None:
    done = step("steps.release", *options("http://127.0.0.1:9/o/r.git", pull, archive))
    assert (done.exit_code, "can't fetch" in done.output) == (75, True), done.output


def test_a_commit_that_the_remote_does_not_have_yet_is_temporary(
    step: Step, url: str, pull: Pull, archive: Path
) -> None:
    pull.head = "1" * 40
    done = step("steps.release", *options(url, pull, archive), "--base-ref=main")
    assert (done.exit_code, "111111111111" in done.output) == (75, True), done.output


@pytest.mark.parametrize(
    "option",
    [
        "--url=--upload-pack=touch pwned",
        "--url=ext::sh -c touch% pwned",
        "--url=file:///etc",
        "--url=/etc",
        "--url=git@host:o/r.git",
        "--url=http://user:password@localhost/r.git",
        "--url=http://",
        "--url=http://[",
        "--url=-q",
        "--base=-q",
        "--base=main",
        "--base=$(id)",
        "--commit={{ var.value.x }}",
        "--commit=1234567",
        "--commit=--upload-pack=x",
        "--base-ref=a b",
        "--base-ref=../../config",
        "--base-ref=a.lock",
        "--base-ref=x\ny",
        "--pr=1/merge",
        "--pr=-1",
    ],
)
def test_hostile_values_are_refused_before_git_sees_them(
    step: Step, url: str, pull: Pull, archive: Path, option: str
) -> None:
    done = step("steps.release", *options(url, pull, archive), option)
    assert done.exit_code == 2, done.output
    assert option.partition("=")[0] in json.loads(done.handed_on.read_text())["reason"]
    assert not archive.exists()
    assert not (archive.parents[2] / "pwned").exists()


def test_nobodys_git_configuration_matters(
    step: Step, url: str, pull: Pull, archive: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[merge]\n\tff = only\n[url "file:///nowhere/"]\n\tinsteadOf = {url}\n')
    done = step(
        "steps.release",
        *options(url, pull, archive),
        HOME=str(home),
        GIT_CONFIG_GLOBAL=str(home / ".gitconfig"),
        GIT_DIR=str(tmp_path),
    )
    assert done.exit_code == 0, done.output


def test_a_dry_run_prints_the_commands_and_runs_none(
    step: Step, url: str, pull: Pull, archive: Path, repository: Repository
) -> None:
    repository.bare.rename(repository.bare.with_name("gone"))
    done = step("steps.release", *options(url, pull, archive), "--dryrun")
    assert done.exit_code == 0
    assert f"--depth=50 origin {pull.base} {pull.head}" in done.output
    assert f"-m 'Merge {pull.head[:12]} into {pull.base[:12]}' {pull.head}" in done.output
    assert "environment:" in done.output
    assert not archive.exists()
    assert done.left_behind == []


def test_archives_of_old_runs_are_pruned(
    step: Step, url: str, pull: Pull, archive: Path, tmp_path: Path
) -> None:
    ages = {"old": 8, "new": 6}
    for name, days in ages.items():
        file = tmp_path / "runs" / name / "source.tar.gz"
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, times=(time.time() - days * 86_400,) * 2)
    done = step("steps.release", *options(url, pull, archive), f"--prune={tmp_path / 'runs'}")
    assert done.exit_code == 0
    left = sorted(file.parent.name for file in (tmp_path / "runs").glob("*/source.tar.gz"))
    assert left == ["new", "one"]

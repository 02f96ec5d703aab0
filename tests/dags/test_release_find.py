"""What is not given on the command line of `clone`, the remote is asked for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.release.request import Advertised
from tests.dags.clones import Pull, Step, unpacked
from tests.dags.conftest import Done, Repository
from tests.dags.git_server import git_server

Clone = Callable[..., Done]

A, B = "a" * 40, "b" * 40


@pytest.fixture
def pull(repository: Repository) -> Pull:
    return Pull(repository)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "one" / "source.tar.gz"


@pytest.fixture
def clone(step: Step, url: str, archive: Path) -> Callable[..., Done]:
    """Run `release clone` with what is always given."""

    def run(*args: str) -> Done:
        return step("steps.release", "clone", *args, f"--url={url}", f"--archive={archive}")

    return run


def parents(repository: Repository, archive: Path) -> list[str]:
    tree = unpacked(archive)
    return repository.git("rev-parse", "HEAD^1", "HEAD^2", folder=tree).split()


class TestAPullRequest:
    def test_alone_is_merged_into_the_default_branch(
        self, clone: Clone, pull: Pull, archive: Path, repository: Repository
    ) -> None:
        done = clone("pr", "--pr=7")
        assert done.exit_code == 0, done.output
        assert parents(repository, archive) == [pull.base, pull.head]
        tree = archive.parent / "unpacked"
        assert repository.git("rev-parse", "origin/main", folder=tree) == pull.base

    def test_of_another_branch_is_merged_into_that(
        self, clone: Clone, pull: Pull, archive: Path, repository: Repository
    ) -> None:
        stable = repository.commit(onto=pull.base, ref="refs/heads/stable", stable="x\n")
        repository.commit(onto=pull.base, ref="refs/heads/x/refs/heads/stable", decoy="x\n")
        done = clone("pr", "--pr=7", "--base-ref=stable")
        assert done.exit_code == 0, done.output
        assert parents(repository, archive) == [stable, pull.head]

    def test_at_a_commit_is_that_commit(
        self, clone: Clone, pull: Pull, archive: Path, repository: Repository
    ) -> None:
        repository.commit(onto=pull.head, ref="refs/pull/7/head", later="x\n")
        done = clone("pr", "--pr=7", f"--commit={pull.head}")
        assert done.exit_code == 0, done.output
        assert parents(repository, archive) == [pull.base, pull.head]

    def test_is_not_looked_up_again_by_a_retry(
        self, clone: Clone, pull: Pull, repository: Repository
    ) -> None:
        """All steps of a run see the same commit, whatever was pushed meanwhile."""
        first = json.loads(clone("pr", "--pr=7").handed_on.read_text())
        repository.commit(onto=pull.head, ref="refs/pull/7/head", later="x\n")
        again = clone("pr", "--pr=7")
        assert (json.loads(again.handed_on.read_text()), "Reusing" in again.output) == (first, True)

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            pytest.param(["--pr=8"], "has no pull request 8", id="no such pull request"),
            pytest.param(["--pr=7", "--base-ref=gone"], "has no branch gone", id="no such branch"),
        ],
    )
    def test_that_is_not_there_fails_for_good(
        self, clone: Clone, pull: Pull, options: list[str], reason: str
    ) -> None:
        assert pull.head
        done = clone("pr", *options)
        assert (done.exit_code, reason in done.output) == (1, True), done.output


class TestABranch:
    @pytest.fixture
    def commit_of(self, clone: Clone) -> Callable[..., str]:
        """Clone a branch; returns the commit."""

        def run(*options: str) -> str:
            done = clone("postsubmit", *options)
            assert done.exit_code == 0, done.output
            commit: str = json.loads(done.handed_on.read_text())["commit"]
            return commit

        return run

    def test_is_the_default_branch_where_none_is_named(
        self, commit_of: Callable[..., str], pull: Pull, archive: Path, repository: Repository
    ) -> None:
        assert commit_of() == pull.base
        tree = unpacked(archive)
        assert repository.git("rev-parse", "HEAD", "origin/main", folder=tree).split() == [pull.base] * 2

    def test_is_tested_at_its_tip(
        self, commit_of: Callable[..., str], pull: Pull, repository: Repository
    ) -> None:
        tip = repository.commit(onto=pull.base, ref="refs/heads/-q", q="x\n")
        assert commit_of("--branch=-q") == tip

    def test_is_its_own_base(
        self, commit_of: Callable[..., str], pull: Pull, archive: Path, repository: Repository
    ) -> None:
        repository.commit(onto=pull.base, ref="refs/heads/main", later="x\n")
        assert commit_of(f"--commit={pull.base}", "--branch=main") == pull.base
        tree = unpacked(archive)
        assert repository.git("rev-parse", "HEAD", "origin/main", folder=tree).split() == [pull.base] * 2

    def test_of_a_merge_group_is_the_very_commit_that_the_base_branch_will_have(
        self, commit_of: Callable[..., str], pull: Pull, archive: Path, repository: Repository
    ) -> None:
        group = repository.commit(onto=pull.base, ref="refs/heads/queue/pr-7", added="x\n")
        options = (f"--commit={group}", f"--base={pull.base}", "--branch=main")
        assert commit_of(*options) == group
        tree = unpacked(archive)
        assert repository.git("diff", "--name-only", "origin/main", folder=tree) == "added"

    def test_that_lacks_its_base_is_merged_into_it(
        self, commit_of: Callable[..., str], pull: Pull, archive: Path, repository: Repository
    ) -> None:
        commit_of(f"--commit={pull.head}", f"--base={pull.base}")
        assert parents(repository, archive) == [pull.base, pull.head]

    def test_a_server_that_refuses_shas_is_asked_for_the_branch(
        self, step: Step, pull: Pull, archive: Path, repository: Repository
    ) -> None:
        repository.commit(onto=pull.base, ref="refs/heads/main", later="x\n")
        with git_server(repository.bare.parents[1], version2=False) as address:
            done = step(
                *("steps.release", "clone", "postsubmit", f"--commit={pull.base}"),
                *(f"--url={address}/o/r.git", f"--archive={archive}"),
            )
        assert json.loads(done.handed_on.read_text())["commit"] == pull.base, done.output

    def test_a_base_alone_says_nothing(self, clone: Clone) -> None:
        done = clone("postsubmit", f"--base={A}")
        assert (done.exit_code, "--base needs --commit" in done.output) == (1, True)


def test_an_empty_repository_has_no_commit(clone: Clone) -> None:
    done = clone("postsubmit")
    assert (done.exit_code, "has no commit yet" in done.output) == (1, True), done.output


class TestWhatTheRemoteAdvertises:
    @pytest.mark.parametrize(
        ("printed", "expected"),
        [
            pytest.param("", Advertised(), id="nothing"),
            pytest.param(
                f"ref: refs/heads/main\tHEAD\n{A}\tHEAD\n{B}\trefs/pull/7/head\n",
                Advertised({"HEAD": A, "refs/pull/7/head": B}, "main"),
                id="all",
            ),
            pytest.param(f"{A}\tHEAD\n", Advertised({"HEAD": A}), id="a detached HEAD"),
            pytest.param(f"ref: refs/tags/x\tHEAD\n{A}\tHEAD", Advertised({"HEAD": A}), id="no branch"),
            pytest.param(f"ref: refs/heads/a..b\tHEAD\n{A[:7]}\tHEAD", Advertised(), id="hostile"),
            pytest.param("ref: refs/heads/x\trefs/heads/y\n", Advertised(), id="another symbolic ref"),
        ],
    )
    def test_is_read(self, printed: str, expected: Advertised) -> None:
        assert Advertised.parsed(printed) == expected

    @given(st.text())
    def test_never_becomes_anything_but_full_shas(self, printed: str) -> None:
        assert all(len(sha) in {40, 64} for sha in Advertised.parsed(printed).tips.values())

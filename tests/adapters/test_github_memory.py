"""What is remembered, and what a decision costs with and without it."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import AppKey, GitHubClient, PersonalToken
from bot.adapters.github.cache import SharedCache
from bot.adapters.github.memory import BYTES_KEPT, Memory
from bot.errors import GitHubNotFound
from bot.models import ChangedFiles, Permission, Repository
from tests.adapters.github_answering import REPOSITORY, Say, answering
from tests.github_standin import Pull, Standin, running
from tests.github_standin import Repository as StandinRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = ".github/preflight.yaml"
SHARED = "preflight.yaml"
OTHER = Repository(8, "elsewhere/app")
NUMBERS = itertools.count(1)


@dataclass
class There:
    """A repository with a pull request, and a client whose calls are counted."""

    github: GitHubClient
    repository: StandinRepository
    pull: Pull
    kinds: list[str] = field(default_factory=list)

    def decide(self, *people: str) -> list[str]:
        """Look up what a decision about the pull request needs; the kinds of requests that it took."""
        self.kinds.clear()
        known = Repository(self.repository.id, self.repository.full_name)
        pull = self.github.pull_request(known, self.pull.number)
        tip = self.github.tip(known, pull.base_ref)
        if self.github.file(known, PATH, tip) is None:
            self.github.shared_file(known, SHARED)
        for login in people:
            self.github.permission(known, login)
        self.github.changed_files(pull)
        return [kind for kind in self.kinds if kind not in ("access_tokens", "installation")]


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with running(tmp_path_factory.mktemp("github")) as standin:
        standin.limits(core=None, points=None, content_minute=None, content_hour=None)
        standin.repository("acme/.github", files={SHARED: "pipelines: {}\n"})
        yield standin
        assert standin.violations() == []


@pytest.fixture(params=["token", "app"])
def there(standin: Standin, request: pytest.FixtureRequest) -> Iterator[There]:
    number = next(NUMBERS)
    repository = standin.repository(
        f"acme/app-{number}", permissions={"alice": "write", "bob": "write", "preflight-bot": "write"}
    )
    files = {f"many/{number:03}": f"{number}\n" for number in range(250)}
    kinds: list[str] = []
    credentials: PersonalToken | AppKey
    if request.param == "token":
        credentials = PersonalToken(standin.user("preflight-bot").token)
    else:
        app = standin.app(f"preflight-{number}", owner="acme")
        credentials = AppKey(str(app.id), app.private_key)
    github = GitHubClient(
        standin.api_url, credentials, on_call=lambda _method, kind, _status, _seconds: kinds.append(kind)
    )
    yield There(github, repository, repository.open_pull("alice", branch="fix", files=files), kinds)
    github.close()


class TestRequestsOfADecision:
    """At most 6 and one for each 100 changed files; at most 2 with everything remembered."""

    def test_cold(self, there: There) -> None:
        there.repository.push("alice", {PATH: "pipelines: {}\n"})
        assert there.decide("alice", "bob") == [
            "pulls",
            "git",
            "contents",
            "collaborators",
            "collaborators",
            "files",
            "files",
            "files",
        ]

    def test_cold_with_a_configuration_of_the_owner(self, there: There) -> None:
        assert there.decide("alice", "bob") == [
            "pulls",
            "git",
            "contents",
            "contents",
            "collaborators",
            "collaborators",
            "files",
            "files",
            "files",
        ]

    @pytest.mark.parametrize("own", [True, False], ids=["its own configuration", "its owner's"])
    def test_warm(self, there: There, own: bool) -> None:  # noqa: FBT001 - a column
        if own:
            there.repository.push("alice", {PATH: "pipelines: {}\n"})
        there.decide("alice", "bob")
        assert there.decide("bob", "alice", "ALICE") == ["pulls", "git"]

    def test_after_a_push_the_files_are_asked_for(self, there: There) -> None:
        there.decide("alice", "bob")
        there.repository.push("alice", {"src/app.py": "3"}, branch="fix")
        assert there.decide("alice", "bob") == ["pulls", "git", "files", "files", "files"]

    def test_after_a_push_to_the_base_so_is_the_configuration(self, there: There) -> None:
        there.decide("alice", "bob")
        there.repository.push("alice", {PATH: "pipelines: {}\n"})
        assert there.decide("alice", "bob") == ["pulls", "git", "contents"]


class TestForget:
    def test_everything_is_asked_anew(self, there: There) -> None:
        there.decide("alice", "bob")
        known = Repository(there.repository.id, there.repository.full_name)
        there.github.forget(known)
        assert there.decide("alice", "bob") == [
            "pulls",
            "git",
            "contents",
            "contents",
            "collaborators",
            "collaborators",
            "files",
            "files",
            "files",
        ]

    def test_nothing_is_asked_by_itself(self, there: There) -> None:
        there.decide("alice")
        there.kinds.clear()
        there.github.forget(Repository(there.repository.id, there.repository.full_name))
        there.github.forget(OTHER)
        assert there.kinds == []

    @pytest.mark.parametrize("there", ["app"], indirect=True)
    def test_an_app_looks_for_its_installation_and_mints_a_token(self, there: There) -> None:
        known = Repository(there.repository.id, there.repository.full_name)
        there.github.tip(known, "main")
        there.github.forget(known)
        there.kinds.clear()
        there.github.tip(known, "main")
        assert there.kinds == ["installation", "access_tokens", "git"]

    def test_other_repositories_are_remembered(self) -> None:
        memory = Memory(lambda: 0.0)
        for repository in (REPOSITORY, OTHER):
            memory.permissions.keep((repository.id, "alice"), Permission.WRITE)
            memory.members.keep((repository.id, "alice", "acme"), True)  # noqa: FBT003 - what is kept
            memory.names.keep((repository.id, repository.full_name), "acme/new")
            memory.shared_files.keep((repository.owner, SHARED), b"x")
        memory.forget(REPOSITORY)
        assert memory.permissions.known((REPOSITORY.id, "alice")) is None
        assert memory.members.known((REPOSITORY.id, "alice", "acme")) is None
        assert memory.names.known((REPOSITORY.id, REPOSITORY.full_name)) is None
        assert memory.shared_files.known((REPOSITORY.owner, SHARED)) is None
        assert memory.permissions.known((OTHER.id, "alice")) is Permission.WRITE
        assert memory.members.known((OTHER.id, "alice", "acme")) is True
        assert memory.names.known((OTHER.id, OTHER.full_name)) == "acme/new"
        assert memory.shared_files.known((OTHER.owner, SHARED)) == b"x"


class TestBounds:
    def test_lists_of_files_are_kept_up_to_a_size(self) -> None:
        memory = Memory(lambda: 0.0)
        paths = tuple(f"{number:0200}" for number in range(3000))
        for number in range(100):
            memory.changes.keep((7, number, "c0ffee", "main", ""), ChangedFiles(paths))
        kept = [n for n in range(100) if memory.changes.known((7, n, "c0ffee", "main", "")) is not None]
        assert kept == list(range(100 - len(kept), 100))
        assert 0 < len(kept) * 3000 * 200 < BYTES_KEPT

    def test_what_is_larger_than_all_is_not_kept(self) -> None:
        memory = Memory(lambda: 0.0)
        memory.shared_files.keep(("acme", SHARED), b"x" * BYTES_KEPT)
        assert memory.shared_files.known(("acme", SHARED)) is None


class TestSharedFiles:
    """A `.github` repository that can't be seen is none."""

    @pytest.mark.parametrize(
        "says",
        [
            Say(404, {"message": "Not Found"}),
            Say(404, {"message": "This repository is empty."}),
            Say(403, {"message": "Resource not accessible by integration"}),
        ],
        ids=["absent", "empty", "forbidden"],
    )
    def test_is_none(self, says: Say) -> None:
        with answering(says).running() as server:
            github = GitHubClient(server.url, PersonalToken("ghp_x"))
            assert github.shared_file(REPOSITORY, SHARED) is None
        (asked,) = server.asked
        assert asked.path == "/repos/acme/.github/contents/preflight.yaml"

    def test_one_that_has_another_name_now_is_none(self, standin: Standin) -> None:
        owner = f"moving-{next(NUMBERS)}"
        repository = standin.repository(f"{owner}/app", permissions={"preflight-bot": "write"})
        shared = standin.repository(f"{owner}/.github", files={SHARED: "1"})
        shared.rename("dot-github")
        github = GitHubClient(standin.api_url, PersonalToken(standin.user("preflight-bot").token))
        assert github.shared_file(Repository(repository.id, repository.full_name), SHARED) is None


class TestSharedCache:
    def test_an_error_is_the_askers_own(self) -> None:
        cache: SharedCache[str, int] = SharedCache({})

        def fail() -> int:
            raise GitHubNotFound("no")

        with pytest.raises(GitHubNotFound):
            cache.get("key", fail)
        assert cache.known("key") is None
        assert cache.get("key", lambda: 1) == 1

    def test_what_is_known_is_not_fetched(self) -> None:
        cache: SharedCache[str, int] = SharedCache({"key": 1})
        assert cache.get("key", lambda: 2) == 1
        cache.keep("key", 3)
        assert cache.known("key") == 3
        cache.clear()
        assert cache.get("key", lambda: 4) == 4

    def test_some_keys_are_forgotten(self) -> None:
        cache = SharedCache({"a": 1, "b": 2})
        cache.forget(lambda key: key == "a")
        assert (cache.known("a"), cache.known("b")) == (None, 2)

    def test_an_answer_that_was_on_its_way_is_not_kept(self) -> None:
        cache: SharedCache[str, int] = SharedCache({})
        asked, go_on = threading.Event(), threading.Event()

        def slow() -> int:
            asked.set()
            assert go_on.wait(30)
            return 1

        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(cache.get, "key", slow)
            assert asked.wait(30)
            cache.forget(lambda _: True)
            go_on.set()
            assert first.result() == 1
        assert cache.get("key", lambda: 2) == 2

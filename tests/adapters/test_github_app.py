"""The GitHub adapter as a GitHub App: one token for each installation, whoever asks, renewed in time."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.adapters.github import AppKey, GitHubClient, Identity
from bot.errors import GitHubRefused, GitHubUnavailable
from bot.models import Repository, Status, StatusState
from tests.adapters.github_answering import Answering, Asked, Say
from tests.github_standin import Pull, Standin, running
from tests.github_standin import Repository as StandinRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.github_standin.records import App

PENDING = Status("preflight/unit", StatusState.PENDING, "queued")
NUMBERS = itertools.count(1)
MINT = r"/access_tokens$"
LOOKUP = r"/installation$"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class There(NamedTuple):
    """A repository of acme, on which the App is installed, and a fresh adapter to see it through."""

    standin: Standin
    app: App
    repository: StandinRepository
    pull: Pull
    github: GitHubClient
    clock: Clock

    @property
    def known(self) -> Repository:
        """The repository as the bot knows it."""
        return Repository(self.repository.id, self.repository.full_name)

    def count(self, mark: int, path: str = "") -> int:
        """How many requests there were since a mark."""
        return len(self.standin.requests(mark, path=path))


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with running(tmp_path_factory.mktemp("github")) as standin:
        yield standin
        assert standin.violations() == []


@pytest.fixture(scope="module")
def app(standin: Standin) -> App:
    return standin.app("preflight", owner="acme")


@pytest.fixture
def there(standin: Standin, app: App) -> Iterator[There]:
    standin.limits(core=None, points=None, content_minute=None, content_hour=None, token_seconds=3600)
    repository = standin.repository(f"acme/app-{next(NUMBERS)}", permissions={"alice": "write"}, private=True)
    pull = repository.open_pull("alice", branch="fix", files={"src/app.py": "print(2)\n"})
    clock = Clock()
    github = GitHubClient(standin.api_url, AppKey(str(app.id), app.private_key), clock=clock)
    yield There(standin, app, repository, pull, github, clock)
    github.close()
    standin.clear_faults()


class TestIdentity:
    def test_the_app_is_its_bot(self, there: There) -> None:
        assert there.github.identity() == Identity("preflight[bot]")

    def test_the_owner_is_the_account_that_registered_it(self, there: There) -> None:
        assert there.github.owner() == "acme"

    def test_both_are_asked_for_once(self, there: There) -> None:
        mark = there.standin.mark()
        with ThreadPoolExecutor(8) as threads:
            for each in [threads.submit(there.github.identity) for _ in range(8)]:
                each.result()
        there.github.owner()
        assert there.count(mark) == 1

    def test_our_comments_are_known_by_the_login(self, there: There) -> None:
        made = there.github.create_comment(there.known, 1, "ours")
        assert there.pull.comments()[0].author == there.app.bot_login
        assert there.github.find_comment(there.known, 1, "ours") == made


class TestToken:
    def test_eight_threads_share_one_token(self, there: There) -> None:
        mark = there.standin.mark()
        with ThreadPoolExecutor(8) as threads:
            tips = [threads.submit(there.github.tip, there.known, "main") for _ in range(8)]
            assert {each.result() for each in tips} == {there.repository.tip()}
        assert (there.count(mark, LOOKUP), there.count(mark, MINT)) == (1, 1)

    def test_repositories_of_one_installation_share_one_token(self, there: There) -> None:
        other = there.standin.repository(f"acme/app-{next(NUMBERS)}", private=True)
        mark = there.standin.mark()
        there.github.tip(there.known, "main")
        there.github.tip(Repository(other.id, other.full_name), "main")
        assert (there.count(mark, LOOKUP), there.count(mark, MINT)) == (2, 1)

    def test_installations_have_tokens_of_their_own(self, there: There) -> None:
        owner = f"other-{next(NUMBERS)}"
        other = there.standin.repository(f"{owner}/app", private=True)
        there.standin.install(there.app, owner)
        mark = there.standin.mark()
        there.github.tip(there.known, "main")
        assert there.github.tip(Repository(other.id, other.full_name), "main") == other.tip()
        assert there.count(mark, MINT) == 2

    def test_it_is_used_until_five_minutes_before_its_end(self, there: There) -> None:
        mark = there.standin.mark()
        there.github.tip(there.known, "main")
        there.clock.now += 3290
        there.github.tip(there.known, "main")
        assert there.count(mark, MINT) == 1
        there.clock.now += 20
        there.github.tip(there.known, "main")
        assert there.count(mark, MINT) == 2

    def test_a_short_lived_one_is_used_for_half_of_its_life(self, there: There) -> None:
        there.standin.limits(token_seconds=60)
        mark = there.standin.mark()
        there.github.tip(there.known, "main")
        there.clock.now += 25
        there.github.tip(there.known, "main")
        assert there.count(mark, MINT) == 1
        there.clock.now += 10
        there.github.tip(there.known, "main")
        assert there.count(mark, MINT) == 2

    def test_a_refused_one_is_renewed_and_the_request_repeated(self, there: There) -> None:
        there.github.tip(there.known, "main")
        there.standin.revoke_tokens()
        mark = there.standin.mark()
        there.github.create_comment(there.known, 1, "hello")
        assert [comment.body for comment in there.pull.comments()] == ["hello"]
        assert (there.count(mark), there.count(mark, MINT)) == (3, 1)

    def test_eight_threads_renew_a_refused_one_once(self, there: There) -> None:
        there.github.tip(there.known, "main")
        there.standin.revoke_tokens()
        mark = there.standin.mark()
        with ThreadPoolExecutor(8) as threads:
            for each in [threads.submit(there.github.tip, there.known, "main") for _ in range(8)]:
                each.result()
        assert there.count(mark, MINT) == 1

    def test_a_renewed_one_that_is_refused_too_is_given_up(self, there: There) -> None:
        there.standin.fault("/git/ref/", status=401, message="Bad credentials", times=None)
        mark = there.standin.mark()
        with pytest.raises(GitHubRefused, match="PREFLIGHT_GITHUB_APP_ID"):
            there.github.tip(there.known, "main")
        assert (there.count(mark, "/git/ref/"), there.count(mark, MINT)) == (2, 2)

    def test_minting_is_not_repeated_by_itself(self, there: There) -> None:
        there.standin.fault(MINT, status=502)
        mark = there.standin.mark()
        with pytest.raises(GitHubUnavailable):
            there.github.tip(there.known, "main")
        assert there.count(mark, MINT) == 1
        assert there.github.tip(there.known, "main") == there.repository.tip()


class TestInstallation:
    def test_the_app_must_be_installed(self, there: There) -> None:
        elsewhere = there.standin.repository(f"nowhere-{next(NUMBERS)}/app")
        with pytest.raises(GitHubRefused, match="not installed on nowhere-"):
            there.github.tip(Repository(elsewhere.id, elsewhere.full_name), "main")

    def test_installed_a_moment_later_it_works(self, there: There) -> None:
        owner = f"late-{next(NUMBERS)}"
        late = there.standin.repository(f"{owner}/app", private=True)
        known = Repository(late.id, late.full_name)
        with pytest.raises(GitHubRefused):
            there.github.tip(known, "main")
        there.standin.install(there.app, owner)
        assert there.github.tip(known, "main") == late.tip()

    def test_one_that_is_gone_is_looked_up_again(self, there: There) -> None:
        there.standin.fault(MINT, status=404)
        mark = there.standin.mark()
        with pytest.raises(GitHubUnavailable, match="installed anew"):
            there.github.tip(there.known, "main")
        assert there.github.tip(there.known, "main") == there.repository.tip()
        assert there.count(mark, LOOKUP) == 2

    def test_it_is_looked_up_again_after_an_hour(self, there: There) -> None:
        mark = there.standin.mark()
        there.github.tip(there.known, "main")
        there.clock.now += 3599
        there.github.tip(there.known, "main")
        assert there.count(mark, LOOKUP) == 1
        there.clock.now += 2
        there.github.tip(there.known, "main")
        assert there.count(mark, LOOKUP) == 2

    def test_a_renamed_repository_is_found(self, there: There) -> None:
        known = there.known
        there.repository.rename("renamed-" + known.name)
        there.github.create_comment(known, 1, "hello")
        assert [comment.body for comment in there.pull.comments()] == ["hello"]

    def test_a_missing_permission_is_refused(self, there: There) -> None:
        weak = there.standin.app(
            f"weak-{next(NUMBERS)}", owner="acme", permissions={"metadata": "read", "statuses": "read"}
        )
        github = GitHubClient(there.standin.api_url, AppKey(str(weak.id), weak.private_key))
        with pytest.raises(GitHubRefused, match="Resource not accessible by integration"):
            github.set_status(there.known, there.pull.head_sha, PENDING)


class TestJwt:
    def test_it_forgives_a_minute_of_skew_and_lives_for_less_than_ten(self, app: App) -> None:
        server = Answering(lambda _: Say(body={"id": 1, "slug": "preflight", "owner": {"login": "acme"}}))
        with server.running():
            GitHubClient(server.url, AppKey(str(app.id), app.private_key)).identity()
        scheme, _, token = server.asked[0].headers["Authorization"].partition(" ")
        key = load_pem_private_key(app.private_key.encode(), None).public_key()
        claims = jwt.decode(token, key, algorithms=["RS256"])  # type: ignore[arg-type]  # an RSA key
        assert scheme == "Bearer"
        assert claims["iss"] == str(app.id)
        assert claims["iat"] <= time.time() - 59
        assert time.time() < claims["exp"] < claims["iat"] + 600

    def test_a_wrong_key_is_told_as_such(self, there: There) -> None:
        stranger = there.standin.app(f"stranger-{next(NUMBERS)}", owner="acme")
        github = GitHubClient(there.standin.api_url, AppKey(str(there.app.id), stranger.private_key))
        with pytest.raises(GitHubRefused, match="PREFLIGHT_GITHUB_APP_ID with its private key"):
            github.identity()

    def test_it_is_never_carried_to_another_host(self, app: App) -> None:
        elsewhere = Answering(lambda _: Say(body={"id": 1}))
        with elsewhere.running():
            away = {"Location": f"{elsewhere.url}/repositories/7/installation"}
            server = Answering(lambda _: Say(301, headers=away))
            with server.running(), pytest.raises(GitHubRefused, match="redirects"):
                GitHubClient(server.url, AppKey(str(app.id), app.private_key)).tip(
                    Repository(7, "acme/app"), "main"
                )
        assert elsewhere.asked == []


def test_the_end_of_a_token_is_counted_by_githubs_clock(app: App) -> None:
    """Our clock may be hours off: what counts is how long after its answer GitHub says the token ends."""

    def answer(asked: Asked) -> Say:
        if asked.path.endswith("/installation"):
            return Say(body={"id": 5})
        if asked.method == "POST":
            minted = {"token": f"ghs_{len(server.asked)}", "expires_at": "2001-01-01T01:00:00Z"}
            return Say(201, minted, {"Date": "Mon, 01 Jan 2001 00:00:00 GMT"})
        return Say(body={"ref": "r", "url": "u", "object": {"sha": "c0ffee", "type": "commit", "url": "u"}})

    server = Answering(answer)
    with server.running():
        github = GitHubClient(server.url, AppKey(str(app.id), app.private_key))
        github.tip(Repository(7, "acme/app"), "main")
        github.tip(Repository(7, "acme/app"), "main")
    assert [asked.method for asked in server.asked].count("POST") == 1

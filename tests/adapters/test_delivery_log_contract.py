"""What every delivery log does: the fake, that of an App and those of repositories on the stand-in GitHub."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from bot.adapters.github import AppKey, GitHubClient, GitHubDeliveryLog, PersonalToken, delivery_log
from bot.adapters.github.delivery_log import _sensible
from bot.errors import DeliveryLogUnreadable, GitHubNotFound, GitHubRateLimited, GitHubUnavailable
from bot.models import DeliveryLogRef, Repository
from tests.adapters.receiving import Receiver, receiving
from tests.examples import NOON
from tests.fakes.recovery import FakeDeliveryLog
from tests.github_standin import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.ports import DeliveryLog
    from tests.github_standin import Repository as StandinRepository
    from tests.github_standin import Standin

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
NUMBERS = itertools.count(1)


class Stage(Protocol):
    """A log, and hands behind its back."""

    @property
    def log(self) -> DeliveryLog:
        """The log's adapter."""
        ...

    @property
    def ref(self) -> DeliveryLogRef:
        """The log."""
        ...

    def deliver(self, times: int = 1, *, fails: bool = False) -> list[str]:
        """Something happens so often; the guids of what GitHub tries to deliver."""
        ...

    def answer(self, status: int) -> None:
        """Answer so from now on."""
        ...

    def age(self, time: timedelta) -> None:
        """As if all of it had happened earlier."""
        ...

    def settle(self) -> None:
        """Wait until all was delivered."""
        ...

    def fail(self, error: type[Exception]) -> None:
        """Let the next request fail so."""
        ...


class FakeStage:
    """The fake."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.log = FakeDeliveryLog(lambda: self.now)
        self.ref = DeliveryLogRef()
        self.status = 202
        self.log.answer = lambda _guid: self.status

    def deliver(self, times: int = 1, *, fails: bool = False) -> list[str]:
        before, self.status = self.status, 502 if fails else self.status
        guids = [f"guid-{next(NUMBERS)}" for _ in range(times)]
        for guid in guids:
            self.now += timedelta(milliseconds=1)
            self.log.deliver(guid)
        self.status = before
        return guids

    def answer(self, status: int) -> None:
        self.status = status

    def age(self, time: timedelta) -> None:
        self.log.age(time)

    def settle(self) -> None:
        """All is, always."""

    def fail(self, error: type[Exception]) -> None:
        self.log.faults.append(error("as asked", 7.0))  # type: ignore[arg-type]  # all are of ours


class StandinStage:
    """The real adapter on the stand-in."""

    def __init__(
        self,
        log: DeliveryLog,
        ref: DeliveryLogRef,
        standin: Standin,
        there: StandinRepository,
        receiver: Receiver,
    ) -> None:
        self.log, self.ref = log, ref
        self._standin, self._there, self._receiver = standin, there, receiver

    def deliver(self, times: int = 1, *, fails: bool = False) -> list[str]:
        before = {each.id for each in self._standin.deliveries()}
        if fails:
            self._standin.delivery_fault("drop", times=times)
        for _ in range(times):
            self._there.deliver("issue_comment", "created", by="acme-admin")
        made = [each for each in self._standin.settle() if each.id not in before]
        assert len(made) == times
        return [each.guid for each in made]

    def answer(self, status: int) -> None:
        self._receiver.status = status

    def age(self, time: timedelta) -> None:
        self._standin.age_deliveries(time / timedelta(seconds=1))

    def settle(self) -> None:
        self._standin.settle()

    def fail(self, error: type[Exception]) -> None:
        if error is GitHubRateLimited:
            self._standin.fault("/deliveries", status=403, headers={"Retry-After": "7"}, message="rate limit")
        else:
            self._standin.fault("/deliveries", status=503, times=2)


@pytest.fixture
def standin(tmp_path: object) -> Iterator[Standin]:
    with running(tmp_path) as standin:  # type: ignore[arg-type]  # a Path
        standin.limits(core=None, points=None, content_minute=None, content_hour=None)
        yield standin
        assert standin.violations() == []


@pytest.fixture(params=["fake", "app", "token"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    if request.param == "fake":
        yield FakeStage()
        return
    standin: Standin = request.getfixturevalue("standin")
    with receiving() as receiver:
        if request.param == "app":
            app = standin.app(webhook_url=receiver.url, events=["*"])
        there = standin.repository("acme/app", permissions={"acme-admin": "admin", "preflight-bot": "admin"})
        if request.param == "app":
            client = GitHubClient(standin.api_url, AppKey(str(app.id), app.private_key))
            ref = DeliveryLogRef()
        else:
            client = GitHubClient(standin.api_url, PersonalToken(standin.user("preflight-bot").token))
            there.hook("http://127.0.0.1:9/elsewhere", "", ["ping"])
            there.hook(receiver.url, "", ["*"])
            ref = DeliveryLogRef(Repository(there.id, there.full_name))
        standin.settle()
        standin.age_deliveries(10 * 24 * 3600)  # the greetings of the webhooks
        yield StandinStage(GitHubDeliveryLog(client, receiver.url), ref, standin, there, receiver)
        client.close()


def ago(time: timedelta) -> datetime:
    return datetime.now(UTC) - time


def shown(stage: Stage, since: timedelta = DAY, *, failed: bool = True) -> list[tuple[str, bool, bool]]:
    """Guid, whether we took it, whether it is a redelivery."""
    part = stage.log.read(stage.ref, ago(since), failed=failed)
    return [(each.guid, each.ok, each.redelivery) for each in part.attempts]


def test_an_empty_log(stage: Stage) -> None:
    assert shown(stage) == []


def test_tells_what_was_delivered_the_newest_first(stage: Stage) -> None:
    (taken,) = stage.deliver()
    (lost,) = stage.deliver(fails=True)
    stage.answer(503)
    (refused,) = stage.deliver()

    assert shown(stage) == [(refused, False, False), (lost, False, False), (taken, True, False)]
    codes = [each.status_code for each in stage.log.read(stage.ref, ago(DAY)).attempts]
    assert codes == [503, 502, 202]
    assert {each.event for each in stage.log.read(stage.ref, ago(DAY)).attempts} <= {"issue_comment", "push"}


def test_many_pages_tell_all_that_failed(stage: Stage) -> None:
    lost = stage.deliver(130, fails=True)
    taken = stage.deliver(120)

    found = shown(stage)

    assert {guid for guid, ok, _ in found if not ok} == set(lost)
    newest = [guid for guid, _, _ in found[:100]]
    assert newest == taken[::-1][:100], "the latest are all told, so that it shows whether we can be reached"
    assert [guid for guid, _, _ in shown(stage, failed=False)] == [*taken[::-1], *lost[::-1]]


def test_what_was_sent_elsewhere_is_told_however_much_came_after_it(stage: Stage) -> None:
    stage.answer(302)
    elsewhere = stage.deliver(2)
    stage.answer(202)
    stage.age(timedelta(hours=1))
    stage.deliver(110)

    for _ in range(2):  # the second time it is remembered
        assert [guid for guid, ok, _ in shown(stage) if not ok] == elsewhere[::-1]


def test_reaches_back_to_a_moment(stage: Stage) -> None:
    stage.deliver(110, fails=True)
    stage.age(timedelta(hours=5))
    lost = stage.deliver(3, fails=True)

    assert [guid for guid, _, _ in shown(stage, timedelta(hours=1))] == lost[::-1]
    assert len(shown(stage, timedelta(hours=6))) == 113


def test_redelivers_under_the_same_guid(stage: Stage) -> None:
    (lost,) = stage.deliver(fails=True)
    (attempt,) = stage.log.read(stage.ref, ago(DAY)).attempts

    stage.log.redeliver(stage.ref, attempt)
    stage.settle()

    assert shown(stage) == [(lost, True, True), (lost, False, False)]


def test_what_github_keeps_no_longer_is_not_redelivered(stage: Stage) -> None:
    stage.deliver(fails=True)
    (attempt,) = stage.log.read(stage.ref, ago(DAY)).attempts
    stage.age(3 * DAY)

    assert shown(stage, 30 * DAY) == []
    with pytest.raises(GitHubNotFound):
        stage.log.redeliver(stage.ref, attempt)


@pytest.mark.parametrize("error", [GitHubUnavailable, GitHubRateLimited])
def test_what_may_pass_is_said_so(stage: Stage, error: type[Exception]) -> None:
    stage.deliver(fails=True)
    stage.fail(error)
    with pytest.raises(error):
        shown(stage)


class TestOfRepositories:
    """What only webhooks of repositories know."""

    @pytest.fixture
    def there(self, standin: Standin) -> StandinRepository:
        return standin.repository("acme/app", permissions={"preflight-bot": "admin"})

    @pytest.fixture
    def log(self, standin: Standin) -> GitHubDeliveryLog:
        client = GitHubClient(standin.api_url, PersonalToken(standin.user("preflight-bot").token))
        return GitHubDeliveryLog(client, "http://127.0.0.1:9/webhook")

    def read(self, log: GitHubDeliveryLog, there: StandinRepository) -> int:
        ref = DeliveryLogRef(Repository(there.id, there.full_name))
        return len(log.read(ref, ago(DAY)).attempts)

    def test_without_a_webhook_to_us_there_is_none(
        self, log: GitHubDeliveryLog, there: StandinRepository
    ) -> None:
        there.hook("http://127.0.0.1:9/elsewhere", "")
        with pytest.raises(DeliveryLogUnreadable, match="no active webhook to http"):
            self.read(log, there)

    def test_without_permission_there_is_none(
        self, standin: Standin, log: GitHubDeliveryLog, there: StandinRepository
    ) -> None:
        there.hook("http://127.0.0.1:9/webhook", "")
        there.permit("preflight-bot", "write")
        mark = standin.mark()
        for _ in range(3):
            with pytest.raises(DeliveryLogUnreadable, match="admin:repo_hook"):
                self.read(log, there)
        assert len(standin.requests(mark)) == 1, "that is believed for an hour"

    @pytest.mark.parametrize("path", ["/hooks$", "/deliveries$", "/attempts$"])
    def test_a_permission_may_be_missing_anywhere(
        self, standin: Standin, log: GitHubDeliveryLog, there: StandinRepository, path: str
    ) -> None:
        there.hook("http://127.0.0.1:9/webhook", "", ["*"])
        standin.settle()
        standin.fault(path, status=403, message="Resource not accessible by personal access token")
        ref = DeliveryLogRef(Repository(there.id, there.full_name))
        with pytest.raises(DeliveryLogUnreadable, match="Webhooks, read and write"):
            log.redeliver(ref, log.read(ref, ago(DAY)).attempts[0])

    def test_a_webhook_made_anew_is_found(
        self, standin: Standin, log: GitHubDeliveryLog, there: StandinRepository
    ) -> None:
        first = there.hook("http://127.0.0.1:9/webhook", "", ["*"])
        standin.settle()
        assert self.read(log, there) == 1
        standin.set_webhook(first, "http://127.0.0.1:9/elsewhere")
        standin.fault(f"/hooks/{first}/deliveries", status=404, message="Not Found")
        there.hook("http://127.0.0.1:9/webhook", "", ["*"])
        standin.settle()
        assert self.read(log, there) == 1

    def test_says_since_when_there_is_one(self, log: GitHubDeliveryLog, there: StandinRepository) -> None:
        before = datetime.now(UTC) - timedelta(seconds=2)
        there.hook("http://127.0.0.1:9/webhook", "", ["*"])
        begins = log.read(DeliveryLogRef(Repository(there.id, there.full_name)), ago(DAY)).begins
        assert begins is not None
        assert before < begins <= datetime.now(UTC)

    def test_a_renamed_repository_is_followed(
        self, standin: Standin, log: GitHubDeliveryLog, there: StandinRepository
    ) -> None:
        there.hook("http://127.0.0.1:9/webhook", "", ["*"])
        ref = DeliveryLogRef(Repository(there.id, there.full_name))
        there.rename("other")
        standin.settle()
        attempts = log.read(ref, ago(DAY)).attempts
        log.redeliver(ref, attempts[0])
        standin.settle()
        assert len(log.read(ref, ago(DAY)).attempts) == len(attempts) + 1

    def test_an_app_s_log_is_not_a_token_s(self, log: GitHubDeliveryLog) -> None:
        with pytest.raises(DeliveryLogUnreadable, match="without a GitHub App"):
            log.read(DeliveryLogRef(), ago(DAY))


def test_an_app_without_a_webhook_has_no_log(standin: Standin) -> None:
    app = standin.app(webhook_url=None)
    client = GitHubClient(standin.api_url, AppKey(str(app.id), app.private_key))
    standin.fault("/app/hook/deliveries", status=404, message="Not Found")
    with pytest.raises(DeliveryLogUnreadable, match="no webhook"):
        GitHubDeliveryLog(client, "http://127.0.0.1:9/webhook").read(DeliveryLogRef(), ago(DAY))
    client.close()


ENTRY = {
    "id": 1,
    "guid": "a",
    "delivered_at": "2026-03-04T12:00:00Z",
    "status_code": 202,
    "event": "push",
    "redelivery": False,
}


class Pages:
    """A log without a GitHub: `told` are the moments and answers of its entries, newest first."""

    def __init__(self, told: Sequence[tuple[datetime, int]]) -> None:
        self.entries = [
            {**ENTRY, "id": len(told) - place, "delivered_at": at.isoformat(), "status_code": code}
            for place, (at, code) in enumerate(told)
        ]
        self.asked = 0
        self.log = GitHubDeliveryLog(None, "http://127.0.0.1:9/webhook")  # type: ignore[arg-type]  # not asked

    def requestJsonAndCheck(  # noqa: N802 - as it is called
        self, _method: str, _path: str, parameters: Mapping[str, str]
    ) -> tuple[Mapping[str, str], Sequence[object]]:
        """A page."""
        self.asked += 1
        before = int(parameters.get("cursor", len(self.entries) + 1))
        codes = range(400, 600) if parameters.get("status") == "failure" else range(600)
        found = [one for one in self.entries if one["id"] < before and one["status_code"] in codes]  # type: ignore[operator]
        page = found[:100]
        more = f'<https://x/?cursor={page[-1]["id"]}>; rel="next"' if len(found) > len(page) else ""
        return {"link": more}, page

    def failed(self, since: datetime = NOON - DAY) -> list[int]:
        """The answers to what failed since then."""
        attempts = self.log._attempts(self, "/log", since, failed=True)  # type: ignore[arg-type]  # noqa: SLF001
        return [each.status_code for each in attempts if not each.ok]


def every(step: timedelta, times: int, code: int = 202) -> list[tuple[datetime, int]]:
    return [(NOON - step * place, code) for place in range(times)]


class TestThousands:
    def test_are_read_once(self) -> None:
        pages = Pages([*every(timedelta(minutes=1), 1000), (NOON - 20 * HOUR, 302), (NOON - 20 * HOUR, 502)])
        assert pages.failed() == [302, 502]
        assert pages.asked == 11

        assert sorted(pages.failed()) == [302, 502]
        assert pages.asked == 14, "the newest two pages, and failures"

        pages.failed(NOON - 2 * DAY)
        assert pages.asked == 25, "what is older was not seen yet"

    def test_hide_nothing_that_was_sent_late(self) -> None:
        newest = [*every(SECOND, 99), (NOON - 2 * DAY, 202)]
        assert Pages([*newest, (NOON - HOUR, 502)]).failed() == [502]

    def test_are_too_many_to_look_for_redirects(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(delivery_log, "MOST_PAGES", 2)
        assert Pages([*every(SECOND, 300), (NOON - HOUR, 302), (NOON - HOUR, 502)]).failed() == [502]
        assert "no redirects" in caplog.text
        with pytest.raises(DeliveryLogUnreadable, match="more than 200 deliveries"):
            Pages(every(SECOND, 300, 502)).failed()


def test_an_entry_that_makes_no_sense_hides_no_other() -> None:
    senseless = [{**ENTRY, "id": None}, {"id": 3}, "words", {**ENTRY, "delivered_at": "never"}]
    still_delivered = {**ENTRY, "id": 2, "status_code": None}
    found = list(_sensible([*senseless, ENTRY, still_delivered], 7))
    assert [(each.id, each.status_code, each.hook) for each in found] == [(1, 202, 7), (2, 0, 7)]

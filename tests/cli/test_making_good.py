"""`replay`, `redeliver` and `sync`: what is typed, what is printed, and the exit code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot import bootstrap
from bot.cli import main
from bot.cli.redeliver import moment
from bot.intake.recovery.by_hand import Fate, Wanted
from bot.intake.recovery.in_step import Row
from bot.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

QUEUED = Wanted("a", "push", "parked: no reason", Fate.QUEUED)
ASKED = Wanted("b", "issue_comment", "answered with 502 3 min ago", Fate.ASKED)
UNKNOWN = Wanted("c", "", "", Fate.UNKNOWN)
UNREADABLE = Wanted("acme/app", "", "", Fate.UNREADABLE, "no permission")


class Hand:
    """What the commands work with; it says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.answers: Sequence[Any] = ()

    def parked(self) -> Sequence[str]:
        return [one.id for one in self.answers]

    def replay(self, ids: Iterable[str], *, dryrun: bool) -> Iterator[Wanted]:
        self.asked.append(("replay", tuple(ids), dryrun))
        yield from self.answers

    def redeliver(self, since: datetime, *, dryrun: bool) -> Iterator[Wanted]:
        self.asked.append(("redeliver", since, dryrun))
        yield from self.answers

    def sync(self, full_name: str, *, run: bool, dryrun: bool) -> Sequence[Row]:
        self.asked.append(("sync", full_name, run, dryrun))
        return self.answers


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    hand = Hand()
    for name in ("make_by_hand", "make_in_step"):
        monkeypatch.setattr(bootstrap, name, lambda _: hand)
    monkeypatch.setattr(Settings, "from_env", lambda _: None)
    return hand


class TestReplay:
    def test_says_what_becomes_of_each(self, hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
        hand.answers = (QUEUED, ASKED)
        assert main(["replay", "a", "b"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "a (push, parked: no reason): queued again",
            "b (issue_comment, answered with 502 3 min ago): GitHub delivers it again",
            "deciding again looks at what is now: nothing runs twice, no comment is obeyed twice",
        ]
        assert hand.asked == [("replay", ("a", "b"), False)]

    def test_one_that_does_not_come_again_is_a_failure(
        self, hand: Hand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        hand.answers = (QUEUED, UNKNOWN)
        assert main(["replay", "a", "c"]) == 1
        assert "c: neither in the inbox nor in GitHub's log of the last 3 days" in capsys.readouterr().out

    def test_all_that_are_parked(self, hand: Hand) -> None:
        hand.answers = (QUEUED,)
        assert main(["replay", "--parked", "--dryrun"]) == 0
        assert hand.asked == [("replay", ("a",), True)]

    def test_nothing_is_parked(self, hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["replay", "--parked"]) == 0
        assert capsys.readouterr().out == "nothing is parked\n"
        assert hand.asked == [("replay", (), False)]

    @pytest.mark.parametrize("arguments", [[], ["a", "--parked"]])
    def test_a_wrong_call(self, hand: Hand, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["replay", *arguments]) == 2
        assert "name deliveries, or say --parked" in capsys.readouterr().err
        assert hand.asked == []


class TestRedeliver:
    def test_says_what_comes_again(self, hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
        hand.answers = (ASKED,)
        assert main(["redeliver", "--since", "2026-11-20T10:00Z"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "b (issue_comment, answered with 502 3 min ago): GitHub delivers it again",
            "1 asked for",
        ]
        assert hand.asked == [("redeliver", datetime(2026, 11, 20, 10, tzinfo=UTC), False)]

    def test_a_dry_run_says_so(self, hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
        hand.answers = (ASKED,)
        assert main(["redeliver", "--since", "2h", "--dryrun"]) == 0
        assert "a dry run, nothing was asked for" in capsys.readouterr().out

    def test_nothing_was_missed(self, hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["redeliver", "--since", "2h"]) == 0
        assert capsys.readouterr().out == "nothing was missed\n"
        assert len(hand.asked) == 1

    def test_a_log_that_can_not_be_read_is_a_failure(
        self, hand: Hand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        hand.answers = (UNREADABLE,)
        assert main(["redeliver", "--since", "2h"]) == 1
        assert "acme/app: its delivery log can't be read; no permission" in capsys.readouterr().out

    def test_what_is_no_moment_is_a_wrong_call(self, hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
        for text in ("yesterday", "999999d"):
            with pytest.raises(SystemExit, match="2"):
                main(["redeliver", "--since", text])
            assert f"'{text}' is neither like 2h nor like" in capsys.readouterr().err
        assert hand.asked == []

    @pytest.mark.parametrize(
        ("text", "ago"),
        [("90m", timedelta(minutes=90)), ("2h", timedelta(hours=2)), ("3d", timedelta(days=3))],
    )
    def test_how_long_ago(self, text: str, ago: timedelta) -> None:
        assert moment(text) <= datetime.now(UTC) - ago < moment(text) + timedelta(minutes=1)

    @pytest.mark.parametrize(
        "text", ["2026-11-20T10:00", "2026-11-20T10:00Z", "2026-11-20T11:00+01:00", "2026-11-20 10:00"]
    )
    def test_a_moment(self, text: str) -> None:
        assert moment(text) == datetime(2026, 11, 20, 10, tzinfo=UTC)

    @pytest.mark.parametrize("text", ["", "yesterday", "2w", "h", "-2h", "2026-13-01", "9" * 30 + "d"])
    def test_what_is_no_moment(self, text: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as left:
            main(["redeliver", "--since", text])
        assert left.value.code == 2
        assert "usage: python -m bot redeliver" in capsys.readouterr().err


class TestSync:
    def test_shows_what_differs_as_a_table(self, hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
        hand.answers = (Row(7, "its comment is gone", "posted again"), Row(12, "closed", "stopped"))
        assert main(["sync", "acme/app"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "#7      its comment is gone  posted again",
            "#12     closed               stopped",
            "the worker does it now",
        ]
        assert hand.asked == [("sync", "acme/app", False, False)]

    def test_one_that_is_in_step(self, hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["sync", "acme/app", "--run", "--dryrun"]) == 0
        assert capsys.readouterr().out == "acme/app is in step with GitHub\n"
        assert hand.asked == [("sync", "acme/app", True, True)]

    @pytest.mark.parametrize("name", ["acme", "acme/", "/app", "acme/app/x", "acme app", "a/b\n"])
    def test_what_is_no_repository(self, hand: Hand, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as left:
            main(["sync", name])
        assert left.value.code == 2
        assert "is not OWNER/REPO" in capsys.readouterr().err
        assert hand.asked == []

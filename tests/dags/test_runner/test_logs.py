"""Logs read piece by piece: no line lost, none shown twice."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.errors import TryAgain
from steps.test_runner import logs
from steps.test_runner.logs import PodLogs, Position


@given(
    seconds=st.lists(st.integers(0, 5), max_size=40).map(sorted),
    looks=st.lists(st.integers(0, 40), max_size=8).map(sorted),
)
def test_each_line_is_new_once(seconds: list[int], looks: list[int]) -> None:
    log = [f"2026-01-01T00:00:0{second}.{n:03}+02:00 line {n}" for n, second in enumerate(seconds)]
    position = Position()
    seen: list[str] = []
    for end in [*looks, len(log)]:
        seen += position.new("".join(f"{line}\n" for line in log[:end] if line >= position.since))
    assert seen == [f"line {n}" for n in range(len(log))]


@pytest.mark.parametrize(
    ("stamp", "since"),
    [
        ("2026-01-01T00:00:01.5Z", "2026-01-01T00:00:01Z"),
        ("2026-01-01T00:00:01.123456789+02:00", "2026-01-01T00:00:01+02:00"),
        ("2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z"),
    ],
)
def test_it_goes_on_from_the_second_that_was_read_last(stamp: str, since: str) -> None:
    position = Position()
    assert [*position.new(f"{stamp} a b\n{stamp} \n")] == ["a b", ""]
    assert position.since == since


def test_lines_without_a_time_are_shown_at_first_only() -> None:
    position = Position()
    assert [*position.new("one\n")] == ["one"]
    assert [*position.new("one\n")] == []


class Scripted:
    """Answers with what a container has printed by now."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, bool], str | Exception] = {}
        self.asked: list[str] = []

    def log(self, pod: str, container: str, *, since: str, previous: bool, most: int) -> str:
        self.asked.append(since)
        answer = self.answers[pod, container, previous]
        if isinstance(answer, Exception):
            raise answer
        after = [line for line in answer.splitlines(keepends=True) if line[:19] >= since[:19]]
        return "".join(after)[:most]


@pytest.fixture
def cluster() -> Scripted:
    return Scripted()


def pod(state: str = "running", life: int = 0, *, kind: str = "containerStatuses") -> dict[str, Any]:
    return {
        "metadata": {"name": "p"},
        "status": {kind: [{"name": "main", "restartCount": life, "state": {state: {}}}]},
    }


def lines(numbers: range, second: int = 1) -> str:
    return "".join(f"2026-01-01T00:00:{second:02}Z line {number}\n" for number in numbers)


class TestPods:
    def test_lines_are_shown_and_kept_as_they_come(
        self, cluster: Scripted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        read = PodLogs(cluster, tmp_path / "pods")
        for end in (1, 1, 3):
            cluster.answers["p", "main", False] = lines(range(end))
            read.read([pod()])
        assert capsys.readouterr().out == "".join(f"[p/main] line {n}\n" for n in range(3))
        assert (tmp_path / "pods" / "p.main.log").read_text() == "line 0\nline 1\nline 2\n"

    def test_what_has_ended_is_read_once_more_and_then_never(self, cluster: Scripted) -> None:
        cluster.answers["p", "main", False] = lines(range(1))
        read = PodLogs(cluster, None)
        for _ in range(3):
            read.read([pod("terminated")])
        assert len(cluster.asked) == 1

    def test_what_has_not_begun_is_not_read(self, cluster: Scripted) -> None:
        PodLogs(cluster, None).read([pod("waiting"), {"metadata": {"name": "q"}}])
        assert cluster.asked == []

    def test_init_containers_are_read(self, cluster: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
        cluster.answers["p", "main", False] = lines(range(1))
        PodLogs(cluster, None).read([pod(kind="initContainerStatuses")])
        assert capsys.readouterr().out == "[p/main] line 0\n"

    def test_the_last_words_of_an_earlier_life_are_kept(self, cluster: Scripted, tmp_path: Path) -> None:
        read = PodLogs(cluster, tmp_path)
        cluster.answers["p", "main", False] = lines(range(1))
        read.read([pod()])
        cluster.answers["p", "main", True] = lines(range(2))
        cluster.answers["p", "main", False] = lines(range(5, 6), second=9)
        read.read([pod(life=1)])
        assert (tmp_path / "p.main.log").read_text() == "line 0\nline 1\n"
        assert (tmp_path / "p.main.1.log").read_text() == "line 5\n"

    def test_a_log_that_can_not_be_read_now_is_read_later(
        self, cluster: Scripted, capsys: pytest.CaptureFixture[str]
    ) -> None:
        read = PodLogs(cluster, None)
        cluster.answers["p", "main", False] = TryAgain("kubectl logs: i/o timeout")
        read.read([pod("terminated")])
        cluster.answers["p", "main", False] = lines(range(1))
        read.read([pod("terminated")])
        shown = capsys.readouterr().out.splitlines()
        assert shown == ["the log of p/main can't be read now: kubectl logs: i/o timeout", "[p/main] line 0"]

    def test_a_long_log_is_read_in_pieces(
        self, cluster: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(logs, "_PIECE", 100)
        cluster.answers["p", "main", False] = "".join(lines(range(n, n + 1), second=n) for n in range(20))
        read = PodLogs(cluster, tmp_path)
        for _ in range(3):
            read.read([pod("terminated")])
        kept = (tmp_path / "p.main.log").read_text().splitlines()
        assert kept == [f"line {number}" for number in range(20)]

    def test_a_second_that_is_too_long_is_left(
        self,
        cluster: Scripted,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(logs, "_PIECE", 100)
        cluster.answers["p", "main", False] = lines(range(50), second=1) + lines(range(50, 51), second=2)
        PodLogs(cluster, tmp_path).read([pod("terminated")])
        kept = (tmp_path / "p.main.log").read_text().splitlines()
        assert (kept[0], kept[-1]) == ("line 0", "line 50")
        assert "prints more in a second than can be read" in capsys.readouterr().out

    def test_a_log_without_end_is_cut(
        self, cluster: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(logs, "MAX_KEPT", 100)
        cluster.answers["p", "main", False] = lines(range(100))
        PodLogs(cluster, tmp_path).read([pod()])
        kept = (tmp_path / "p.main.log").read_text()
        assert len(kept) < 250
        assert re.search("the rest of this log is left out: it is longer than 0 MB\n$", kept)

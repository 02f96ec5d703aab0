from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import ChangedFiles, Permission
from bot.simulate.given import FactsUnreadable, State, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
NAMES = st.sampled_from(
    ["permissions", "members", "changed_files", "statuses", "runs", "dags", "now", "pusher"]
)


class TestReading:
    def test_an_empty_object_leaves_everything_open(self) -> None:
        facts = read(b"{}")

        assert facts.permissions == {}
        assert facts.changed_files is None
        assert facts.dags is None, "which is not the same as no DAG"
        assert facts.bot_login == "preflight[bot]"
        assert facts.now.tzinfo is UTC

    def test_logins_are_in_lower_case(self) -> None:
        assert read(b'{"permissions": {"Alice": "write"}}').permissions == {"alice": Permission.WRITE}

    def test_null_is_as_good_as_nothing(self) -> None:
        assert read(b'{"members": null, "dags": null, "pusher": null}').dags is None

    def test_what_nobody_asks_for_is_no_problem(self) -> None:
        assert read(b'{"weather": "fine"}').permissions == {}

    @pytest.mark.parametrize(
        "time", ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00"]
    )
    def test_times_are_in_utc(self, time: str) -> None:
        assert read(json.dumps({"now": time}).encode()).now == datetime(2026, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("word", "state"),
        [("failure", State.FAILURE), ("failed", State.FAILURE), ("Canceled", State.CANCELLED)],
    )
    def test_states_have_other_names_too(self, word: str, state: State) -> None:
        assert read(json.dumps({"runs": {"unit": word}}).encode()).runs == {"unit": state}


class TestChangedFiles:
    CASES: tuple[tuple[str, object, ChangedFiles], ...] = (
        ("plain paths", ["a.py", "b.py"], ChangedFiles(("a.py", "b.py"))),
        ("GitHub's objects", [{"filename": "a.py", "status": "added"}], ChangedFiles(("a.py",))),
        (
            "a rename counts with both names",
            [{"filename": "new.py", "previous_filename": "old.py"}],
            ChangedFiles(("old.py", "new.py")),
        ),
        (
            "a list that was cut",
            {"files": ["a.py"], "complete": False},
            ChangedFiles(("a.py",), complete=False),
        ),
        ("none", [], ChangedFiles(())),
        ("a list just below the limit", ["a"] * 9, ChangedFiles(("a",))),
        ("a list at the limit", ["a"] * 10, ChangedFiles(("a",), complete=False)),
        ("a whole list at the limit", {"files": ["a"] * 10, "complete": True}, ChangedFiles(("a",))),
    )

    @pytest.mark.parametrize(("told", "files"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
    def test_are_read(self, told: object, files: ChangedFiles) -> None:
        facts = read(json.dumps({"changed_files": told}).encode())

        assert facts.changed_files is not None
        assert facts.changed_files.within(10) == files


class TestWhatCanNotBeUsed:
    CASES = (
        ("nothing", b"", "no JSON"),
        ("no UTF-8", b"\xff", "no JSON"),
        ("too deep", b"[" * 100_000, "no JSON"),
        ("a number of too many digits", b"1" * 5000, "no JSON"),
        ("a list", b"[]", "the file: Input should be"),
        ("a permission that GitHub does not know", b'{"permissions": {"al": "owner"}}', "permissions.al: "),
        ("a state that nobody knows", b'{"statuses": {"unit": "green"}}', "statuses.unit: "),
        ("a number of files", b'{"changed_files": 3}', "changed_files: "),
        ("no time", b'{"now": "noon"}', "now: "),
        ("a time before all time", b'{"now": "0001-01-01T00:00:00+14:00"}', "now: "),
        ("DAGs without params", b'{"dags": ["checks"]}', "dags: "),
    )

    @pytest.mark.parametrize(
        ("content", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
    )
    def test_is_named(self, content: bytes, said: str) -> None:
        with pytest.raises(FactsUnreadable, match=said):
            read(content)

    @given(st.dictionaries(NAMES | st.text(), JSON) | JSON)
    def test_is_all_that_is_ever_raised(self, facts: object) -> None:
        with contextlib.suppress(FactsUnreadable):
            read(json.dumps(facts).encode())

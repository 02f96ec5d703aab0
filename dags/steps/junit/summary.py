"""What the JUnit files of a step say together."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from junitparser import Error, Skipped
from junitparser import Failure as Failed
from junitparser.junitparser import Result
from junitparser.xunit2 import RerunError, RerunFailure, StackTrace

from steps.junit.messages import message_of, one_line
from steps.junit.names import Named, named
from steps.junit.places import Sources, place_of
from steps.junit.reader import Case

MAX_FAILURES = 100
MAX_NAME = 300
_MAX_FILE = 300
_MAX_NOTE = 200
_MAX_NOTES = 9
_DETAILED = 1_000
_REMEMBERED = 100_000
_MAX_SECONDS = 10_000_000
_FAILED = (Failed, Error, RerunFailure, RerunError)
_NOT_RUN = frozenset({"notrun", "disabled", "skipped"})


@dataclass(frozen=True)
class Failure:
    """One test that failed, in the words of the contract."""

    name: str
    message: str = ""
    file: str = ""
    line: int | None = None
    seconds: float | None = None


class _Key(NamedTuple):
    group: str
    """The files among which the test is the same if its name is."""
    name: str
    nth: int = 1


class Summary:
    """Counts test cases as they come; keeps of the failed ones what is told.

    A test that failed and passes when it comes again is flaky where that tells that it ran again: its tool
    says so, or never has two tests of one name in a file, or it is one of Bazel's attempts; and wherever the
    step `passed`. Otherwise it is taken for another test of the same name.
    """

    def __init__(self, sources: Sources | None = None, *, passed: bool = False) -> None:
        self._sources = sources or Sources()
        self._passed = passed
        self._read = False
        self._total = self._skipped = self._untold = 0
        self._seconds: float | None = None
        self._failed: dict[_Key, Failure] = {}
        self._same: Counter[_Key] = Counter()
        self._flaky: dict[str, None] = {}
        self._attempted: set[str] = set()
        self._notes: list[str] = []

    def note(self, text: str) -> None:
        """Remember what could not be read."""
        self._notes.append(one_line(text, _MAX_NOTE))

    def add_file(self) -> None:
        """A file is JUnit, though it may hold no case at all."""
        self._read = True

    def add(self, file: str, found: Case) -> None:
        """Count a test case of `file`."""
        seconds = _seconds(found)
        if seconds is not None:
            self._seconds = (self._seconds or 0.0) + seconds
        results = list(found.case)
        called = named(found, self._sources.repository)
        key, again = self._key(file, called)
        if wrong := next((result for result in results if isinstance(result, _FAILED)), None):
            self._fail(key, lambda: self._describe(found, called, wrong, seconds), again=again)
        elif again and key in self._failed:
            del self._failed[key]
            self._flaky[key.name] = None
        else:
            self._total += 1
            self._skipped += found.case.status in _NOT_RUN or any(isinstance(one, Skipped) for one in results)
            if found.case.is_flaky:
                self._flaky[key.name] = None

    def told(self) -> dict[str, Any] | None:
        """Return `tests` of the XCom `preflight`; None when there was no JUnit file at all."""
        if not self._read and not self._notes:
            return None
        more = len(self._notes) - _MAX_NOTES
        notes = [*self._notes[:_MAX_NOTES], f"{more} more files could not be read"]
        return {
            "total": self._total,
            "failed": len(self._failed) + self._untold,
            "skipped": self._skipped,
            "seconds": None if self._seconds is None else round(self._seconds, 3),
            "failures": self._failures(),
            "flaky": list(self._flaky)[:MAX_FAILURES],
            "notes": notes if more > 0 else self._notes,
        }

    def _key(self, file: str, called: Named) -> tuple[_Key, bool]:
        """Return what tells the test from others, and whether one that comes again ran again."""
        folder, _, last = file.rpartition("/")
        parent, _, inner = folder.rpartition("/")
        attempt = inner == "test_attempts"
        if attempt:
            self._attempted.add(parent)
            folder = parent
        attempt = attempt or (last == "test.xml" and folder in self._attempted)
        group = "" if self._passed else folder if attempt else file
        return _Key(group, bounded_name(called.name)), called.unique or attempt or self._passed

    def _fail(self, key: _Key, describe: Callable[[], Failure], *, again: bool) -> None:
        if key in self._failed:
            if again:
                return  # the first failure is the one that is told
            self._same[key] += 1
            key = key._replace(nth=self._same[key] + 1)
        self._total += 1
        if len(self._failed) >= _REMEMBERED:
            self._untold += 1
        else:
            self._failed[key] = describe() if len(self._failed) < _DETAILED else Failure(key.name)

    def _describe(self, found: Case, called: Named, wrong: Result, seconds: float | None) -> Failure:
        trace = wrong.child(StackTrace)  # type: ignore[no-untyped-call] # junitparser's
        text = self._sources.strip(wrong.text or (trace.text if trace is not None else None) or "")
        message = self._sources.strip(wrong.message or "")
        place = place_of(found, f"{message}\n{text}", called.file, self._sources)
        return Failure(
            name=bounded_name(called.name),
            message=message_of(message, text, wrong.type or ""),
            file=one_line(place.file, _MAX_FILE),
            line=place.line,
            seconds=seconds,
        )

    def _failures(self) -> list[dict[str, Any]]:
        seen: Counter[str] = Counter()
        told = []
        for failure in list(self._failed.values())[:MAX_FAILURES]:
            seen[failure.name] += 1
            count = seen[failure.name]
            unique = failure if count == 1 else replace(failure, name=f"{failure.name} ({count})")
            told.append(asdict(unique))
        return told


def bounded_name(name: str) -> str:
    """Return the name in one line; one that is too long keeps a part and stays unlike others."""
    line = one_line(name, len(name)) or "(no name)"
    if len(line) <= MAX_NAME:
        return line
    digest = hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{line[: MAX_NAME - len(digest) - 2]}… {digest}"


def _seconds(found: Case) -> float | None:
    try:
        seconds: float | None = found.case.time
    except ValueError:
        return None
    if seconds is None or not math.isfinite(seconds) or not 0 <= seconds <= _MAX_SECONDS:
        return None
    return round(seconds, 3)

"""JUnit XML test case by test case, in bounded memory, whatever is in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.etree.ElementTree import TreeBuilder
from xml.parsers import expat

from junitparser import Attr, xunit2

ROOTS = frozenset({"testsuites", "testsuite"})
_CHUNK = 256 * 1024
_MAX_DEPTH = 100
_MAX_ELEMENTS = 1_000
_MAX_TEXT = 256 * 1024
_MUTED = frozenset({"system-out", "system-err", "properties"})


class NotJUnitError(Exception):
    """The file is XML of another kind."""


class BrokenError(Exception):
    """The file can't be read, or not further; the message completes a sentence that begins with its name."""


class TestCase(xunit2.TestCase):
    """A test case with what some dialects add."""

    file = Attr()
    line = Attr()
    status = Attr()


@dataclass(frozen=True)
class Case:
    """One test case and where it stands."""

    case: TestCase
    suite: str
    """The name of the suite around it."""
    file: str
    """The file that its suite names, if it does."""
    root: str
    """The name of the outermost element."""


def cases(stream: BinaryIO) -> Iterator[Case]:
    """Yield the file's test cases in their order.

    Raises:
        NotJUnitError: the root element is neither testsuites nor testsuite.
        BrokenError: the rest can't be read. What came before counts.
    """
    reader = _Reader()
    while True:
        chunk = stream.read(_CHUNK)
        broken = reader.feed(chunk)
        yield from reader.take()
        if broken is not None:
            raise broken
        if not chunk:
            return


class _Reader:
    """Makes elements of test cases only; skips what they and others printed."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = _refuse
        self._found: list[Case] = []
        self._suites: list[dict[str, str]] = []
        self._depth = 0
        self._muted = 0  # the depth below which nothing counts
        self._case = 0  # the depth of the test case that is being built
        self._builder = TreeBuilder()
        self._elements = 0
        self._room = 0

    def feed(self, chunk: bytes) -> BrokenError | None:
        """Parse a piece of the file, or its end if it is empty; returns what makes it end here."""
        try:
            self._parser.Parse(chunk, not chunk)
        except BrokenError as error:
            return error
        except expat.ExpatError as error:
            return BrokenError(f"is not well-formed: {error}")
        except (LookupError, ValueError) as error:
            return BrokenError(f"has an encoding that can't be read: {error}")
        return None

    def take(self) -> list[Case]:
        """Return the test cases that were completed since the last call."""
        found, self._found = self._found, []
        return found

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if not self._depth and tag not in ROOTS:
            raise NotJUnitError
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise BrokenError(f"is nested more than {_MAX_DEPTH} levels deep")
        if self._muted:
            return
        if tag in _MUTED or (self._case and self._elements >= _MAX_ELEMENTS):
            self._muted = self._depth
        elif self._case:
            self._elements += 1
            self._builder.start(tag, attributes)
        elif tag == "testcase":
            self._case, self._elements, self._room = self._depth, 0, _MAX_TEXT
            self._builder = TreeBuilder()
            self._builder.start(tag, attributes)
        elif tag in ROOTS:
            self._suites.append(attributes)
        else:
            self._muted = self._depth

    def _end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        self._depth -= 1
        if self._muted:
            self._muted = self._muted if self._depth >= self._muted else 0
        elif not self._case:
            self._suites.pop()
        else:
            self._builder.end(tag)
            if self._depth < self._case:
                self._case = 0
                self._found.append(self._completed())

    def _text(self, text: str) -> None:
        if self._case and not self._muted and self._room > 0:
            self._builder.data(text[: self._room])
            self._room -= len(text)

    def _completed(self) -> Case:
        suite = self._suites[-1]
        return Case(
            case=TestCase.fromelem(self._builder.close()),  # type: ignore[no-untyped-call] # junitparser's
            suite=suite.get("name", ""),
            file=suite.get("file", ""),
            root=self._suites[0].get("name", ""),
        )


def _refuse(*_declaration: object) -> None:
    raise BrokenError("declares entities, which are never expanded here")

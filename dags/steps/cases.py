"""What a step checked, one JUnit test case each, written however the step ends."""

import contextlib
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree as ET

_UNPRINTABLE = re.compile("[^\\t\\n\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_MAX_TEXT = 100_000
_SIGNALLED = 128


@dataclass(frozen=True)
class _Case:
    name: str
    seconds: float
    failure: str
    skipped: str
    text: str


class Cases:
    """Collects test cases for `--junit_path`; without a path nothing is written."""

    def __init__(self, suite: str, path: Path | None = None) -> None:
        self._path = path
        self._suite = suite
        self._cases: list[_Case] = []
        self._adopted = False

    @property
    def told(self) -> bool:
        """Whether it is known already that something failed."""
        return self._adopted or any(case.failure for case in self._cases)

    @contextlib.contextmanager
    def case(self, name: str) -> Iterator[None]:
        """One check: it failed if it raises, and the error's words are its message."""
        started = time.monotonic()
        try:
            yield
        except BaseException as error:
            self.add(name, time.monotonic() - started, failure=in_words(error))
            raise
        self.add(name, time.monotonic() - started)

    def add(
        self, name: str, seconds: float = 0.0, *, failure: str = "", skipped: str = "", text: str = ""
    ) -> None:
        """One check that was made, or was skipped; `text` is what there is to read about a failure."""
        self._cases.append(_Case(name, seconds, failure, skipped, (text or failure)[-_MAX_TEXT:]))

    def adopt(self, document: BinaryIO, most: int) -> None:
        """Take a JUnit file that another program wrote, as it is, in place of cases of our own.

        Raises:
            OSError: it can't be copied.
        """
        if self._path is not None:
            content = document.read(most + 1)
            if len(content) > most:
                raise OSError(f"they are longer than {most // 1024**2} MB")
            self._put(content)
        self._adopted = True

    def write(self) -> None:
        """Write what there is.

        Raises:
            OSError: it can't be written.
        """
        if self._path is not None and not self._adopted:
            self._put(ET.tostring(self._document(), encoding="utf-8", xml_declaration=True))

    def _put(self, content: bytes) -> None:
        """Write the file whole or not at all."""
        assert self._path is not None  # noqa: S101 - tells the type checker: it was asked before
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(f".{self._path.name}.partial")
        partial.write_bytes(content)
        partial.replace(self._path)

    def _document(self) -> ET.Element:
        totals = {
            "name": _printable(self._suite),
            "tests": str(len(self._cases)),
            "failures": str(sum(bool(case.failure) for case in self._cases)),
            "errors": "0",
            "skipped": str(sum(bool(case.skipped and not case.failure) for case in self._cases)),
            "time": f"{sum(case.seconds for case in self._cases):.3f}",
        }
        document = ET.Element("testsuites", totals)
        suite = ET.SubElement(document, "testsuite", totals)
        for case in self._cases:
            names = {"classname": _printable(self._suite), "name": _printable(case.name)}
            element = ET.SubElement(suite, "testcase", names | {"time": f"{case.seconds:.3f}"})
            if case.failure:
                failure = ET.SubElement(element, "failure", message=_printable(case.failure))
                failure.text = _printable(case.text)
            elif case.skipped:
                ET.SubElement(element, "skipped", message=_printable(case.skipped))
        return document


def in_words(error: BaseException) -> str:
    """Return why something ended: the error's words, or the signal that stopped it."""
    if isinstance(error, KeyboardInterrupt):
        return f"stopped by {signal.SIGINT.name}"
    if isinstance(error, SystemExit) and isinstance(error.code, int) and error.code > _SIGNALLED:
        with contextlib.suppress(ValueError):
            return f"stopped by {signal.Signals(error.code - _SIGNALLED).name}"
    return str(error) or type(error).__name__


def _printable(text: str) -> str:
    """Return it without what XML 1.0 can't hold."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))

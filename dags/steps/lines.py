"""Bytes of a running command to lines of a log, as they come."""

import codecs
from collections.abc import Iterator

from steps.limits import in_words

LIMIT = 8_000
"""Characters; a longer line is split."""
_TAIL = 64 * 1024


class Lines:
    """Splits output into lines: bad UTF-8 is replaced, a progress bar shows only its last state."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._limit = limit
        self._rest = ""

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Yield the lines that `chunk` completes."""
        *complete, self._rest = (self._rest + self._decoder.decode(chunk)).split("\n")
        for line in complete:
            yield from self._pieces(_last_state(line))
        if len(self._rest) > self._limit:
            *pieces, self._rest = self._pieces(_last_state(self._rest, keep_end=True))
            yield from pieces

    def end(self) -> Iterator[str]:
        """Yield what is left when the output has ended without a newline."""
        rest, self._rest = self._rest + self._decoder.decode(b"", final=True), ""
        if rest:
            yield from self._pieces(_last_state(rest))

    def _pieces(self, line: str) -> Iterator[str]:
        for start in range(0, max(len(line), 1), self._limit):
            yield line[start : start + self._limit]


class BoundedLines:
    """Lines of so many bytes (None: of all); of what is more, one remark and the end are left."""

    def __init__(self, most: int | None, tail: int = _TAIL) -> None:
        self._lines = Lines()
        self._most = most
        self._left = most
        self._tail = tail
        self._last = b""
        self._beyond = 0

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Yield the lines that `chunk` completes."""
        if self._left is None:
            yield from self._lines.feed(chunk)
            return
        taken, rest = chunk[: self._left], chunk[self._left :]
        self._left -= len(taken)
        yield from self._lines.feed(taken)
        if rest and not self._beyond:
            yield from self._lines.end()
            yield f"[more than {in_words(self._most or 0)} of output: the rest is left out, but for its end]"
        self._beyond += len(rest)
        self._last = (self._last + rest)[-self._tail :]

    def end(self) -> Iterator[str]:
        """Yield what is left when the output has ended: the last lines, of which the first is whole."""
        if self._beyond > len(self._last):
            self._last = self._last.partition(b"\n")[2]
        yield from self._lines.feed(self._last)
        yield from self._lines.end()


def _last_state(line: str, *, keep_end: bool = False) -> str:
    """Return what a terminal would show last: the text after the last carriage return that has any."""
    if keep_end and line.endswith("\r"):
        return line.rstrip("\r").rpartition("\r")[2] + "\r"
    return line.rstrip("\r").rpartition("\r")[2]

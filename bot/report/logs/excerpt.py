"""The lines of a failed step's log that say why it failed, found in one pass and bounded memory."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from bot.prose import elide
from bot.report.logs.clean import cleaned
from bot.report.logs.matchers import MATCHERS, Matcher, first_match
from bot.report.logs.noise import without_noise
from bot.report.logs.own_matchers import own_matchers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.models import LogMatcher
    from bot.report.logs.own_matchers import OwnMatchers

GAP = "⋯"
LIMIT_LINES = 40
LIMIT_BYTES = 8_000
LINE_WIDTH = 400
FALLBACK_LINES = 20
CLOSING_LINES = 5
LOOKED_AT = 1_000
"""How many characters of a line the matchers see."""

_Line = tuple[int, str]


def excerpt(
    lines: Iterable[str],
    limit_lines: int = LIMIT_LINES,
    limit_bytes: int = LIMIT_BYTES,
    secrets: Iterable[str] = (),
    matchers: Sequence[LogMatcher] = (),
) -> tuple[str, ...]:
    """The lines that matter, redacted and cleaned, gaps shown as "⋯"; the last 20 if none stands out.

    At most `limit_lines` lines (gaps included) and `limit_bytes` bytes of UTF-8 with their line ends.
    `matchers` are the repository's own, which come before ours.
    """
    finds = _Finds(limit_lines, own_matchers(tuple(matchers)))
    for index, text in enumerate(without_noise(cleaned(lines, secrets))):
        finds.add(index, text)
    chosen = finds.by_importance()
    for count in range(min(len(chosen), limit_lines), 0, -1):
        shown = _with_gaps(sorted(chosen[:count]))
        if len(shown) <= limit_lines and sum(len(line.encode()) + 1 for line in shown) <= limit_bytes:
            return shown
    return ()


class _Finds:
    """What was found so far: for each matcher a bounded number of lines, and the log's last lines."""

    def __init__(self, limit: int, own: OwnMatchers) -> None:
        self._limit = limit
        self._own = own
        self._found: dict[str, deque[_Line]] = {}
        self._open: dict[str, tuple[Matcher, int]] = {}  # by name: how many lines are still to come
        self._recent: deque[_Line] = deque(maxlen=FALLBACK_LINES)

    def add(self, index: int, text: str) -> None:
        """Look at the log's next line."""
        line = (index, elide(text, LINE_WIDTH))
        if self._recent and self._recent[-1][1] == line[1]:
            return  # the same line once more
        looked_at = text[:LOOKED_AT]
        for opened, left in tuple(self._open.values()):
            self._keep(opened, line)
            ended = opened.until is not None and opened.until.match(looked_at)
            if left <= 1 or ended:
                del self._open[opened.name]
            else:
                self._open[opened.name] = (opened, left - 1)
        for matcher in self._own.matching(looked_at):
            self._find(matcher, line)
        if (known := first_match(looked_at)) is not None:
            self._find(known, line)
        self._recent.append(line)

    def _find(self, matcher: Matcher, line: _Line) -> None:
        found = self._found.setdefault(matcher.name, deque(maxlen=self._limit if matcher.last else None))
        if not matcher.last and any(line[1] == text for _, text in found):
            return  # the same complaint once more
        for earlier in tuple(self._recent)[-matcher.before :] if matcher.before else ():
            self._keep(matcher, earlier)
        self._keep(matcher, line)
        if matcher.after:
            self._open[matcher.name] = (matcher, matcher.after)

    def _keep(self, matcher: Matcher, line: _Line) -> None:
        found = self._found[matcher.name]
        if (matcher.last or len(found) < self._limit) and (not found or found[-1][0] < line[0]):
            found.append(line)

    def by_importance(self) -> list[_Line]:
        """All lines worth showing, what matters most first; no matcher takes all the room.

        Nor do the repository's own matchers, all together.
        """
        first_share: list[_Line] = []
        rest: list[_Line] = []
        own = [matcher for matcher in self._own.rows if matcher.name in self._found]
        for matcher in (*own, *MATCHERS):
            share = max(1, self._limit // 2 // (len(own) if matcher in own else 1))
            found = list(self._found.get(matcher.name, ()))
            if matcher.last:
                found.reverse()
            first_share += found[:share]
            rest += found[share:]
        closing = list(self._recent)[-CLOSING_LINES if first_share else -FALLBACK_LINES :]
        return list(dict.fromkeys((*first_share, *rest, *reversed(closing))))


def _with_gaps(lines: list[_Line]) -> tuple[str, ...]:
    shown: list[str] = []
    previous: int | None = None
    for index, text in lines:
        if previous is not None and index > previous + 1:
            shown.append(GAP)
        shown.append(text)
        previous = index
    return tuple(shown)

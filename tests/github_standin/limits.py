"""GitHub's rate limits: requests an hour and at once, points a minute, content a minute and an hour."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, fields

from .responses import ApiError
from .state import Json, Refused, now

HOUR, MINUTE = 3600.0, 60.0
ANONYMOUS_CORE = 60
READS = ("GET", "HEAD", "OPTIONS")
WRITE_POINTS = 5
COMMENTS = re.compile(r"/issues/(\d+/comments|comments/\d+)$")
STATUSES = re.compile(r"/statuses/[^/]+$|/check-runs(/\d+)?$")
SECONDARY = "You have exceeded a secondary rate limit"
PATIENCE = f"{SECONDARY}. Please wait a few minutes before you try again."
NO_MORE_CONTENT = f"{SECONDARY} and have been temporarily blocked from content creation. "
NO_MORE_CONTENT += "Please retry your request again later."


class LimitReached(ApiError):
    """A request that was refused for a limit, named as the field of `Limits`."""

    def __init__(self, limit: str, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, message, headers=headers)
        self.limit = limit


@dataclass
class _Account:
    """What one caller has used."""

    used: int = 0
    resets_at: float = 0.0
    points: deque[tuple[float, int]] = field(default_factory=deque)
    contents: deque[float] = field(default_factory=deque)

    def forget(self, moment: float) -> None:
        """Let go of what no window reaches back to."""
        while self.points and self.points[0][0] <= moment - MINUTE:
            self.points.popleft()
        while self.contents and self.contents[0] <= moment - HOUR:
            self.contents.popleft()


@dataclass
class Limits:
    """The numbers, GitHub's unless changed (None: not enforced), and what each caller has used of them."""

    core: int | None = 5000
    points: int | None = 900
    content_minute: int | None = 80
    content_hour: int | None = 500
    concurrent: int | None = 100
    statuses_are_content: bool = False
    status: int = 403
    retry_after: int = 60
    token_seconds: float = HOUR
    user_token_seconds: float = 8 * HOUR
    _used: dict[str, _Account] = field(default_factory=dict, repr=False)

    @classmethod
    def off(cls) -> Limits:
        """No limits, for a demo that is watched all day."""
        return cls(core=None, points=None, content_minute=None, content_hour=None, concurrent=None)

    def change(self, changes: Json) -> None:
        """Change numbers by name, and forget what was used."""
        known = {each.name for each in fields(self) if not each.name.startswith("_")}
        for name, value in changes.items():
            if name not in known:
                raise Refused(f"{name!r} is no limit; there are {', '.join(sorted(known))}")
            setattr(self, name, value)
        self._used.clear()

    def age(self, seconds: float) -> None:
        """As if all that was requested so far had been requested so much earlier."""
        for used in self._used.values():
            used.resets_at -= seconds
            used.points = deque((moment - seconds, points) for moment, points in used.points)
            used.contents = deque(moment - seconds for moment in used.contents)

    def spend(self, caller: str, method: str, path: str, crowd: int = 1) -> None:
        """Count a request, one of `crowd` of this caller now; LimitReached when a limit is exceeded."""
        used, moment = self._account(caller), now()
        limit = self.limit(caller)
        if limit is not None and used.used >= limit:
            raise LimitReached("core", 403, f"API rate limit exceeded for {caller.replace(':', ' ID ')}.")
        content = method not in READS and self._is_content(path)
        points = 1 if method in READS else WRITE_POINTS
        used.forget(moment)
        if exceeded := self._secondary(used, points, moment, crowd, content=content):
            words = NO_MORE_CONTENT if exceeded.startswith("content") else PATIENCE
            raise LimitReached(exceeded, self.status, words, {"Retry-After": str(self.retry_after)})
        used.used += 1
        used.points.append((moment, points))
        if content:
            used.contents.append(moment)

    def _secondary(
        self, used: _Account, points: int, moment: float, crowd: int, *, content: bool
    ) -> str | None:
        """The secondary limit that one more request would exceed."""
        lately = sum(1 for each in used.contents if each > moment - MINUTE)
        would_be = {
            "concurrent": crowd,
            "points": sum(each for _, each in used.points) + points,
            "content_minute": lately + 1 if content else 0,
            "content_hour": len(used.contents) + 1 if content else 0,
        }
        for name, amount in would_be.items():
            most = getattr(self, name)
            if most is not None and amount > most:
                return name
        return None

    def refund(self, caller: str) -> None:
        """Give a request back: a 304 costs nothing."""
        self._account(caller).used -= 1

    def limit(self, caller: str) -> int | None:
        """Requests an hour."""
        if self.core is None:
            return None
        return min(self.core, ANONYMOUS_CORE) if caller == "anonymous" else self.core

    def overview(self, caller: str) -> Json:
        """Limit, used, remaining and reset (seconds since 1970)."""
        used = self._account(caller)
        limit = self.limit(caller) or 1_000_000
        return {
            "limit": limit,
            "used": used.used,
            "remaining": max(limit - used.used, 0),
            "reset": int(used.resets_at),
        }

    def headers(self, caller: str) -> dict[str, str]:
        """The X-RateLimit headers."""
        shown = {f"X-RateLimit-{name.title()}": str(value) for name, value in self.overview(caller).items()}
        return {**shown, "X-RateLimit-Resource": "core"}

    def _account(self, caller: str) -> _Account:
        used = self._used.setdefault(caller, _Account())
        if used.resets_at <= now():
            used.used, used.resets_at = 0, now() + HOUR
        return used

    def _is_content(self, path: str) -> bool:
        return bool(COMMENTS.search(path) or (self.statuses_are_content and STATUSES.search(path)))

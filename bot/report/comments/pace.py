"""How long a run took, beside what is usual where that is worth a word."""

from __future__ import annotations

from bot.report import texts
from bot.report.duration import HOUR, MINUTE, human

NOTABLE_SECONDS = 10.0
NOTABLE_SHARE = 0.15
"""A run is as long as usual unless it differs by more than both, the share being that of the usual."""

# (below so many seconds, rounded to a multiple of so many): a median that moves a little changes no comment.
_GRAINS = ((MINUTE, 5), (10 * MINUTE, 10), (HOUR, MINUTE))


def pace(took: float, usual: float | None, *, whole: bool) -> str:
    """How long: "2m10s", or "2m10s, usually 1m50s". A run that ended early (not `whole`) was not fast."""
    if usual is None or not _is_notable(took, usual, whole=whole):
        return human(took)
    return texts.usually(human(took), human(_rounded(usual)))


def _is_notable(took: float, usual: float, *, whole: bool) -> bool:
    apart = took - usual
    return (apart if not whole else abs(apart)) >= max(NOTABLE_SECONDS, NOTABLE_SHARE * usual)


def _rounded(seconds: float) -> int:
    grain = next((grain for below, grain in _GRAINS if seconds < below), 5 * MINUTE)
    return max(1, round(seconds / grain)) * grain

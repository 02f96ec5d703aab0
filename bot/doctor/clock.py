"""Our clock beside another's: both want to agree."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from bot.doctor.findings import Diagnosis, broken, fine, skipped, warning

if TYPE_CHECKING:
    from bot.models.doctor import Knock

NOTED = 5.0
"""Seconds of difference that are worth a word: two services and the network between them are never exact."""

REFUSED = 60.0
"""Seconds of difference from which GitHub refuses what an App proves itself with: a JSON Web Token that says
when it was made (a minute ago, to be safe) and how long it is good for.
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

MEND = "Set this machine's clock by NTP (chrony, systemd-timesyncd); a container has its host's clock."


def judge_clock(knock: Knock, whose: str, *, strict: bool = False) -> Diagnosis:
    """Our clock against that of a service; `strict` where it refuses a wrong one."""
    ahead = seconds_ahead(knock)
    if ahead is None:
        return skipped(f"{whose} does not say what time it is")
    words = f"our clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} {whose}'s"
    if strict and abs(ahead) >= REFUSED:
        return broken(f"{words}: it refuses what our App proves itself with", MEND)
    if abs(ahead) > NOTED:
        return warning(words, MEND)
    return fine(f"agrees with {whose}'s")


def seconds_ahead(knock: Knock) -> float | None:
    """How far our clock is ahead of the one that made an answer's Date; below zero: behind."""
    try:
        # A Date is cut to whole seconds.
        return knock.at - parsedate_to_datetime(knock.date).timestamp() - 0.5
    except ValueError:
        return None

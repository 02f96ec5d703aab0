"""`python -m bot doctor`: is every part set up, and if not, what to do about it.

A *check* looks at one thing and says what it thinks of it. `checks.py` runs them at once, bounded in time, so
that no broken part hides another. What a check thinks of what it was told is decided by pure functions, a
module or two for each part. Nothing is changed anywhere.
"""

from __future__ import annotations

from bot.doctor.checks import Check, examine
from bot.doctor.findings import Diagnosis, Finding, Verdict

__all__ = ["Check", "Diagnosis", "Finding", "Verdict", "examine"]

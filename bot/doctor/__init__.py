"""`python -m bot doctor`: is every part set up, and if not, what to do about it.

A *check* looks at one thing and says what it thinks of it: `checks.py` runs all of them at once, bounded in
time, so that no broken part hides another. What a check thinks of what it was told is decided by pure functions, one module
for each part. Nothing is changed anywhere.
"""

from __future__ import annotations

from bot.doctor.checks import Check, examine
from bot.doctor.findings import Diagnosis, Finding, Verdict, broken, fine, skipped, warning

__all__ = [
    "Check",
    "Diagnosis",
    "Finding",
    "Verdict",
    "broken",
    "examine",
    "fine",
    "skipped",
    "warning",
]

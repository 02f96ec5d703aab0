"""Lines of a log as a person at a terminal would have seen them."""

from __future__ import annotations

from bot.prose import strip_codes


def last_state(line: str) -> str:
    """What a terminal would show in the end of a line that carriage returns overwrote (a progress bar)."""
    if "\r" not in line:
        return line
    return next((state for state in reversed(line.split("\r")) if state.strip()), "")


def clean_line(line: str) -> str:
    """One line of a log as a person would have seen it, without what could deceive its reader."""
    return last_state(strip_codes(line)).replace("\n", " ").rstrip()

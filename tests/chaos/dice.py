"""Chance that follows from a seed."""

from __future__ import annotations

import random


def dice(*seed: object) -> random.Random:
    """Dice that fall alike for the same seed."""
    return random.Random("/".join(map(str, seed)))  # noqa: S311 - no secret, but to be repeated

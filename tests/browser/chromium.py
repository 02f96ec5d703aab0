"""The Chromium of this machine, and what it noticed while a page was looked at."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = "no Chromium on PATH: install one (apt-get install chromium) to test the pages in a browser"
REQUIRED = "PREFLIGHT_REQUIRE_BROWSER"
"""Set, it makes a failure of what is skipped where there is no Chromium."""

PATIENCE = 10_000
"""Milliseconds for anything to be seen: only for what never comes."""


def find() -> str | None:
    """Where this machine's Chromium is."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def is_missing() -> bool:
    """Whether there is none, and nobody requires one."""
    return find() is None and not os.environ.get(REQUIRED)


@contextmanager
def launched() -> Iterator[Browser]:
    """A running browser without windows."""
    path = find()
    if path is None:
        pytest.fail(MISSING) if os.environ.get(REQUIRED) else pytest.skip(MISSING)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()

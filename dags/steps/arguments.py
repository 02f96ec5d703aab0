"""Types of command-line arguments: what comes from conf is checked before it gets near git."""

import argparse
import os
import re
from urllib.parse import urlsplit

from steps.contract import ContractError, checked_step_name

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def sha(text: str) -> str:
    """Return a full commit SHA."""
    if not _SHA.fullmatch(text):
        raise argparse.ArgumentTypeError(f"not a full commit SHA (40 or 64 hex digits): {text!r}")
    return text


def url(text: str) -> str:
    """Return an http(s) URL without credentials (a file URL too when STEPS_ALLOW_FILE is set, for tests)."""
    schemes = {"http", "https"} | ({"file"} if os.environ.get("STEPS_ALLOW_FILE") else set())
    parts = urlsplit(text)
    if (
        parts.scheme not in schemes
        or (parts.scheme != "file" and not parts.hostname)
        or not text.isprintable()
    ):
        raise argparse.ArgumentTypeError(f"not an http(s) URL: {text!r}")
    if "@" in parts.netloc or " " in text:
        raise argparse.ArgumentTypeError("a URL with credentials or spaces is refused")
    return text


def ref(text: str) -> str:
    """Return a branch's name as git allows it; only ever used behind `refs/heads/`."""
    bad = re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|\.$|/$", text)
    if bad or not text or text.startswith(("/", ".")):
        raise argparse.ArgumentTypeError(f"not a branch's name: {text!r}")
    return text


def number(text: str) -> str:
    """Return a pull request's number."""
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise argparse.ArgumentTypeError(f"not a number: {text!r}")
    return text


def step_name(text: str) -> str:
    """Return a name that can be a step's."""
    try:
        return checked_step_name(text)
    except ContractError as error:
        raise argparse.ArgumentTypeError(str(error)) from None

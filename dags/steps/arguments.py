"""Types of command-line arguments: what comes from conf is checked before it gets near git."""

import argparse
import os
import re
from urllib.parse import urlsplit

from steps.contract import ContractError, checked_step_name

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|\.$|/$|^$|^[/.]")
# https://github.com/distribution/reference: names of images
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)"
_IMAGE = re.compile(rf"{_PART}(?:/{_PART})*")
_REGISTRY = re.compile(rf"{_HOST}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def is_sha(text: str) -> bool:
    """Whether it is a full commit SHA."""
    return bool(_SHA.fullmatch(text))


def is_ref(text: str) -> bool:
    """Whether git allows it as a branch's name, behind `refs/heads/`."""
    return not _NO_REF.search(text)


def sha(text: str) -> str:
    """Return a full commit SHA."""
    if not is_sha(text):
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
    if not is_ref(text):
        raise argparse.ArgumentTypeError(f"not a branch's name: {text!r}")
    return text


def number(text: str) -> str:
    """Return a pull request's number."""
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise argparse.ArgumentTypeError(f"not a number: {text!r}")
    return text


def image(text: str) -> str:
    """Return an image's name without registry, tag and digest."""
    if not _IMAGE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"not an image's name (lower-case letters, digits, . _ - /): {text!r}"
        )
    return text


def registry(text: str) -> str:
    """Return a registry with the path in it that images go below: HOST[:PORT][/PATH]."""
    if not _REGISTRY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"not a registry (HOST[:PORT][/PATH], no scheme): {text!r}")
    return text


def chart_repository(text: str) -> str:
    """Return an OCI repository of charts: oci://HOST[:PORT][/PATH]."""
    if not text.startswith("oci://") or not _REGISTRY.fullmatch(text.removeprefix("oci://")):
        raise argparse.ArgumentTypeError(f"not an OCI repository (oci://HOST[:PORT]/PATH): {text!r}")
    return text


def tag(text: str) -> str:
    """Return an image's tag."""
    if not _TAG.fullmatch(text):
        raise argparse.ArgumentTypeError(f"not a tag (letters, digits, . _ -, at most 128): {text!r}")
    return text


def step_name(text: str) -> str:
    """Return a name that can be a step's."""
    try:
        return checked_step_name(text)
    except ContractError as error:
        raise argparse.ArgumentTypeError(str(error)) from None

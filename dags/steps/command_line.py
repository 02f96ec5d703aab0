"""What the binaries have in common as programs: how they speak, and how they hand values on."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

EX_TEMPFAIL = 75
"""Temporary failure: worth another try."""


class Parser(argparse.ArgumentParser):
    """A command line whose mistakes are also handed on as the step's reason."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with exit code 2."""
        hand_on({"reason": message})
        super().error(message)


def hand_on(values: Mapping[str, Any]) -> None:
    """Write `values` for whoever asked for them by STEP_OUTPUT; by hand nobody does."""
    if file := os.environ.get("STEP_OUTPUT"):
        Path(file).write_text(json.dumps(values), encoding="utf-8")


def fail(reason: str, exit_code: int = 1) -> int:
    """Say why the step fails, hand it on, and return the exit code."""
    print(f"error: {reason}", flush=True)
    hand_on({"reason": reason})
    return exit_code


def speak_plainly() -> None:
    """Print each line at once, and any file name, whatever its bytes."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr] # TextIOWrapper

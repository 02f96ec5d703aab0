"""`make`, as somebody starts it in a shell of their own, and not below the `make test` that tests may run in.

That one hands its flags on, and what it was given, such as ARGS, in the environment, where every other target
would take it for its own.
"""

from __future__ import annotations

import os
import re
import subprocess

from deploy.local.environment import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
_OF_MAKE = {"GNUMAKEFLAGS", "MAKEFILES", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}
_OF_ITS_CALLER = {*re.findall(r"^(?:export )?([A-Z_]+) \?=", MAKEFILE, flags=re.MULTILINE)}


def own_environment() -> dict[str, str]:
    """What we see, without what a `make` above us has put there."""
    unwanted = _OF_MAKE | _OF_ITS_CALLER
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def make(*words: str) -> str:
    """Run `make WORDS` in this checkout; returns what it printed to standard output.

    Raises:
        AssertionError: it failed; says what it printed.
    """
    done = subprocess.run(
        ["make", *words], cwd=ROOT, env=own_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"`make` ended with exit code {done.returncode}.\n{done.stdout}{done.stderr}"
    return done.stdout

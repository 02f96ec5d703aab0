"""Programs of .venv-manifests, whose packages don't go together with ours."""

from __future__ import annotations

import subprocess

import pytest

from deploy.local.environment import ROOT

BIN = ROOT / ".venv-manifests" / "bin"


def run(program: str, *arguments: str, stdin: str = "") -> str:
    """What the program prints; checkov's exit code says only that it found something."""
    if not (BIN / program).exists():
        pytest.fail(
            "there is no .venv-manifests: `make test` makes it (python3 deploy/local/env.py --for-tests)"
        )
    done = subprocess.run(
        [str(BIN / program), *arguments], input=stdin, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stdout, done.stderr
    return done.stdout

"""`make audit`: known vulnerabilities in what is pinned, by pip-audit.

It asks the package index that pip is set up with, or with `--service osv` the Open Source Vulnerabilities
database. Not part of `make check`, which must give the same answer tomorrow and without a network.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
AUDITED = (
    "requirements.txt",
    "requirements-airflow.txt",
    "requirements-bot-image.txt",
    "requirements-airflow-image.txt",
    "requirements-checks-image.txt",
    "requirements-dev.txt",
    "requirements-manifests.txt",
    "deploy/local/requirements-uv.txt",
)
"""All that `make lock` pins: what runs on a developer's machine may do as much harm there."""
FINE, FOUND, UNKNOWN = 0, 1, 2
HINT = "A mirror of PyPI may lack its JSON API: try ARGS='--service osv'"


@dataclass(frozen=True, slots=True)
class Audit:
    """What is known about the pins of one file: `found` are lines of it, `unknown` the pins nobody knows."""

    audited: int = 0
    found: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """For the command's end: an incomplete audit is none."""
        return FOUND if self.found else UNKNOWN if self.unknown or not self.audited else FINE


def command(requirements: Path, service: str) -> list[str]:
    """How pip-audit is called: it trusts the pins and installs nothing."""
    return [
        *(sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"),
        *("--format=json", "--vulnerability-service", service, "--requirement", str(requirements)),
    ]


def read(said: str) -> Audit:
    """What pip-audit's JSON says; it counts a pin that the service does not know as neither good nor bad."""
    try:
        pins = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Audit()
    found = tuple(
        f"{pin['name']} {pin['version']}: {one['id']}, mended in {_mended(one)}"
        for pin in pins
        for one in pin.get("vulns", ())
    )
    unknown = tuple(pin["name"] for pin in pins if "skip_reason" in pin)
    return Audit(len(pins) - len(unknown), found, unknown)


def _mended(vulnerability: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(vulnerability["fix_versions"]) or "none yet"


def _reason(said: str) -> str:
    """The last line of what went wrong, or what it means that nothing did."""
    lines = [line for line in said.strip().splitlines() if not line.startswith("No known vulnerabilities")]
    return lines[-1] if lines else f"the service does not know them. {HINT}"


def main() -> int:
    """Audit each file; 0 nothing known, 1 something found, 2 not all can be known."""
    parser = argparse.ArgumentParser(prog="make audit", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--service", choices=("pypi", "osv"), default="pypi", help="whom to ask")
    asked = parser.parse_args()
    codes = set()
    for name in AUDITED:
        done = subprocess.run(
            command(ROOT / name, asked.service), check=False, capture_output=True, text=True
        )
        audit = read(done.stdout)
        print(f"{name}: {audit.audited} audited, {len(audit.found)} vulnerabilities known")
        print(*(f"  {line}" for line in audit.found), sep="\n", end="\n" if audit.found else "")
        if audit.unknown or not audit.audited:
            print(f"  {len(audit.unknown) or 'all'} could not be audited: {_reason(done.stderr)}")
        codes.add(audit.code)
    return FOUND if FOUND in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())

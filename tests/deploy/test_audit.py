"""An audit that could not be made is not one that found nothing."""

from __future__ import annotations

import json
import re

import pytest

from deploy.local.audit import AUDITED, FINE, FOUND, ROOT, UNKNOWN, Audit, read

FLASK = {"name": "flask", "version": "1.0", "vulns": []}
BAD = {"name": "flask", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
OPEN = {"name": "flask", "version": "1.0", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]}
SKIPPED = {"name": "grpcio", "skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.mark.parametrize(
    ("pins", "audit", "code"),
    [
        pytest.param([FLASK], Audit(1), FINE, id="nothing is known"),
        pytest.param([BAD], Audit(1, ("flask 1.0: PYSEC-1, mended in 1.1",)), FOUND, id="mended"),
        pytest.param([OPEN], Audit(1, ("flask 1.0: PYSEC-2, mended in none yet",)), FOUND, id="open"),
        pytest.param([FLASK, SKIPPED], Audit(1, (), ("grpcio",)), UNKNOWN, id="one is not known"),
        pytest.param(
            [BAD, SKIPPED], Audit(1, ("flask 1.0: PYSEC-1, mended in 1.1",), ("grpcio",)), FOUND, id="both"
        ),
        pytest.param([], Audit(), UNKNOWN, id="nothing was audited"),
    ],
)
def test_what_pip_audit_says(pins: list[object], audit: Audit, code: int) -> None:
    found = read(json.dumps({"dependencies": pins, "fixes": []}))
    assert found == audit
    assert found.code == code


@pytest.mark.parametrize("said", ["", "no network", "[]", "null", "{}"])
def test_an_answer_of_another_kind_is_no_audit(said: str) -> None:
    assert read(said).code == UNKNOWN


def test_all_that_is_pinned_is_audited() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nlock:")[2].partition("\n\n")[0]
    pinned = re.findall(r"-o (\S+)", recipe)
    assert pinned
    assert sorted(AUDITED) == sorted(pinned)

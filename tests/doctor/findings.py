"""What tests of the doctor say of diagnoses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.doctor import Diagnosis, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.doctor import Finding


def verdicts(found: Iterable[Diagnosis] | Diagnosis) -> list[str]:
    """How bad each is."""
    return [one.verdict.value for one in ([found] if isinstance(found, Diagnosis) else found)]


def said(found: Iterable[Diagnosis] | Diagnosis) -> str:
    """All that was said, and what to do."""
    each = [found] if isinstance(found, Diagnosis) else list(found)
    for one in each:
        assert one.mend or one.verdict in (Verdict.OK, Verdict.SKIPPED), f"{one.said}: and now?"
    return "\n".join(f"{one.said} > {one.mend}" for one in each)


def ailing(findings: Iterable[Finding]) -> set[str]:
    """The checks that found something broken or to look at, each of which must say what to do."""
    found = [one for one in findings if one.verdict in (Verdict.BROKEN, Verdict.WARNING)]
    assert all(one.mend for one in found), [one for one in found if not one.mend]
    return {f"{one.part}.{one.name}" for one in found}

from __future__ import annotations

import json

import pytest

from bot.doctor import Finding, Verdict
from bot.doctor.report import PLAIN_MARKS, as_json, as_text, exit_code

WELL = Finding("github", "answers", Verdict.OK, "GitHub answers")
HM = Finding(
    "github", "clock", Verdict.WARNING, "our clock is 9 s behind GitHub's", "Set this machine's clock."
)
OH = Finding("airflow", "login", Verdict.BROKEN, "wrong password", "Set PREFLIGHT_AIRFLOW_PASSWORD.")
SKIPPED = Finding("airflow", "dags", Verdict.SKIPPED, "not looked at: see 'login'")
NO_SETTINGS = Finding("settings", "environment", Verdict.BROKEN, "PREFLIGHT_NAME is wrong", "Mend it.")


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([WELL, HM, SKIPPED], 0, id="warnings are allowed"),
        pytest.param([WELL, OH], 1, id="broken"),
        pytest.param([NO_SETTINGS, OH], 2, id="the settings are"),
    ],
)
def test_the_exit_code(findings: list[Finding], code: int) -> None:
    assert exit_code(findings) == code


def test_what_people_read() -> None:
    pools = Finding("airflow", "pools", Verdict.SKIPPED, SKIPPED.said)

    assert as_text([WELL, HM, OH, SKIPPED, pools], 80) == (
        "github\n"
        "  ✓ answers  GitHub answers\n"
        "  ! clock    our clock is 9 s behind GitHub's\n"
        "             > Set this machine's clock.\n"
        "\n"
        "airflow\n"
        "  ✗ login    wrong password\n"
        "             > Set PREFLIGHT_AIRFLOW_PASSWORD.\n"
        "  -          dags, pools: not looked at: see 'login'\n"
        "\n"
        "1 broken, 1 to look at, 1 fine, 2 not looked at. Nothing was changed."
    )


def test_long_lines_are_folded_and_addresses_kept_whole() -> None:
    address = "https://github.com/organizations/acme/settings/apps/preflight/permissions"
    long = Finding(
        "github", "a check with quite a long name of its own", Verdict.BROKEN, "word " * 30, address
    )

    lines = as_text([long], 70).splitlines()

    assert any(line.strip() == f"> {address}" for line in lines)
    assert all(len(line) <= 70 for line in lines if address not in line)


def test_a_terminal_that_knows_ascii_only() -> None:
    as_text([WELL, HM, OH, SKIPPED], 80, PLAIN_MARKS).encode("ascii")


def test_strangers_text_breaks_no_lines() -> None:
    text = as_text([Finding("p", "n", Verdict.BROKEN, "one\ntwo\r\n  ✓ fine", "x")], 80)

    assert "one two ✓ fine" in text


def test_what_scripts_read() -> None:
    assert json.loads(json.dumps(as_json([WELL, OH]))) == {
        "exit": 1,
        "findings": [
            {
                "part": "github",
                "check": "answers",
                "verdict": "ok",
                "said": "GitHub answers",
                "mend": "",
            },
            {
                "part": "airflow",
                "check": "login",
                "verdict": "broken",
                "said": "wrong password",
                "mend": "Set PREFLIGHT_AIRFLOW_PASSWORD.",
            },
        ],
    }

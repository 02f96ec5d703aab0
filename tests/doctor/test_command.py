"""What `python -m bot doctor` prints, and its exit code, where nothing needs to be there."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from bot.cli import main
from bot.cli.doctor import PARTS
from bot.doctor.settings import NEEDED
from deploy.local import ports

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def nobody_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings that can be used, with which nothing is reached."""
    at = f"127.0.0.1:{ports.choose_any()}"
    settings = {
        "DATABASE_URL": f"postgresql+psycopg://bot:a-database-password@{at}/preflight",
        "WEBHOOK_SECRETS": "a secret that is long enough",
        "GITHUB_TOKEN": "ghp_0123456789012345678901234567890123456",
        "GITHUB_API_URL": f"http://{at}",
        "REPOSITORIES": "acme/*",
        "AIRFLOW_URL": f"http://{at}",
        "AIRFLOW_USERNAME": "ci-bot",
        "AIRFLOW_PASSWORD": "an Airflow password",
        "PUBLIC_URL": f"http://{at}",
        "ARTIFACTS_URL": str(tmp_path),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"PREFLIGHT_{name}", value)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, list[str]]]:
    """The exit code, and the verdicts of each part."""
    code = main(["doctor", "--json", *arguments])
    shown = json.loads(capsys.readouterr().out)
    assert shown["exit"] == code
    parts: dict[str, list[str]] = {}
    for one in shown["findings"]:
        parts.setdefault(one["part"], []).append(one["verdict"])
    return code, parts


def test_one_broken_part_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    code, parts = printed(capsys)

    assert code == 1
    assert list(parts) == ["settings", *PARTS]
    assert {part for part, verdicts in parts.items() if "broken" in verdicts} == {
        "github",
        "web",
        "airflow",
        "database",
    }
    assert parts["artifacts"] == ["ok"]


def test_one_part_alone(capsys: pytest.CaptureFixture[str]) -> None:
    code, parts = printed(capsys, "--only", "artifacts")

    assert (code, list(parts)) == (0, ["settings", "artifacts"])


def test_settings_that_can_not_be_used(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFLIGHT_AIRFLOW_URL")
    monkeypatch.setenv("PREFLIGHT_NMAE", "x")

    code, parts = printed(capsys, "--only", "airflow", "--only", "artifacts")

    assert code == 2
    assert parts == {"settings": ["broken", "broken", "ok"], "airflow": ["skipped"], "artifacts": ["ok"]}


def test_no_settings_at_all(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import os  # noqa: PLC0415 - only to see what is set

    for name in [name for name in os.environ if name.startswith("PREFLIGHT_")]:
        monkeypatch.delenv(name)

    code, parts = printed(capsys)

    assert code == 2
    assert {part for part, verdicts in parts.items() if "broken" in verdicts} == {"settings"}


def test_a_named_repository_is_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--only", "repositories", "--repository", "acme/app"])

    assert "acme/app" in capsys.readouterr().out


def test_people_read_what_to_do_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 1

    shown = capsys.readouterr().out
    assert "✗ answers" in shown
    assert "> Start PostgreSQL" in shown
    assert shown.rstrip().endswith("Nothing was changed.")
    for secret in ("a-database-password", "ghp_0123", "an Airflow password", "a secret that is long enough"):
        assert secret not in shown


def test_a_terminal_that_knows_ascii_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))

    main(["doctor", "--only", "artifacts"])
    sys.stdout.flush()

    assert b"  + store" in shown.getvalue()


@pytest.mark.parametrize(
    "arguments", [["--only", "everything"], ["--repository", "acme"], ["--repository", "https://x/y"], ["x"]]
)
def test_a_wrong_call_says_how_it_is_called(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["doctor", *arguments])

    assert left.value.code == 2
    assert "usage: python -m bot" in capsys.readouterr().err


def test_all_parts_can_be_asked_for_alone() -> None:
    assert set(PARTS) == set(NEEDED)

"""A command of the bot with a stack's own settings."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from deploy.local import by_hand
from deploy.local.credentials import Credentials
from deploy.local.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path


def test_its_settings_are_those_of_the_stack_that_started_last(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFLIGHT_NAME", "somebody-elses")
    credentials = Credentials(tmp_path / "secrets")
    by_hand.remember(credentials, {"PREFLIGHT_NAEM": "first"})
    by_hand.remember(credentials, {"PREFLIGHT_NMAE": "last"})
    assert by_hand.run(tmp_path, ["migrate"]) == 2
    said = capfd.readouterr().err
    assert "PREFLIGHT_DATABASE_URL is missing" in said
    assert "PREFLIGHT_NMAE is no setting" in said
    assert "PREFLIGHT_NAEM" not in said


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    by_hand.remember(Credentials(tmp_path / "secrets"), {"PREFLIGHT_GITHUB_TOKEN": "secret"})
    file = tmp_path / "secrets" / by_hand.SETTINGS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_stack_it_says_what_to_start(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="make up"):
        by_hand.run(tmp_path, ["doctor"])

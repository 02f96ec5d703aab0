"""`.env.example` documents the settings: all of them, and nothing else."""

from __future__ import annotations

import re

import pytest

from bot.settings import SETTINGS, Setting
from deploy.local import dotenv
from deploy.local.environment import ROOT
from deploy.local.up import MANAGED

EXAMPLE = (ROOT / ".env.example").read_text()
DOCUMENTED = re.findall(r"^(?:# )?(PREFLIGHT_[A-Z_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE)


def test_each_setting_is_documented_once() -> None:
    assert sorted(name for name, _ in DOCUMENTED) == sorted(setting.name for setting in SETTINGS)


def test_it_can_be_read_as_it_is_and_sets_nothing() -> None:
    assert dotenv.parse(EXAMPLE) == {}


@pytest.mark.parametrize("setting", [each for each in SETTINGS if each.default], ids=lambda each: each.name)
def test_the_default_shown_is_the_default(setting: Setting) -> None:
    assert dict(DOCUMENTED)[setting.name] == setting.default


def test_what_make_up_sets_itself_is_in_the_last_part() -> None:
    last = EXAMPLE.split("# ---- ")[-1]
    assert set(re.findall(r"^# (PREFLIGHT_[A-Z_]+)=", last, flags=re.MULTILINE)) == set(MANAGED)

"""What `make up` needs in `.env`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deploy.local.errors import StackError
from deploy.local.up import MANAGED, read_settings

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = """
PREFLIGHT_GITHUB_TOKEN=token
PREFLIGHT_REPOSITORIES=acme/*
PREFLIGHT_WEBHOOK_SECRETS=secret
PREFLIGHT_PUBLIC_URL=https://preflight.example.com
"""


def without(name: str) -> str:
    return "\n".join(line for line in TOKEN.splitlines() if not line.startswith(name))


def test_a_token_and_what_belongs_to_it_is_enough() -> None:
    assert read_settings(TOKEN)["PREFLIGHT_REPOSITORIES"] == "acme/*"


def test_so_is_an_app(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("key")
    app = f"PREFLIGHT_GITHUB_APP_ID=1\nPREFLIGHT_GITHUB_PRIVATE_KEY_FILE={tmp_path}/key.pem\n"
    others = without("PREFLIGHT_GITHUB_TOKEN").replace("PREFLIGHT_REPOSITORIES=acme/*", "")
    assert read_settings(app + others)["PREFLIGHT_GITHUB_APP_ID"] == "1"


def test_without_the_file_it_says_where_to_begin() -> None:
    with pytest.raises(StackError, match=r"Copy \.env\.example to \.env"):
        read_settings(None)


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(StackError) as caught:
        read_settings("")
    for name in (
        "PREFLIGHT_GITHUB_TOKEN",
        "PREFLIGHT_GITHUB_APP_ID",
        "PREFLIGHT_WEBHOOK_SECRETS",
        "PREFLIGHT_PUBLIC_URL",
    ):
        assert name in str(caught.value)
    for managed in MANAGED:
        assert managed not in str(caught.value)
    assert "https://github.com/settings/personal-access-tokens/new" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["PREFLIGHT_GITHUB_TOKEN", "PREFLIGHT_REPOSITORIES", "PREFLIGHT_WEBHOOK_SECRETS", "PREFLIGHT_PUBLIC_URL"],
)
def test_one_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(StackError, match=name):
        read_settings(without(name))


def test_a_misspelt_one_is_told() -> None:
    with pytest.raises(StackError, match="did you mean PREFLIGHT_REPOSITORIES"):
        read_settings(f"{TOKEN}\nPREFLIGHT_REPOSITORYS=acme/*")


@pytest.mark.parametrize("name", [*MANAGED, "PREFLIGHT_DATABASE_URL_FILE"])
def test_what_it_sets_itself_it_will_not_be_told(name: str) -> None:
    with pytest.raises(StackError, match=f"{name} itself"):
        read_settings(f"{TOKEN}\n{name}=x")

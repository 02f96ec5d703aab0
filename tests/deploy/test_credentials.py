"""The secrets of a checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from deploy.local.credentials import Credentials

if TYPE_CHECKING:
    from pathlib import Path

KINDS = (Credentials.token, Credentials.password, Credentials.fernet_key)


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_secret_stays_the_same_and_is_no_other(tmp_path: Path, make: object) -> None:
    assert callable(make)
    first = make(Credentials(tmp_path / "one"), "name")
    assert make(Credentials(tmp_path / "one"), "name") == first
    assert make(Credentials(tmp_path / "one"), "other name") != first
    assert make(Credentials(tmp_path / "two"), "name") != first


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_only_its_owner_can_read_it(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(Credentials(tmp_path / "secrets"), "name")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "secrets" / "name").stat().st_mode & 0o777 == 0o600


def test_a_secret_of_somebody_else_replaces_the_one_before(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path)
    credentials.keep("key", "first")
    file = credentials.keep("key", "second")
    assert file.read_text() == "second"
    assert file.stat().st_mode & 0o777 == 0o600


def test_airflows_are_all_different_and_of_the_right_form(tmp_path: Path) -> None:
    airflow = Credentials(tmp_path).airflow()
    assert len({airflow.jwt, airflow.api, airflow.fernet, airflow.admin_password, airflow.bot_password}) == 5
    assert Fernet(airflow.fernet)
    assert len(airflow.jwt) >= 64  # what HMAC-SHA512 wants

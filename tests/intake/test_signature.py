"""Signatures over raw bytes, as GitHub makes them."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.signature import sign, verify

BODY, SECRET = b'{"action": "opened"}', "It's a Secret to Everybody"


def test_is_what_github_documents() -> None:
    """The example of GitHub's page on validating deliveries."""
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign(b"Hello, World!", SECRET) == expected
    assert verify(b"Hello, World!", expected, [SECRET])


def test_any_of_several_secrets_will_do() -> None:
    for secret in ("old", "new"):
        assert verify(BODY, sign(BODY, secret), ["old", "new"])


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param("sha256=", id="no-digest"),
        pytest.param("sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest(), id="sha1"),
        pytest.param(sign(BODY, SECRET).removeprefix("sha256="), id="no-prefix"),
        pytest.param(sign(BODY, SECRET).upper(), id="upper-case"),
        pytest.param(sign(BODY, SECRET) + " ", id="longer"),
        pytest.param(sign(BODY, SECRET)[:-1], id="shorter"),
        pytest.param(sign(BODY, "another"), id="another-secret"),
        pytest.param(sign(BODY + b"\n", SECRET), id="another-body"),
        pytest.param("sha256=é", id="not-ascii"),
    ],
)
def test_anything_else_is_refused(signature: str | None) -> None:
    assert not verify(BODY, signature, [SECRET])


@pytest.mark.parametrize("secrets", [[], [""], ["", ""]], ids=["none", "an-empty-one", "two-empty-ones"])
def test_an_empty_secret_opens_nothing(secrets: list[str]) -> None:
    assert not verify(BODY, sign(BODY, ""), secrets)


@given(body=st.binary(), signature=st.none() | st.text(), secret=st.text(min_size=1))
def test_never_raises(body: bytes, signature: str | None, secret: str) -> None:
    try:
        secret.encode()
    except UnicodeEncodeError:
        return  # no environment holds such a secret
    assert not verify(body, signature, [secret])
    assert verify(body, sign(body, secret), [secret])

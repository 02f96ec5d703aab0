"""Which addresses and credentials are accepted, and what is said about the others."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bot.adapters.github import AppKey, GitHubClient, PersonalToken
from bot.adapters.github.api_url import check_api_url
from bot.errors import SettingsError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.github.com", "https://api.github.com"),
        ("https://api.github.com/", "https://api.github.com"),
        ("https://ghe.example/api/v3", "https://ghe.example/api/v3"),
        ("https://ghe.example:8443/api/v3/", "https://ghe.example:8443/api/v3"),
        ("http://127.0.0.1:9000/api/v3", "http://127.0.0.1:9000/api/v3"),
        ("http://127.8.8.8:9000", "http://127.8.8.8:9000"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://[::1]:9000/api/v3", "http://[::1]:9000/api/v3"),
    ],
)
def test_an_address_of_an_api_is_accepted(url: str, expected: str) -> None:
    assert check_api_url(url) == expected


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        pytest.param("http://api.github.com", "https://", id="plain http"),
        pytest.param("http://127.0.0.1.evil.example", "https://", id="only looks like loopback"),
        pytest.param("http://localhost.evil.example", "https://", id="only looks like localhost"),
        pytest.param("http://10.0.0.1/api/v3", "https://", id="private is not loopback"),
        pytest.param("https://bot:s3cret@ghe.example/api/v3", "before the @", id="password"),
        pytest.param("https://s3cret@ghe.example/api/v3", "before the @", id="user"),
        pytest.param("https://github.com", "https://api.github.com", id="the web's address"),
        pytest.param("ftp://api.github.com", "must be a URL", id="ftp"),
        pytest.param("api.github.com", "must be a URL", id="no scheme"),
        pytest.param("", "must be a URL", id="empty"),
        pytest.param("https:///api", "must be a URL", id="no host"),
        pytest.param("https://ghe.example:http", "not a URL", id="port is no number"),
        pytest.param("https://ghe.example:99999", "not a URL", id="port is too large"),
        pytest.param("https://[::1", "not a URL", id="broken IPv6"),
        pytest.param("https://ghe.example/api/v3?x=1", "plain address", id="query"),
        pytest.param("https://ghe.example/api/v3#x", "plain address", id="fragment"),
        pytest.param("https://ghe.example/api v3", "plain address", id="space"),
        pytest.param("https://ghé.example", "must be a URL", id="not ASCII"),
        pytest.param("https://ghe.example/\r\nX: y", "must be a URL", id="line break"),
    ],
)
def test_another_address_is_refused_with_a_hint(url: str, hint: str) -> None:
    with pytest.raises(SettingsError, match="PREFLIGHT_GITHUB_API_URL") as refused:
        check_api_url(url)
    assert hint in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("token", ["ghp_abcDEF123", "github_pat_11AAA_b", "a" * 40])
def test_a_token_is_accepted(token: str) -> None:
    assert PersonalToken(token).token == token


@pytest.mark.parametrize("token", ["", " ", "ghp_abc\n", "ghp abc", "ghp_abc\r\nX-Evil: 1", "ghp_ä"])
def test_what_cannot_be_a_token_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(SettingsError, match="PREFLIGHT_GITHUB_TOKEN") as refused:
        PersonalToken(token)
    assert "abc" not in str(refused.value)


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    form: PrivateFormat = PrivateFormat.TraditionalOpenSSL,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_an_rsa_private_key_is_accepted(rsa_key: rsa.RSAPrivateKey, form: PrivateFormat) -> None:
    assert AppKey("12345", pem(rsa_key, form)).app_id == "12345"


@pytest.mark.parametrize("app_id", ["12345", "Iv1.8a61f9b3a7aba766", "Iv23liABCdef"])
def test_an_app_is_named_by_its_number_or_client_id(app_id: str, rsa_key: rsa.RSAPrivateKey) -> None:
    assert AppKey(app_id, pem(rsa_key)).app_id == app_id


@pytest.mark.parametrize("app_id", ["", " ", "12345\n", "my app", "preflight-bot"])
def test_what_cannot_be_an_app_id_is_refused(app_id: str, rsa_key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(SettingsError, match="PREFLIGHT_GITHUB_APP_ID"):
        AppKey(app_id, pem(rsa_key))


def test_a_public_key_is_told_apart(rsa_key: rsa.RSAPrivateKey) -> None:
    public = rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(SettingsError, match=r"a public key: generate and download a private key"):
        AppKey("1", public)


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_an_encrypted_key_is_told_apart(rsa_key: rsa.RSAPrivateKey, form: PrivateFormat) -> None:
    with pytest.raises(SettingsError, match="encrypted with a passphrase"):
        AppKey("1", pem(rsa_key, form, BestAvailableEncryption(b"passphrase")))


def test_a_key_of_another_kind_is_told_apart() -> None:
    with pytest.raises(SettingsError, match="not an RSA key"):
        AppKey("1", pem(ec.generate_private_key(ec.SECP256R1())))


def test_a_short_key_is_refused() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - too short on purpose
    with pytest.raises(SettingsError, match="1024 bits"):
        AppKey("1", pem(short))


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        pytest.param(lambda _: "", "no PEM", id="empty"),
        pytest.param(lambda _: "/run/secrets/key.pem", "no PEM", id="a path"),
        pytest.param(lambda key: key.replace("\n", "\\n"), "real line breaks", id="escaped line breaks"),
        pytest.param(lambda key: key[:300], "damaged", id="cut off"),
        pytest.param(
            lambda key: key.replace("RSA PRIVATE KEY", "CERTIFICATE"), "a certificate", id="certificate"
        ),
    ],
)
def test_a_damaged_key_is_refused(rsa_key: rsa.RSAPrivateKey, change: object, hint: str) -> None:
    assert callable(change)
    with pytest.raises(SettingsError, match=hint) as refused:
        AppKey("1", change(pem(rsa_key)))
    assert pem(rsa_key)[40:100] not in str(refused.value)


def test_no_secret_shows_in_a_repr(rsa_key: rsa.RSAPrivateKey) -> None:
    key = AppKey("12345", pem(rsa_key))
    token = PersonalToken("ghp_s3cret")
    clients = [GitHubClient("https://api.github.com", each) for each in (key, token)]
    shown = repr([key, token, *clients])
    assert "https://api.github.com" in shown
    assert "12345" in shown
    assert "s3cret" not in shown
    assert "PRIVATE KEY" not in shown

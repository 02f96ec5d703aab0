"""Google as who signs identity tokens: a key and its certificate, made for the tests."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "push@a-project.iam.gserviceaccount.com"
AUDIENCE = "https://preflight.example.com/pubsub"
KEY_ID = "the-key-of-today"


@functools.cache
def key(name: str = "google") -> rsa.RSAPrivateKey:
    """A private key, the same for the same name."""
    return rsa.generate_private_key(65537, 2048)


def pem(name: str = "google") -> str:
    """It as a file would hold it."""
    return (
        key(name)
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )


@functools.cache
def certificate(name: str = "google") -> str:
    """The certificate of a key, in PEM, as Google publishes it."""
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon.example.com")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key(name).public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key(name), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def public_key(name: str = "google") -> str:
    """The public key alone, in PEM."""
    public = key(name).public_key()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def claims(**changed: object) -> dict[str, object]:
    """What a token of Pub/Sub's says; a claim that is changed to None is left out."""
    now = int(time.time())
    said: dict[str, object] = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "azp": "113774264463038321964",
        "sub": "113774264463038321964",
        "email": ACCOUNT,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    return {name: value for name, value in (said | changed).items() if value is not None}


def token(signed_with: str = "google", key_id: str | None = KEY_ID, **changed: object) -> str:
    """A token with these claims changed, signed as Google signs."""
    signer = crypt.RSASigner.from_string(pem(signed_with), key_id)  # type: ignore[no-untyped-call]  # untyped there
    return str(jwt.encode(signer, claims(**changed)), "ascii")  # type: ignore[no-untyped-call]  # likewise


def unsigned(algorithm: str = "none") -> str:
    """A token that names no key's algorithm, and has no signature."""
    return f"{_part({'alg': algorithm, 'typ': 'JWT', 'kid': KEY_ID})}.{_part(claims())}."


def signed_by_what_is_public(secret: str) -> str:
    """A token with an HMAC, made with what everybody can know."""
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': KEY_ID})}.{_part(claims())}"
    return f"{signed}.{_base64(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def _part(said: Mapping[str, Any]) -> str:
    return _base64(json.dumps(said).encode())


def _base64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")

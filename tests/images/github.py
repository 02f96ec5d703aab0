"""The stand-in GitHub as pods reach it: by HTTPS, with a certificate of an authority made up for it."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from werkzeug.serving import make_server

from tests.github_standin.client import Standin
from tests.github_standin.limits import Limits
from tests.github_standin.server import Handler, make_hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class ServedGitHub:
    """One that is being served."""

    standin: Standin
    """For us: what drives it."""
    url: str
    """For pods."""

    @property
    def api_url(self) -> str:
        """For the bot."""
        return f"{self.url}/api/v3"


@dataclass(frozen=True)
class Authority:
    """A certificate authority with one certificate, for one address."""

    certificate: str
    """The authority's own, in PEM: what programs must trust."""
    served: str
    """The address's certificate and its key, in PEM."""


def make_authority(address: str) -> Authority:
    """Make one up."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Preflight's tests")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    authority = (
        _certificate(issuer, issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "GitHub's stand-in")])
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    certificate = (
        _certificate(name, issuer, key.public_key())
        .add_extension(addresses, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    served = private + certificate.public_bytes(pem)
    return Authority(authority.public_bytes(pem).decode(), served.decode())


@contextlib.contextmanager
def serving(folder: Path, address: str, authority: Authority) -> Iterator[ServedGitHub]:
    """Serve it at `address` for pods, and on the loopback interface for us, until the end."""
    hub = make_hub(folder / "github", limits=Limits(), check=False)
    pem = folder / "github.pem"
    pem.touch(mode=0o600)
    pem.write_text(authority.served)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    plain = make_server("127.0.0.1", 0, hub.log, threaded=True, request_handler=Handler)
    secure = make_server(address, 0, hub.log, threaded=True, request_handler=Handler, ssl_context=tls)
    hub.world.base_url = f"https://{address}:{secure.server_port}"
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in (plain, secure)]
    for thread in threads:
        thread.start()
    try:
        yield ServedGitHub(Standin(f"http://127.0.0.1:{plain.server_port}"), hub.world.base_url)
    finally:
        for server, thread in zip((plain, secure), threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
        hub.webhooks.stop()


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    """An authority's, which signs certificates, or a server's."""
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )

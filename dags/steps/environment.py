"""The clean environment of a step: an allow-list, never Airflow's settings, tokens or database URLs."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

_PLATFORM = frozenset({"PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "SYSTEMROOT"})
_TRUST = frozenset(
    {"SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"}
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy")
CLOUD = (
    *("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "DOCKER_HOST", "DOCKER_CONFIG"),
    *("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", *PROXIES),
)
"""What a step inherits that talks to a cloud, cluster or registry, and runs no code of the pull request."""
_PROXIES = frozenset({*PROXIES, "no_proxy"})


def clean(environ: Mapping[str, str], *, inherit: Iterable[str] = ()) -> dict[str, str]:
    """Return what of `environ` a step may see.

    That is the platform's own names, certificates, proxies without a password, and the names in `inherit`
    that a step declares to need (they reach it as they are).
    """
    declared = frozenset(inherit)
    kept = {name: value for name, value in environ.items() if name in declared or _harmless(name, value)}
    return kept | {"TERM": "dumb"}


def _harmless(name: str, value: str) -> bool:
    if name in _PROXIES:
        return name.lower() == "no_proxy" or not _has_password(value)
    return name in _PLATFORM or name in _TRUST or name.startswith("LC_")


def _has_password(url: str) -> bool:
    try:
        return "@" in urlsplit(url if "://" in url else f"http://{url}").netloc
    except ValueError:
        return True

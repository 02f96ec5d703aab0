"""What our processes inherit of the environment that `make` was started in: little."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOT_PYTHON = ROOT / ".venv/bin/python"
AIRFLOW_PYTHON = ROOT / ".venv-airflow/bin/python"
STATE = ROOT / ".preflight"
"""Where stacks keep what they have, if nothing else is said."""
LOOPBACK = "127.0.0.1,localhost"

_PERSON = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "TMPDIR", "TZ", "USER")
_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "http_proxy", "https_proxy")
_CERTIFICATES = ("CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE")


def base() -> dict[str, str]:
    """The environment that every child begins with.

    Nothing that changes what Python, git, PostgreSQL or Airflow do gets through, such as a developer's own
    AIRFLOW_HOME, or PYTHONDONTWRITEBYTECODE, which would make every start of Airflow 3 s slower.
    """
    inherited = {
        name: os.environ[name] for name in (*_PERSON, *_PROXIES, *_CERTIFICATES) if os.environ.get(name)
    }
    # The interpreter's own folder, last: pipelines call `python3`, and a machine may have only python3.12.
    path = [os.environ.get("PATH", os.defpath), str(Path(sys.base_prefix) / "bin")]
    return {
        "LANG": "C.UTF-8",
        **inherited,
        "PATH": os.pathsep.join(path),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": without_proxy(),
        "no_proxy": without_proxy(),
    }


def without_proxy() -> str:
    """The hosts to reach directly: our own, and those that were set before."""
    before = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return ",".join(filter(None, (before, LOOPBACK)))

"""What of the file system a step may see and change: a pure reading of Airflow's environment."""

import contextlib
import os
import re
import stat
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

_DAGS = Path(__file__).resolve().parents[1]
_HOMES = ("/root", "/home")
_SOCKETS = ("/run", "/var/run")
_OURS = ("AIRFLOW", "_AIRFLOW", "PREFLIGHT_")
_NO_SECRETS = frozenset(
    {"AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__CORE__PLUGINS_FOLDER", "PREFLIGHT_STEP_BWRAP"}
)
_SECRETS = re.compile(r"CREDENTIAL|SECRET|TOKEN|PASSW|KEY|KUBECONFIG|NETRC|PGPASS", re.IGNORECASE)
_TRUST = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
)


@dataclass(frozen=True)
class Places:
    """Absolute paths without links, each of which exists. Of two that are nested the inner one counts."""

    writable: frozenset[Path]
    readable: frozenset[Path]
    """Shown although they are below something hidden."""
    hidden: frozenset[Path]


def places(
    environ: Mapping[str, str],
    *,
    env: Mapping[str, str],
    writable: Collection[Path],
    readable: Collection[Path],
    hidden: Collection[Path],
) -> Places:
    """Return what a step sees that has the environment `env`, when Airflow has `environ`."""
    secret = {*hidden, *_secrets(environ), *(Path(path) for path in (*_SOCKETS, *_HOMES))}
    own = _real({*writable, *_listed(environ, "PREFLIGHT_STEP_SHARED")})
    seen = _real({*readable, *_programs(env), *_certificates(env)}) - own
    return Places(writable=own, readable=seen, hidden=_real(secret) - seen - own - {Path("/")})


def _secrets(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield what Airflow's environment names: its folders, databases, and files of keys."""
    person = environ.get("HOME", "")
    yield Path(environ.get("AIRFLOW_HOME") or f"{person}/airflow")
    if person not in {"", "/"}:
        yield Path(person)
    yield from _listed(environ, "PREFLIGHT_STEP_HIDDEN")
    for name, value in environ.items():
        if name in _NO_SECRETS or not (name.startswith(_OURS) or _SECRETS.search(name)):
            continue
        for path in _paths_in(value):
            with contextlib.suppress(OSError, ValueError):
                status = path.stat()
                program = stat.S_ISREG(status.st_mode) and status.st_mode & 0o111
                if not program and (name.startswith(_OURS) or not path.is_dir()):
                    yield _volume(path)


def _listed(environ: Mapping[str, str], name: str) -> Iterator[Path]:
    yield from map(Path, filter(None, environ.get(name, "").split(os.pathsep)))


def _paths_in(value: str) -> Iterator[Path]:
    """Yield the absolute paths that a setting consists of, or that a URL in it has: a database's socket."""
    if value.startswith("/"):
        yield Path(value)
        return
    with contextlib.suppress(ValueError):
        url = urlsplit(value)
        if url.scheme:
            named = [unquote(url.path.removeprefix("/") if url.scheme.startswith("sqlite") else url.path)]
            named += [text for _, text in parse_qsl(url.query)]
            yield from (Path(text) for text in named if len(text) > 1 and text.startswith("/"))


def _volume(path: Path) -> Path:
    """Return the volume that a file is in where that is its folder, as a Kubernetes Secret's is."""
    parent = path.parent
    return parent if path.is_file() and parent != Path("/") and os.path.ismount(parent) else path


def _programs(env: Mapping[str, str]) -> Iterator[Path]:
    """Yield where the interpreter, our binaries and what is on PATH are, in a home folder for instance."""
    yield from (Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent, _DAGS)
    for folder in map(Path, env.get("PATH", os.defpath).split(os.pathsep)):
        if folder.is_absolute():
            # pyenv and its like need what is beside their shims; npm is in a lib beside bin.
            yield from [folder.parent] if folder.name == "shims" else [folder, folder.parent / "lib"]
    yield Path("/etc/resolv.conf")  # often a link into /run


def _certificates(env: Mapping[str, str]) -> Iterator[Path]:
    yield from (Path(env[name]) for name in _TRUST if env.get(name, "").startswith("/"))


def _real(paths: Collection[Path]) -> frozenset[Path]:
    """Return them without links; what we can't look at is out of the step's reach, too."""
    return frozenset(path.resolve() for path in paths if os.path.exists(path))  # noqa: PTH110 - raises nothing

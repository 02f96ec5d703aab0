"""Settings: the only reader of the environment. What is missing or misspelt is said all at once."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.errors import SettingsError
from bot.policy.configuration.fields import DAGS, FORMS, REPOSITORIES
from bot.policy.operator import Operator, Serve
from bot.policy.operator_file import read_operator

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "PREFLIGHT_"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable: what it means, its default (None: it must be set), and whether X_FILE may hold it."""

    name: str
    help: str
    default: str | None = None
    secret: bool = False


SETTINGS = (
    Setting(
        "PREFLIGHT_NAME",
        "this installation's name, part of every DAG run id",
        "preflight",
    ),
    Setting(
        "PREFLIGHT_DATABASE_URL",
        "PostgreSQL, as postgresql+psycopg://USER:PASSWORD@HOST/DATABASE",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_WEBHOOK_SECRETS",
        "the webhook's secret; comma-separated while one replaces another",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_GITHUB_API_URL",
        "GitHub's API; https://HOST/api/v3 for Enterprise Server",
        "https://api.github.com",
    ),
    Setting(
        "PREFLIGHT_GITHUB_TOKEN",
        "a personal token; or set the two below for a GitHub App",
        "",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_GITHUB_APP_ID",
        "the GitHub App's id",
        "",
    ),
    Setting(
        "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE",
        "the GitHub App's private key, a PEM file",
        "",
    ),
    Setting(
        "PREFLIGHT_CONFIG",
        "a TOML file: who is served, which DAGs, whom all trust, limits; see deploy/CONFIGURATION.md",
        "",
    ),
    Setting(
        "PREFLIGHT_REPOSITORIES",
        "served repositories, as acme/*; default: the App owner's; none with a token",
        "",
    ),
    Setting(
        "PREFLIGHT_AIRFLOW_URL",
        "Airflow's api-server, such as http://airflow-api-server:8080",
    ),
    Setting(
        "PREFLIGHT_AIRFLOW_USERNAME",
        "a user who may trigger DAGs and read logs",
    ),
    Setting(
        "PREFLIGHT_AIRFLOW_PASSWORD",
        "that user's password",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_ALLOWED_DAGS",
        "DAG ids that pipelines may name; default: DAGs tagged preflight",
        "",
    ),
    Setting(
        "PREFLIGHT_NUDGE_SECRET",
        "shared with Airflow's plugin; without it runs are only polled",
        "",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_PUBLIC_URL",
        "where people reach the run pages: https://preflight.example.com",
    ),
    Setting(
        "PREFLIGHT_LISTEN",
        "HOST:PORT for webhooks and run pages",
        "127.0.0.1:8080",
    ),
    Setting(
        "PREFLIGHT_INTERNAL_LISTEN",
        "HOST:PORT for metrics, readiness and nudges",
        "127.0.0.1:8081",
    ),
    Setting(
        "PREFLIGHT_WORKER_LISTEN",
        "HOST:PORT for the worker's own metrics; default: none",
        "",
    ),
    Setting(
        "PREFLIGHT_WEB_PROCESSES",
        "gunicorn worker processes, 8 threads each",
        "2",
    ),
    Setting(
        "PREFLIGHT_LOG_LEVEL",
        "debug, info, warning or error",
        "info",
    ),
)

KNOWN = {setting.name: setting for setting in SETTINGS} | {
    f"{setting.name}_FILE": setting for setting in SETTINGS if setting.secret
}
# Kubernetes puts these into every pod that shares a namespace with a Service called preflight-something.
SERVICE = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that the environment says, checked. Secrets stay out of its repr."""

    name: str
    database_url: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    github_api_url: str
    github_token: str = field(repr=False)
    github_app_id: str
    github_private_key: str = field(repr=False)
    operator: Operator
    airflow_url: str
    airflow_username: str
    airflow_password: str = field(repr=False)
    nudge_secret: str = field(repr=False)
    public_url: str
    listen: Address
    internal_listen: Address
    worker_listen: Address | None
    web_processes: int
    log_level: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """Our own secrets, never to be shown anywhere."""
        own = (*self.webhook_secrets, self.github_token, self.airflow_password, self.nudge_secret)
        return tuple(secret for secret in own if secret)

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """Read and check the environment; SettingsError names everything that is wrong in it."""
        reader = _Reader(environment)
        app_id, token = reader.text("PREFLIGHT_GITHUB_APP_ID"), reader.text("PREFLIGHT_GITHUB_TOKEN")
        key_file = reader.text("PREFLIGHT_GITHUB_PRIVATE_KEY_FILE")
        if bool(app_id) == bool(token):
            reader.problems.append(
                "set PREFLIGHT_GITHUB_TOKEN or PREFLIGHT_GITHUB_APP_ID" + (", not both" if app_id else "")
            )
        if bool(app_id) != bool(key_file):
            reader.problems.append(
                "PREFLIGHT_GITHUB_APP_ID and PREFLIGHT_GITHUB_PRIVATE_KEY_FILE go together"
            )
        if (
            not reader.items("PREFLIGHT_WEBHOOK_SECRETS")
            and "PREFLIGHT_WEBHOOK_SECRETS" not in reader.missing
        ):
            reader.missing.append("PREFLIGHT_WEBHOOK_SECRETS")
        settings = cls(
            name=reader.matching(
                "PREFLIGHT_NAME", r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}", "letters, digits, '.' and '-'"
            ),
            database_url=reader.database_url(),
            webhook_secrets=reader.items("PREFLIGHT_WEBHOOK_SECRETS"),
            github_api_url=reader.url("PREFLIGHT_GITHUB_API_URL", loopback_only=True),
            github_token=token,
            github_app_id=app_id,
            github_private_key=reader.file("PREFLIGHT_GITHUB_PRIVATE_KEY_FILE", key_file) if key_file else "",
            operator=_operator(reader, has_app=bool(app_id)),
            airflow_url=reader.url("PREFLIGHT_AIRFLOW_URL"),
            airflow_username=reader.text("PREFLIGHT_AIRFLOW_USERNAME"),
            airflow_password=reader.text("PREFLIGHT_AIRFLOW_PASSWORD"),
            nudge_secret=reader.text("PREFLIGHT_NUDGE_SECRET"),
            public_url=reader.url("PREFLIGHT_PUBLIC_URL"),
            listen=reader.address("PREFLIGHT_LISTEN"),
            internal_listen=reader.address("PREFLIGHT_INTERNAL_LISTEN"),
            worker_listen=reader.address("PREFLIGHT_WORKER_LISTEN")
            if reader.text("PREFLIGHT_WORKER_LISTEN")
            else None,
            web_processes=int(
                reader.matching("PREFLIGHT_WEB_PROCESSES", r"[1-9][0-9]?", "a number from 1 to 99") or 1
            ),
            log_level=reader.matching(
                "PREFLIGHT_LOG_LEVEL", "debug|info|warning|error", "one of these words"
            ),
        )
        if settings.listen.port and settings.listen.port == settings.internal_listen.port:
            reader.problems.append("PREFLIGHT_INTERNAL_LISTEN must have another PORT than PREFLIGHT_LISTEN")
        reader.done()
        return settings


def _operator(reader: _Reader, *, has_app: bool) -> Operator:
    """The operator's word: a file, or the two settings that are shorthands for it.

    With a GitHub App and nothing said, its owner's repositories are served; with a token, none.
    """
    repositories, dags = reader.items("PREFLIGHT_REPOSITORIES"), reader.items("PREFLIGHT_ALLOWED_DAGS")
    path = reader.text("PREFLIGHT_CONFIG")
    if not path:
        serve = Serve(
            reader.each("PREFLIGHT_REPOSITORIES", repositories, REPOSITORIES),
            reader.each("PREFLIGHT_ALLOWED_DAGS", dags, DAGS) or None,
        )
        return Operator((serve,) if repositories or has_app else ())
    for name, given in (("PREFLIGHT_REPOSITORIES", repositories), ("PREFLIGHT_ALLOWED_DAGS", dags)):
        if given:
            reader.problems.append(f"{name} and PREFLIGHT_CONFIG are both set: move it into the file")
    problems = len(reader.problems)
    text = reader.file("PREFLIGHT_CONFIG", path)
    try:
        operator = read_operator(text, path) if len(reader.problems) == problems else Operator()
    except SettingsError as error:
        reader.problems.append(str(error))
        return Operator()
    if has_app:
        return operator if operator.serves else replace(operator, serves=(Serve(),))
    if any(not serve.repositories for serve in operator.serves):
        reader.problems.append(f"{path}: with a token, each [[serve]] must name its repositories")
    return operator


def database_url(environment: Mapping[str, str]) -> str:
    """The database alone, for what needs nothing else."""
    reader = _Reader(environment)
    url = reader.database_url()
    reader.done()
    return url


class _Reader:
    """Collects every problem before it complains."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems = [
            _unknown(name)
            for name, value in sorted(environment.items())
            if name.startswith(PREFIX) and name not in KNOWN and not _is_service(name, value)
        ]
        self.missing: list[str] = []

    def text(self, name: str) -> str:
        """The value, from the variable or the file that its _FILE twin names; stripped."""
        setting = KNOWN[name]
        value = self.environment.get(name, "").strip()
        file = self.environment.get(f"{name}_FILE", "").strip() if setting.secret else ""
        if value and file:
            self.problems.append(f"{name} and {name}_FILE are both set: keep one")
        if file and not value:
            value = self.file(f"{name}_FILE", file).strip()
        if value:
            return value
        if setting.default is None and name not in self.missing:
            self.missing.append(name)
        return setting.default or ""

    def file(self, name: str, path: str) -> str:
        """The content of the file that a setting names."""
        try:
            return Path(path).read_text()
        except (OSError, ValueError) as error:  # ValueError: no text, or no path at all
            self.problems.append(
                f"{name}: {path} can't be read ({getattr(error, 'strerror', None) or 'not text'})"
            )
            return ""

    def items(self, name: str) -> tuple[str, ...]:
        """A comma-separated list."""
        return tuple(item.strip() for item in self.text(name).split(",") if item.strip())

    def each(self, name: str, items: tuple[str, ...], pattern: str) -> tuple[str, ...]:
        """The items, each of which must have the form of that name."""
        wrong = [item for item in items if not re.fullmatch(pattern, item, re.ASCII)]
        self.problems += [f"{name}: {item!r} {FORMS[pattern]}" for item in wrong]
        return items

    def matching(self, name: str, pattern: str, expected: str) -> str:
        """A value of a certain form."""
        value = self.text(name)
        if not re.fullmatch(pattern, value):
            self.problems.append(f"{name} is {value!r}, but must be {expected}")
            return ""
        return value

    def url(self, name: str, *, loopback_only: bool = False) -> str:
        """An http or https address without a password; plain http only to this machine if so asked."""
        value = self.text(name).rstrip("/")
        if not value:
            return ""
        try:
            parts = urlsplit(value)
            host = parts.hostname
        except ValueError:
            host, parts = None, urlsplit("")
        if parts.scheme not in ("http", "https") or not host:
            self.problems.append(f"{name} is not an http:// or https:// address")
        elif parts.username or parts.password:
            self.problems.append(f"{name} must not hold a user or password")
        elif loopback_only and parts.scheme == "http" and host not in LOOPBACK:
            self.problems.append(
                f"{name} must be https:// (plain http:// would show the token to everybody between)"
            )
        return value

    def database_url(self) -> str:
        """An SQLAlchemy address of PostgreSQL through psycopg."""
        value = self.text("PREFLIGHT_DATABASE_URL")
        plain = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value)
        if value and not plain.startswith("postgresql+psycopg://"):
            self.problems.append("PREFLIGHT_DATABASE_URL must begin with postgresql+psycopg://")
        return plain

    def address(self, name: str) -> Address:
        """HOST:PORT."""
        host, _, port = self.text(name).rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the largest port
            self.problems.append(f"{name} must be HOST:PORT")
            return Address("", 0)
        return Address(host.strip("[]"), int(port))

    def done(self) -> None:
        """Complain, if there is anything to complain about."""
        missing = [f"{name} is missing: {KNOWN[name].help}" for name in self.missing]
        if missing or self.problems:
            raise SettingsError("\n".join((*missing, *self.problems)))


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, KNOWN, n=1)
    return f"{name} is no setting of Preflight" + (f": did you mean {near[0]}?" if near else "")


def _is_service(name: str, value: str) -> bool:
    return bool(SERVICE.search(name)) or ("_PORT" in name and value.startswith("tcp://"))

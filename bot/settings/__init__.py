"""Settings: the only reader of the environment. What is missing or misspelt is said all at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from bot.claims import Keep
from bot.errors import SettingsError
from bot.policy.configuration.fields import DAGS, REPOSITORIES
from bot.policy.operator import Operator, Serve
from bot.policy.operator_file import read_operator
from bot.settings.known import SETTINGS, Setting
from bot.settings.reader import LOOPBACK, Address, Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SETTINGS", "Address", "Keep", "Limits", "PubSub", "Setting", "Settings", "database_url", "pubsub"]


_INBOX = ("postgres|pubsub", "postgres or pubsub")
_EVENTS = ("http|pubsub", "http or pubsub")
SHORTEST_KEY_LINE = 16
"""Characters from which on a line of the private key is sought in what is shown: its last may be any word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What GitHub lets all of our processes together send; what it documents are its secondary limits."""

    points_per_minute: int = 900
    content_per_minute: int = 80
    content_per_hour: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PubSub:
    """Where on Google Cloud Pub/Sub our topics are. Subscriptions are called as their topics.

    `push_account` is the service account that pushes events to `push_url`, "" if nobody may; `audience` is
    that of its tokens. `emulator` (HOST:PORT) stands in for Google, as Google's own libraries understand
    PUBSUB_EMULATOR_HOST.
    """

    project: str
    prefix: str
    push_account: str = ""
    push_url: str = ""
    audience: str = ""
    emulator: str = ""

    @property
    def deliveries(self) -> str:
        """The topic of received deliveries."""
        return f"{self.prefix}-deliveries"

    @property
    def parked(self) -> str:
        """The topic of deliveries that can't be handled: the dead letters."""
        return f"{self.prefix}-parked"

    @property
    def events(self) -> str:
        """The topic to which Airflow's plugin publishes what changed."""
        return f"{self.prefix}-events"


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
    github_client_id: str
    github_client_secret: str = field(repr=False)
    github_limits: Limits
    operator: Operator
    airflow_url: str
    airflow_username: str
    airflow_password: str = field(repr=False)
    airflow_web_url: str
    nudge_secret: str = field(repr=False)
    inbox: Literal["postgres", "pubsub"]
    events: Literal["http", "pubsub"]
    pubsub: PubSub | None
    keep: Keep
    public_url: str
    pages: Literal["public", "github", "off"]
    session_keys: tuple[str, ...] = field(repr=False)
    artifacts_url: str
    listen: Address
    internal_listen: Address
    worker_listen: Address | None
    web_processes: int
    log_level: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """Our own secrets, and the operator's patterns of others: never to be shown anywhere."""
        key = [line for line in self.github_private_key.splitlines() if len(line) > SHORTEST_KEY_LINE]
        own = (
            password := urlsplit(self.database_url).password or "",
            unquote(password),
            *(line for line in key if not line.startswith("-----")),
            *self.webhook_secrets,
            self.github_token,
            self.github_client_secret,
            self.airflow_password,
            self.nudge_secret,
            *self.session_keys,
        )
        return (*(secret for secret in own if secret), *self.operator.redact)

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """Read and check the environment; SettingsError names everything that is wrong in it."""
        settings, problems = cls.read(environment)
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
        """What can be read of the environment, and everything that is wrong in it, each in a line.

        What a problem names is not to be used; without problems it is `from_env`.
        """
        reader = Reader(environment)
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
            github_client_id=reader.text("PREFLIGHT_GITHUB_CLIENT_ID"),
            github_client_secret=reader.text("PREFLIGHT_GITHUB_CLIENT_SECRET"),
            github_limits=Limits(
                points_per_minute=reader.count("PREFLIGHT_GITHUB_POINTS_PER_MINUTE"),
                content_per_minute=reader.count("PREFLIGHT_GITHUB_CONTENT_PER_MINUTE"),
                content_per_hour=reader.count("PREFLIGHT_GITHUB_CONTENT_PER_HOUR"),
            ),
            operator=_operator(reader, has_app=bool(app_id)),
            airflow_url=reader.url("PREFLIGHT_AIRFLOW_URL"),
            airflow_username=reader.text("PREFLIGHT_AIRFLOW_USERNAME"),
            airflow_password=reader.text("PREFLIGHT_AIRFLOW_PASSWORD"),
            airflow_web_url=reader.url("PREFLIGHT_AIRFLOW_WEB_URL") or reader.url("PREFLIGHT_AIRFLOW_URL"),
            nudge_secret=reader.text("PREFLIGHT_NUDGE_SECRET"),
            inbox="pubsub" if reader.matching("PREFLIGHT_INBOX", *_INBOX) == "pubsub" else "postgres",
            events="pubsub" if reader.matching("PREFLIGHT_EVENTS", *_EVENTS) == "pubsub" else "http",
            pubsub=_pubsub(reader),
            keep=Keep(
                deliveries=reader.days("PREFLIGHT_KEEP_DELIVERIES", at_least=4),
                logs=reader.days("PREFLIGHT_KEEP_LOGS"),
                runs=reader.days("PREFLIGHT_KEEP_RUNS"),
            ),
            public_url=reader.url("PREFLIGHT_PUBLIC_URL"),
            pages=reader.pages("PREFLIGHT_PAGES"),
            session_keys=reader.items("PREFLIGHT_SESSION_KEYS"),
            artifacts_url=reader.text("PREFLIGHT_ARTIFACTS_URL"),
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
        if settings.pages == "github":
            _check_sign_in(settings, reader)
        if settings.listen.port and settings.listen.port == settings.internal_listen.port:
            reader.problems.append("PREFLIGHT_INTERNAL_LISTEN must have another PORT than PREFLIGHT_LISTEN")
        return settings, reader.complaints()


def _pubsub(reader: Reader) -> PubSub | None:
    """Where our topics are, None if nothing of ours is on Pub/Sub."""
    account, audience = (reader.text(f"PREFLIGHT_PUBSUB_PUSH_{name}") for name in ("ACCOUNT", "AUDIENCE"))
    used = [name for name in ("PREFLIGHT_INBOX", "PREFLIGHT_EVENTS") if reader.text(name) == "pubsub"]
    project = reader.text("PREFLIGHT_PUBSUB_PROJECT")
    if used and not project:
        reader.problems.append(f"{used[0]}=pubsub needs PREFLIGHT_PUBSUB_PROJECT")
    # https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
    prefix = reader.matching(
        "PREFLIGHT_PUBSUB_PREFIX",
        r"(?!goog)[A-Za-z][A-Za-z0-9._~-]{0,199}",
        "letters, digits, '.', '_', '~' and '-', and not begin with goog",
    )
    if not project:
        return None
    push_url = f"{reader.text('PREFLIGHT_PUBLIC_URL').rstrip('/')}/pubsub"
    return PubSub(
        project=project,
        prefix=prefix,
        push_account=account,
        push_url=push_url,
        audience=audience or push_url,
        emulator=reader.environment.get("PUBSUB_EMULATOR_HOST", ""),
    )


def _check_sign_in(settings: Settings, reader: Reader) -> None:
    """Signing in needs the App's client, and an address that keeps its cookie from those between."""
    if not (settings.github_client_id and settings.github_client_secret):
        reader.problems.append(
            "PREFLIGHT_PAGES=github needs PREFLIGHT_GITHUB_CLIENT_ID and PREFLIGHT_GITHUB_CLIENT_SECRET"
        )
    parts = urlsplit(settings.public_url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        reader.problems.append("PREFLIGHT_PAGES=github needs an https:// PREFLIGHT_PUBLIC_URL")


def _operator(reader: Reader, *, has_app: bool) -> Operator:
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
    reader = Reader(environment)
    url = reader.database_url()
    reader.done()
    return url


def pubsub(environment: Mapping[str, str]) -> PubSub:
    """Pub/Sub alone, for what needs nothing else."""
    reader = Reader(environment)
    found = _pubsub(reader)
    if found is None:
        raise SettingsError("PREFLIGHT_PUBSUB_PROJECT is missing: the Google Cloud project of the topics")
    if not found.push_account:
        reader.missing.clear()  # our public address is only for those who push
    reader.done()
    return found

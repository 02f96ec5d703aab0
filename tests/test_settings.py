"""The environment: read once, checked whole, every problem said at once and what to do about it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SettingsError
from bot.policy.operator import Operator, Serve
from bot.settings import SETTINGS, Address, Limits, Settings, database_url, pubsub

if TYPE_CHECKING:
    from pathlib import Path

MINIMAL = {
    "PREFLIGHT_DATABASE_URL": "postgresql+psycopg://bot:database-password@db/preflight",
    "PREFLIGHT_WEBHOOK_SECRETS": "webhook-secret",
    "PREFLIGHT_GITHUB_TOKEN": "github-token",
    "PREFLIGHT_REPOSITORIES": "acme/*",
    "PREFLIGHT_AIRFLOW_URL": "http://airflow:8080",
    "PREFLIGHT_AIRFLOW_USERNAME": "ci-bot",
    "PREFLIGHT_AIRFLOW_PASSWORD": "airflow-password",
    "PREFLIGHT_PUBLIC_URL": "https://preflight.example.com",
}
INJECTED_BY_KUBERNETES = {
    "PREFLIGHT_WEB_SERVICE_HOST": "10.96.0.12",
    "PREFLIGHT_WEB_SERVICE_PORT": "80",
    "PREFLIGHT_WEB_SERVICE_PORT_HTTP": "80",
    "PREFLIGHT_WEB_SERVICE_PORT_INTERNAL": "8081",
    "PREFLIGHT_WEB_PORT": "tcp://10.96.0.12:80",
    "PREFLIGHT_WEB_PORT_8080_TCP": "tcp://10.96.0.12:80",
    "PREFLIGHT_WEB_PORT_8080_TCP_PROTO": "tcp",
    "PREFLIGHT_WEB_PORT_8080_TCP_PORT": "80",
    "PREFLIGHT_WEB_PORT_8080_TCP_ADDR": "10.96.0.12",
    "PREFLIGHT_SERVICE_HOST": "10.96.0.13",
    "PREFLIGHT_PORT": "tcp://10.96.0.13:80",
}


def read(**changed: str | None) -> Settings:
    """The minimal environment with these changes; None takes a variable away."""
    environment = {name: value for name, value in (MINIMAL | changed).items() if value is not None}
    return Settings.from_env(environment)


def complaint(**changed: str | None) -> str:
    with pytest.raises(SettingsError) as caught:
        read(**changed)
    return str(caught.value)


def app(tmp_path: Path) -> dict[str, str | None]:
    """What a GitHub App needs instead of a token."""
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN RSA PRIVATE KEY-----\nprivate\n-----END RSA PRIVATE KEY-----\n")
    return {
        "PREFLIGHT_GITHUB_TOKEN": None,
        "PREFLIGHT_GITHUB_APP_ID": "123",
        "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": str(key),
    }


class TestDefaults:
    def test_the_least_that_must_be_said_is_enough(self) -> None:
        settings = read()
        assert settings.name == "preflight"
        assert settings.github_api_url == "https://api.github.com"
        assert settings.listen == Address("127.0.0.1", 8080)
        assert settings.internal_listen == Address("127.0.0.1", 8081)
        assert settings.worker_listen is None
        assert settings.operator == Operator((Serve(("acme/*",)),))
        assert settings.nudge_secret == ""

    def test_people_reach_airflow_where_the_bot_does_unless_told_otherwise(self) -> None:
        assert read().airflow_web_url == "http://airflow:8080"
        assert read(PREFLIGHT_AIRFLOW_WEB_URL="https://air.example.com/").airflow_web_url == (
            "https://air.example.com"
        )

    def test_what_is_finished_is_kept_for_days(self) -> None:
        kept = read(PREFLIGHT_KEEP_LOGS="7d").keep
        assert (kept.deliveries.days, kept.logs.days, kept.runs.days) == (14, 7, 365)
        assert "a number of days" in complaint(PREFLIGHT_KEEP_RUNS="1y")
        assert "at least 4d" in complaint(PREFLIGHT_KEEP_DELIVERIES="3d")

    def test_githubs_limits_are_what_it_documents(self) -> None:
        assert read().github_limits == Limits(
            points_per_minute=900, content_per_minute=80, content_per_hour=500
        )
        assert read(PREFLIGHT_GITHUB_CONTENT_PER_HOUR="5").github_limits.content_per_hour == 5
        assert "a number from 1 on" in complaint(PREFLIGHT_GITHUB_CONTENT_PER_MINUTE="0")

    def test_the_bots_own_secrets_are_known_so_that_they_are_shown_nowhere(self, tmp_path: Path) -> None:
        key = tmp_path / "own.pem"
        key.write_text(
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA01234\nQ==\n-----END RSA PRIVATE KEY-----\n"
        )
        settings = read(**app(tmp_path) | {"PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": str(key)})
        assert set(settings.secrets) == {
            "database-password",
            "webhook-secret",
            "airflow-password",
            "MIIEpAIBAAKCAQEA01234",
        }

    def test_an_app_serves_its_owners_repositories(self, tmp_path: Path) -> None:
        settings = read(PREFLIGHT_REPOSITORIES=None, **app(tmp_path))
        assert settings.operator == Operator((Serve(),))
        assert settings.operator.owned_by("acme").serves == (Serve(("acme/*",)),)
        assert settings.github_app_id == "123"
        assert "private" in settings.github_private_key

    def test_an_empty_variable_is_as_good_as_none(self) -> None:
        assert read(PREFLIGHT_NAME="", PREFLIGHT_ALLOWED_DAGS=" ").name == "preflight"

    def test_other_peoples_variables_do_not_matter(self) -> None:
        assert read(PATH="/bin", AIRFLOW__CORE__X="1", MY_PREFLIGHT_X="1")


class TestValues:
    def test_several_webhook_secrets(self) -> None:
        assert read(PREFLIGHT_WEBHOOK_SECRETS="old, new,").webhook_secrets == ("old", "new")

    def test_patterns_of_repositories(self) -> None:
        (serve,) = read(PREFLIGHT_REPOSITORIES="acme/*, zoo/ape").operator.serves
        assert serve == Serve(("acme/*", "zoo/ape"))

    def test_allowed_dags(self) -> None:
        (serve,) = read(PREFLIGHT_ALLOWED_DAGS="checks,e2e").operator.serves
        assert serve == Serve(("acme/*",), ("checks", "e2e"))

    def test_allowed_dags_of_the_apps_owner(self, tmp_path: Path) -> None:
        changed = {"PREFLIGHT_REPOSITORIES": None, "PREFLIGHT_ALLOWED_DAGS": "checks"}
        (serve,) = read(**app(tmp_path), **changed).operator.serves
        assert serve == Serve((), ("checks",))

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
            ("postgresql://h/d", "postgresql+psycopg://h/d"),
            ("postgres://h/d", "postgresql+psycopg://h/d"),
        ],
    )
    def test_database_urls(self, given: str, expected: str) -> None:
        assert read(PREFLIGHT_DATABASE_URL=given).database_url == expected

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("0.0.0.0:80", Address("0.0.0.0", 80)),  # noqa: S104 - a value, nobody listens
            ("[::1]:80", Address("::1", 80)),
            ("localhost:65535", Address("localhost", 65535)),
        ],
    )
    def test_addresses(self, given: str, expected: Address) -> None:
        assert read(PREFLIGHT_LISTEN=given).listen == expected

    def test_an_address_can_be_written_again(self) -> None:
        assert (str(Address("::1", 80)), str(Address("127.0.0.1", 80))) == ("[::1]:80", "127.0.0.1:80")

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:9000",
            "http://localhost/api/v3",
            "http://[::1]:9000",
            "https://ghe.example/api/v3/",
        ],
    )
    def test_apis(self, url: str) -> None:
        assert read(PREFLIGHT_GITHUB_API_URL=url).github_api_url == url.rstrip("/")


class TestFiles:
    @pytest.mark.parametrize("name", [setting.name for setting in SETTINGS if setting.secret])
    def test_each_secret_can_come_from_one(self, name: str, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text(MINIMAL.get(name, "from a file") + "\n")
        expected = read(**{name: MINIMAL.get(name, "from a file")})
        assert read(**{name: None, f"{name}_FILE": str(file)}) == expected

    def test_that_is_missing_is_named(self) -> None:
        text = complaint(PREFLIGHT_GITHUB_TOKEN=None, PREFLIGHT_GITHUB_TOKEN_FILE="/nowhere/token")
        assert "PREFLIGHT_GITHUB_TOKEN_FILE" in text
        assert "/nowhere/token" in text

    def test_that_is_no_text_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"\xff\xfe")
        text = complaint(PREFLIGHT_GITHUB_TOKEN=None, PREFLIGHT_GITHUB_TOKEN_FILE=str(tmp_path / "x"))
        assert "PREFLIGHT_GITHUB_TOKEN_FILE" in text

    def test_beside_a_value_is_too_much(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("y")
        assert "both" in complaint(PREFLIGHT_GITHUB_TOKEN_FILE=str(tmp_path / "x"))

    def test_that_is_empty_holds_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("\n")
        changed = {"PREFLIGHT_WEBHOOK_SECRETS": None, "PREFLIGHT_WEBHOOK_SECRETS_FILE": str(tmp_path / "x")}
        assert "PREFLIGHT_WEBHOOK_SECRETS is missing" in complaint(**changed)

    def test_only_secrets_come_from_files(self) -> None:
        assert "PREFLIGHT_NAME_FILE" in complaint(PREFLIGHT_NAME_FILE="/x")

    def test_the_private_key_must_be_there(self, tmp_path: Path) -> None:
        changed = app(tmp_path) | {"PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": "/nowhere/key.pem"}
        assert "/nowhere/key.pem" in complaint(**changed)


class TestProblems:
    @pytest.mark.parametrize("name", [setting.name for setting in SETTINGS if setting.default is None])
    def test_what_is_missing_is_named_with_its_meaning(self, name: str) -> None:
        (setting,) = [one for one in SETTINGS if one.name == name]
        text = complaint(**{name: None})
        assert name in text
        assert setting.help in text

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"PREFLIGHT_NAME": "a b"}, "PREFLIGHT_NAME"),
            ({"PREFLIGHT_NAME": "x" * 33}, "PREFLIGHT_NAME"),
            ({"PREFLIGHT_NAME": "~"}, "PREFLIGHT_NAME"),
            ({"PREFLIGHT_DATABASE_URL": "mysql://h/d"}, "postgresql+psycopg://"),
            ({"PREFLIGHT_WEBHOOK_SECRETS": ","}, "PREFLIGHT_WEBHOOK_SECRETS"),
            ({"PREFLIGHT_GITHUB_API_URL": "http://ghe.example/api/v3"}, "https://"),
            ({"PREFLIGHT_GITHUB_API_URL": "http://127.0.0.1.evil.example"}, "https://"),
            ({"PREFLIGHT_GITHUB_API_URL": "http://localhost@evil.example"}, "PREFLIGHT_GITHUB_API_URL"),
            ({"PREFLIGHT_GITHUB_API_URL": "ftp://x"}, "http"),
            ({"PREFLIGHT_GITHUB_API_URL": "api.github.com"}, "http"),
            ({"PREFLIGHT_AIRFLOW_URL": "http://user:secret@airflow"}, "password"),
            ({"PREFLIGHT_AIRFLOW_URL": "http://[x"}, "PREFLIGHT_AIRFLOW_URL"),
            ({"PREFLIGHT_PUBLIC_URL": "preflight.example.com"}, "PREFLIGHT_PUBLIC_URL"),
            ({"PREFLIGHT_REPOSITORIES": "acme"}, "PREFLIGHT_REPOSITORIES: 'acme' must be OWNER/NAME"),
            ({"PREFLIGHT_REPOSITORIES": "acme/*\nzoo/*"}, "PREFLIGHT_REPOSITORIES"),
            ({"PREFLIGHT_ALLOWED_DAGS": "a b"}, "PREFLIGHT_ALLOWED_DAGS: 'a b' must be a DAG's id"),
            ({"PREFLIGHT_LISTEN": "8080"}, "HOST:PORT"),
            ({"PREFLIGHT_LISTEN": "x:99999"}, "HOST:PORT"),
            ({"PREFLIGHT_LISTEN": "x:port"}, "HOST:PORT"),
            ({"PREFLIGHT_LISTEN": ":8080"}, "HOST:PORT"),
            ({"PREFLIGHT_WORKER_LISTEN": "nowhere"}, "PREFLIGHT_WORKER_LISTEN"),
            ({"PREFLIGHT_WEB_PROCESSES": "0"}, "PREFLIGHT_WEB_PROCESSES"),
            ({"PREFLIGHT_WEB_PROCESSES": "many"}, "PREFLIGHT_WEB_PROCESSES"),
            ({"PREFLIGHT_LOG_LEVEL": "loud"}, "PREFLIGHT_LOG_LEVEL"),
            ({"PREFLIGHT_GITHUB_TOKEN": None}, "PREFLIGHT_GITHUB_APP_ID"),
            ({"PREFLIGHT_GITHUB_APP_ID": "1"}, "not both"),
            (
                {"PREFLIGHT_GITHUB_TOKEN": None, "PREFLIGHT_GITHUB_APP_ID": "1"},
                "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE",
            ),
            (
                {"PREFLIGHT_LISTEN": "10.0.0.1:8080", "PREFLIGHT_INTERNAL_LISTEN": "127.0.0.1:8080"},
                "PREFLIGHT_INTERNAL_LISTEN",
            ),
        ],
    )
    def test_are_said(self, changed: dict[str, str | None], says: str) -> None:
        assert says in complaint(**changed)

    def test_are_said_all_at_once(self) -> None:
        with pytest.raises(SettingsError) as caught:
            Settings.from_env({"PREFLIGHT_LISTEN": "x", "PREFLIGHT_WEBHOOK_SECRET": "x"})
        text = str(caught.value)
        for name in (
            "PREFLIGHT_LISTEN",
            "PREFLIGHT_WEBHOOK_SECRET ",
            "PREFLIGHT_DATABASE_URL",
            "PREFLIGHT_AIRFLOW_URL",
        ):
            assert name in text


class TestTheOperatorsFile:
    """`PREFLIGHT_CONFIG`; what it may hold is told by tests/policy/test_operator.py."""

    def write(self, folder: Path, text: str) -> dict[str, str | None]:
        """The settings with such a file."""
        file = folder / "preflight.toml"
        file.write_text(text)
        return {"PREFLIGHT_CONFIG": str(file), "PREFLIGHT_REPOSITORIES": None}

    def test_says_more_than_the_shorthands_can(self, tmp_path: Path) -> None:
        changed = self.write(tmp_path, "max_concurrency = 9\n[[serve]]\nrepositories = ['zoo/*']\n")
        assert read(**changed).operator == Operator((Serve(("zoo/*",)),), max_concurrency=9)

    @pytest.mark.parametrize("name", ["PREFLIGHT_REPOSITORIES", "PREFLIGHT_ALLOWED_DAGS"])
    def test_beside_a_shorthand_is_too_much(self, name: str, tmp_path: Path) -> None:
        changed = self.write(tmp_path, "") | {name: "acme/x" if "REPO" in name else "checks"}
        assert f"{name} and PREFLIGHT_CONFIG are both set: move it into the file" in complaint(**changed)

    def test_without_serve_serves_the_apps_owner(self, tmp_path: Path) -> None:
        changed = self.write(tmp_path, "trust = ['acme']") | app(tmp_path)
        assert read(**changed).operator == Operator((Serve(),), ("acme",))

    def test_and_with_a_token_nobody(self, tmp_path: Path) -> None:
        assert read(**self.write(tmp_path, "trust = ['acme']")).operator.serves == ()

    def test_a_token_has_no_owner_to_serve(self, tmp_path: Path) -> None:
        changed = self.write(tmp_path, "[[serve]]\nmax_concurrency = 3\n")
        assert "each [[serve]] must name its repositories" in complaint(**changed)
        assert read(**changed | app(tmp_path)).operator.serves == (Serve(max_concurrency=3),)

    def test_that_is_wrong_is_told_with_all_else(self, tmp_path: Path) -> None:
        text = complaint(**self.write(tmp_path, "\ntrusted = 3\n"), PREFLIGHT_LISTEN="x")
        assert "preflight.toml:2: unknown key 'trusted'" in text
        assert "PREFLIGHT_LISTEN" in text

    def test_must_be_there(self) -> None:
        text = complaint(PREFLIGHT_CONFIG="/nowhere/preflight.toml", PREFLIGHT_REPOSITORIES=None)
        assert "PREFLIGHT_CONFIG: /nowhere/preflight.toml can't be read" in text


class TestUnknownNames:
    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("PREFLIGHT_WEBHOOK_SECRET", "PREFLIGHT_WEBHOOK_SECRETS"),
            ("PREFLIGHT_GITHUB_TOKN", "PREFLIGHT_GITHUB_TOKEN"),
            ("PREFLIGHT_AIRFLOW_USERNAM", "PREFLIGHT_AIRFLOW_USERNAME"),
            ("PREFLIGHT_DATABASE", "PREFLIGHT_DATABASE_URL"),
        ],
    )
    def test_are_refused_with_a_suggestion(self, name: str, meant: str) -> None:
        assert f"did you mean {meant}" in complaint(**{name: "x"})

    def test_far_from_any_get_none(self) -> None:
        text = complaint(PREFLIGHT_QQQQQQQQQQQQ="x")
        assert "PREFLIGHT_QQQQQQQQQQQQ" in text
        assert "did you mean" not in text

    @pytest.mark.parametrize(("name", "value"), INJECTED_BY_KUBERNETES.items(), ids=INJECTED_BY_KUBERNETES)
    def test_but_not_what_kubernetes_injects(self, name: str, value: str) -> None:
        assert read(**{name: value}) == read()

    @pytest.mark.parametrize("name", ["PREFLIGHT_PORT", "PREFLIGHT_WEB_PORT", "PREFLIGHT_EXPORT_X"])
    def test_nor_do_they_open_a_door_for_misspelt_ones(self, name: str) -> None:
        assert name in complaint(**{name: "8080"})


class TestSecrets:
    def test_never_show_up_in_a_repr(self, tmp_path: Path) -> None:
        for settings in (read(PREFLIGHT_NUDGE_SECRET="nudge-secret"), read(**app(tmp_path))):
            shown = f"{settings!r} {settings}"
            for secret in (
                "webhook-secret",
                "github-token",
                "airflow-password",
                "database-password",
                "nudge-secret",
                "BEGIN",
            ):
                assert secret not in shown

    def test_nor_in_a_complaint(self) -> None:
        text = complaint(PREFLIGHT_LISTEN="x", PREFLIGHT_DATABASE_URL="mysql://bot:database-password@db/d")
        for secret in ("webhook-secret", "github-token", "airflow-password", "database-password"):
            assert secret not in text

    def test_are_known_so_that_logs_can_strike_them_out(self, tmp_path: Path) -> None:
        settings = read(PREFLIGHT_NUDGE_SECRET="nudge-secret", PREFLIGHT_WEBHOOK_SECRETS="one,two")
        assert set(settings.secrets) >= {"one", "two", "github-token", "airflow-password", "nudge-secret"}
        assert all(read(**app(tmp_path)).secrets), "an empty one would strike out everything"


def test_the_database_alone_for_migrate() -> None:
    assert database_url({"PREFLIGHT_DATABASE_URL": "postgres://h/d"}) == "postgresql+psycopg://h/d"
    with pytest.raises(SettingsError, match="PREFLIGHT_DATABASE_URL is missing"):
        database_url({})


VALUES = st.text(st.characters(exclude_characters="\0"), max_size=30)
"""No environment holds a NUL."""


@given(st.dictionaries(st.sampled_from([setting.name for setting in SETTINGS]), VALUES))
def test_any_environment_is_read_or_complained_about(environment: dict[str, str]) -> None:
    with suppress(SettingsError):
        Settings.from_env(environment)


class TestPages:
    CLIENT: ClassVar[dict[str, str | None]] = {
        "PREFLIGHT_PAGES": "github",
        "PREFLIGHT_GITHUB_CLIENT_ID": "Iv1.1",
        "PREFLIGHT_GITHUB_CLIENT_SECRET": "client-secret",
    }

    def test_are_those_of_public_repositories(self) -> None:
        assert read().pages == "public"

    def test_others_need_a_client_to_sign_in_with(self) -> None:
        assert read(**self.CLIENT).pages == "github"
        assert "PREFLIGHT_GITHUB_CLIENT_SECRET" in complaint(
            **self.CLIENT | {"PREFLIGHT_GITHUB_CLIENT_SECRET": None}
        )

    @pytest.mark.parametrize(
        ("url", "fine"),
        [
            ("https://preflight.example.com", True),
            ("http://127.0.0.1:8080", True),
            ("http://preflight.example.com", False),
        ],
    )
    def test_the_cookie_of_a_sign_in_must_not_be_read_on_its_way(self, url: str, *, fine: bool) -> None:
        environment = self.CLIENT | {"PREFLIGHT_PUBLIC_URL": url}
        if fine:
            assert read(**environment).public_url == url
        else:
            assert "https://" in complaint(**environment)

    def test_there_is_no_other_kind(self) -> None:
        assert "public, github or off" in complaint(PREFLIGHT_PAGES="private")

    def test_the_clients_secret_and_the_keys_are_shown_nowhere(self) -> None:
        settings = read(**self.CLIENT, PREFLIGHT_SESSION_KEYS="key-one, key-two")
        assert settings.session_keys == ("key-one", "key-two")
        assert {"client-secret", "key-one", "key-two"} <= set(settings.secrets)
        assert not any(secret in repr(settings) for secret in settings.secrets)


class TestPubSub:
    def test_nothing_of_ours_is_there_unless_told(self) -> None:
        settings = read()
        assert (settings.inbox, settings.events, settings.pubsub) == ("postgres", "http", None)

    def test_names_follow_from_a_project_and_a_prefix(self) -> None:
        found = read(
            PREFLIGHT_INBOX="pubsub", PREFLIGHT_PUBSUB_PROJECT="acme-ci", PREFLIGHT_PUBSUB_PREFIX="ci"
        ).pubsub
        assert found is not None
        names = (found.deliveries, found.parked, found.events)
        assert names == ("ci-deliveries", "ci-parked", "ci-events")
        assert found.audience == "https://preflight.example.com/pubsub"

    def test_of_their_own_they_need_little_else(self) -> None:
        alone = pubsub({"PREFLIGHT_PUBSUB_PROJECT": "acme-ci", "PUBSUB_EMULATOR_HOST": "127.0.0.1:8085"})
        assert (alone.deliveries, alone.emulator) == ("preflight-deliveries", "127.0.0.1:8085")

    @pytest.mark.parametrize(
        ("environment", "said"),
        [
            pytest.param({}, "PREFLIGHT_PUBSUB_PROJECT is missing", id="no project"),
            pytest.param(
                {
                    "PREFLIGHT_PUBSUB_PROJECT": "acme-ci",
                    "PREFLIGHT_PUBSUB_PUSH_ACCOUNT": "pusher@acme.example",
                },
                "PREFLIGHT_PUBLIC_URL is missing",
                id="nowhere to push to",
            ),
        ],
    )
    def test_but_that_is_said(self, environment: dict[str, str], said: str) -> None:
        with pytest.raises(SettingsError, match=said):
            pubsub(environment)

    @pytest.mark.parametrize("name", ["PREFLIGHT_INBOX", "PREFLIGHT_EVENTS"])
    def test_a_project_is_needed(self, name: str) -> None:
        assert complaint(**{name: "pubsub"}) == f"{name}=pubsub needs PREFLIGHT_PUBSUB_PROJECT"

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("PREFLIGHT_INBOX", "kafka", "postgres or pubsub"),
            ("PREFLIGHT_EVENTS", "smoke", "http or pubsub"),
            ("PREFLIGHT_PUBSUB_PREFIX", "goog-ours", "not begin with goog"),
            ("PREFLIGHT_PUBSUB_PREFIX", "a/b", "letters, digits"),
        ],
    )
    def test_what_cannot_be_is_said(self, name: str, value: str, said: str) -> None:
        assert said in complaint(**{name: value})

"""A whole bot in order but for one thing: the doctor finds that, and names nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.doctor.report import as_json, as_text, exit_code
from deploy.local import ports
from tests.adapters.airflow_script import Said, details
from tests.doctor.findings import ailing
from tests.doctor.world import CONFIGURATION, PASSWORD, SECRET, World, in_order, tag
from tests.github_standin.state import DEFAULT_PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bot.doctor import Finding
    from deploy.local.postgres import Postgres

pytestmark = pytest.mark.postgres

ALWAYS = {"web.address", "database.settings"}
"""Found in every test: web has a loopback address, and the tests' PostgreSQL does without fsync."""


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, real_postgres: Postgres, migrated: str
) -> Iterator[World]:
    url = real_postgres.create_database("doctors_world", template=migrated)
    with in_order(tmp_path_factory.mktemp("world"), url) as world:
        yield world


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """The one that most tests share: what they break they mend."""
    shared.handle_deliveries()
    yield shared
    shared.airflow.mend()
    shared.server.login = None
    shared.put_configuration(CONFIGURATION)


@pytest.fixture
def lost(tmp_path: Path, database_url: str) -> Iterator[World]:
    """One of the test's own, which is not mended."""
    with in_order(tmp_path, database_url) as world:
        yield world


def found(findings: list[Finding]) -> set[str]:
    return ailing(findings) - ALWAYS


def test_what_is_in_order_is_fine_and_nothing_is_changed(world: World) -> None:
    world.github.settle()
    mark = world.github.mark()

    findings = world.examined()

    assert ailing(findings) == ALWAYS
    assert exit_code(findings) == 0
    shown = as_text(findings, 100) + json.dumps(as_json(findings))
    assert not [secret for secret in (SECRET, PASSWORD, world.app.private_key[100:140]) if secret in shown]
    written = [asked.path for asked in world.github.requests(mark) if asked.method != "GET"]
    assert all(path.endswith("/access_tokens") for path in written)
    assert world.github.violations() == []


class TestSettings:
    def test_problems_are_all_told_and_the_other_parts_still_looked_at(self, world: World) -> None:
        findings = world.examined(AIRFLOW_URL="", LISTEN="nowhere")

        assert found(findings) == {"settings.environment"}
        assert exit_code(findings) == 2
        assert {one.name for one in findings if one.part == "airflow"} == {"settings"}
        assert "github.credentials" in {f"{one.part}.{one.name}" for one in findings}

    def test_a_private_key_that_is_none(self, world: World) -> None:
        findings = world.examined(GITHUB_PRIVATE_KEY_FILE=__file__)

        assert found(findings) == {"settings.environment"}
        assert exit_code(findings) == 2

    def test_a_database_url_that_is_none(self, world: World) -> None:
        findings = world.examined(DATABASE_URL="postgresql+psycopg://bot:hunter2hunter2@host:port/x")

        assert found(findings) == {"settings.environment"}
        assert "hunter2hunter2" not in json.dumps(as_json(findings))

    def test_a_secret_that_can_be_guessed(self, world: World) -> None:
        assert "settings.secrets" in found(world.examined(WEBHOOK_SECRETS=f"{SECRET},short"))


class TestGitHub:
    def test_it_is_down(self, world: World) -> None:
        url = f"http://127.0.0.1:{ports.choose_any()}"

        assert found(world.examined(GITHUB_API_URL=url)) == {"github.answers"}

    def test_an_app_that_it_does_not_know(self, world: World) -> None:
        assert found(world.examined(GITHUB_APP_ID="424242")) == {"github.credentials"}

    def test_the_app_is_not_installed_where_repositories_are_served(self, world: World) -> None:
        assert found(world.examined(REPOSITORIES="acme/app,beta/*")) == {"github.installations"}

    def test_the_app_is_installed_where_nothing_is_served(self, world: World) -> None:
        world.github.repository("beta/app")
        installation = world.github.install(world.app, "beta")

        assert found(world.examined()) == {"github.installations"}
        world.github.uninstall(installation)

    def test_a_webhook_with_another_secret_and_one_that_leads_elsewhere(self, lost: World) -> None:
        url = lost.environment["PREFLIGHT_PUBLIC_URL"]
        lost.point_webhook(f"{url}/webhook", "not ours")

        assert found(lost.examined()) == {"github.deliveries"}

        lost.point_webhook(f"http://127.0.0.1:{ports.choose_any()}/webhook", SECRET)

        assert found(lost.examined()) == {"github.webhook"}


class TestApps:
    @pytest.mark.parametrize(
        ("lacking", "expected"),
        [
            pytest.param(
                {"permissions": {**DEFAULT_PERMISSIONS, "statuses": "read"}}, "permissions", id="one"
            ),
            pytest.param({"events": ["push", "pull_request"]}, "events", id="an event"),
        ],
    )
    def test_one_that_lacks_something(
        self, world: World, tmp_path: Path, lacking: dict[str, Any], expected: str
    ) -> None:
        lesser = world.github.app(f"lesser-{expected}", owner="acme", **lacking)
        assert lesser.hook_id is not None
        url = world.environment["PREFLIGHT_PUBLIC_URL"]
        world.github.set_webhook(lesser.hook_id, f"{url}/webhook", SECRET)
        world.github.settle()
        key = tmp_path / "key.pem"
        key.write_text(lesser.private_key)

        findings = world.examined(GITHUB_APP_ID=str(lesser.id), GITHUB_PRIVATE_KEY_FILE=str(key))

        assert found(findings) == {f"github.{expected}"}
        world.github.set_webhook(lesser.hook_id, None)


class TestWeb:
    def test_it_has_another_secret(self, world: World) -> None:
        changed = world.examined(WEBHOOK_SECRETS="a secret that web has not heard of")

        assert found(changed) == {"web.secret"}

    def test_it_does_not_run(self, world: World) -> None:
        url = f"http://127.0.0.1:{ports.choose_any()}"

        assert found(world.examined(PUBLIC_URL=url)) == {"web.answers", "github.webhook"}

    def test_something_else_answers(self, world: World) -> None:
        findings = world.examined(PUBLIC_URL=world.server.url)

        assert found(findings) == {"web.answers", "github.webhook"}


class TestAirflow:
    def test_it_is_down(self, world: World) -> None:
        url = f"http://127.0.0.1:{ports.choose_any()}"

        assert found(world.examined(AIRFLOW_URL=url)) == {"airflow.answers"}

    @pytest.mark.parametrize(
        ("break_it", "expected"),
        [
            pytest.param(
                lambda airflow: airflow.health.update(scheduler={"status": "unhealthy"}),
                {"airflow.health"},
                id="no scheduler",
            ),
            pytest.param(lambda airflow: airflow.pools.clear(), {"airflow.pools"}, id="no such pool"),
            pytest.param(
                lambda airflow: setattr(airflow, "may_trigger", False),
                {"airflow.trigger"},
                id="a lesser role",
            ),
            pytest.param(
                lambda airflow: airflow.dags.clear(),
                {"airflow.dags", "repositories.acme/app"},
                id="no DAG, which a repository names",
            ),
            pytest.param(
                lambda airflow: airflow.dags.append(
                    details("other", tags=[tag("preflight")], has_import_errors=True)
                ),
                {"airflow.dags"},
                id="a DAG that can't be imported",
            ),
        ],
    )
    def test_a_part_of_it(self, world: World, break_it: Callable[[object], None], expected: set[str]) -> None:
        break_it(world.airflow)

        assert found(world.examined()) == expected

    def test_a_wrong_password(self, world: World) -> None:
        world.server.login = lambda: Said(401, {"detail": "Invalid credentials"})

        assert found(world.examined()) == {"airflow.login"}

    def test_no_plugin_where_nudges_are_wanted(self, world: World) -> None:
        world.airflow.plugins.clear()

        assert found(world.examined()) == set()
        assert found(world.examined(NUDGE_SECRET="a secret for nudges in tests")) == {"airflow.plugin"}


class TestDatabase:
    def test_it_is_down(self, world: World) -> None:
        url = f"postgresql+psycopg://bot:secret@127.0.0.1:{ports.choose_any()}/x"

        assert found(world.examined(DATABASE_URL=url)) == {"database.schema"}

    @pytest.mark.parametrize(
        ("statement", "back", "expected"),
        [
            pytest.param(
                "UPDATE alembic_version SET version_num = '0' || version_num",
                "UPDATE alembic_version SET version_num = substr(version_num, 2)",
                {"database.schema", "web.ready"},
                id="old",
            ),
            pytest.param(
                "UPDATE alembic_version SET version_num = '9' || version_num",
                "UPDATE alembic_version SET version_num = substr(version_num, 2)",
                {"database.schema"},
                id="newer",
            ),
            pytest.param(
                "UPDATE deliveries SET state = 'parked', reason = 'the DAG is gone'",
                "UPDATE deliveries SET state = 'done'",
                {"worker.deliveries"},
                id="parked deliveries",
            ),
            pytest.param(
                "UPDATE deliveries SET state = 'queued', received_at = now() - interval '1 h'",
                "UPDATE deliveries SET state = 'done'",
                {"worker.deliveries"},
                id="deliveries that wait",
            ),
        ],
    )
    def test_what_it_holds(self, world: World, statement: str, back: str, expected: set[str]) -> None:
        with world.changed(statement, back):
            assert found(world.examined()) == expected

    def test_no_worker(self, lost: World) -> None:
        lost.stop_worker()

        assert found(lost.examined()) == {"worker.alive"}


class TestRepositories:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"pipelines:\n  unit: {dga: checks}\n", id="misspelt"),
            pytest.param(b"pipelines:\n  unit: {dag: nope}\n", id="no such DAG"),
        ],
    )
    def test_a_configuration_that_can_not_be_used(self, world: World, content: bytes) -> None:
        world.put_configuration(content)

        assert found(world.examined()) == {"repositories.acme/app"}

    def test_one_that_github_does_not_have(self, world: World) -> None:
        assert found(world.examined(REPOSITORIES="acme/app,acme/nope")) == {"repositories.acme/nope"}

    def test_one_that_was_renamed(self, world: World) -> None:
        repository = world.github.find_repository("acme/app")
        repository.rename("web")

        assert found(world.examined()) == {"repositories.acme/app"}
        repository.rename("app")

    def test_none_is_served(self, world: World) -> None:
        token = world.github.user("alice").token

        findings = world.examined(
            GITHUB_APP_ID="", GITHUB_PRIVATE_KEY_FILE="", GITHUB_TOKEN=token, REPOSITORIES=""
        )

        assert "repositories.served" in found(findings)
        assert exit_code(findings) == 1

"""Everything that the doctor looks at, in order: a test breaks one thing of it."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import text
from werkzeug.serving import make_server

from bot.adapters.postgres import Database, Listener, PostgresInbox
from bot.bootstrap import build_web, examine_all
from bot.models import Delivery
from bot.settings import Settings
from deploy.local import ports
from tests.adapters.airflow_script import Asked, Said, ScriptedAirflow, details, scripted_airflow
from tests.github_standin import Standin, running
from tests.github_standin.records import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.doctor import Finding
    from tests.github_standin.records import App

SECRET = "a webhook secret that is long enough"
PASSWORD = "an Airflow password"
CONFIGURATION = b"pipelines:\n  unit: {dag: checks}\n"
HEALTH = {part: {"status": "healthy"} for part in ("metadatabase", "scheduler", "dag_processor")}


@dataclass
class Airflow:
    """What the scripted Airflow says."""

    health: dict[str, dict[str, str]] = field(default_factory=lambda: dict(HEALTH))
    dags: list[dict[str, object]] = field(
        default_factory=lambda: [details("checks", tags=[tag("preflight")])]
    )
    pools: list[str] = field(default_factory=lambda: ["default_pool"])
    plugins: list[str] = field(default_factory=lambda: ["preflight_listener"])
    password: str = PASSWORD
    may_trigger: bool = True

    def mend(self) -> None:
        """Say again what is right."""
        vars(self).update(vars(Airflow()))

    def answer(self, asked: Asked) -> Said:
        """By the path below /api/v2."""
        path = asked.path.removeprefix("/api/v2/")
        if path.endswith("/clear"):
            return Said(404 if self.may_trigger else 403, {"detail": "as it says"})
        if path.endswith("/details"):
            found = [dag for dag in self.dags if dag["dag_id"] == path.split("/")[1]]
            return Said(body=found[0]) if found else Said(404, {"detail": "no such DAG"})
        total = {"total_entries": 1}
        if path.endswith("/tasks"):
            return Said(body={"tasks": [task("one")]} | total)
        answers: dict[str, object] = {
            "version": {"version": "3.3.2", "git_version": None},
            "monitor/health": self.health,
            "dags": {"dags": self.dags} | total,
            "importErrors": {"import_errors": [], "total_entries": 0},
            "pools": {"pools": [pool(name) for name in self.pools]} | total,
            "plugins": {"plugins": [plugin(name) for name in self.plugins]} | total,
        }
        return Said(body=answers[path]) if path in answers else Said(404, {"detail": "nothing scripted"})


@dataclass
class World:
    """The parts, and the environment of the bot."""

    github: Standin
    app: App
    airflow: Airflow
    server: ScriptedAirflow
    database: Database
    environment: dict[str, str]
    worker: threading.Thread
    stopped: threading.Event

    def examined(self, **changed: str) -> list[Finding]:
        """What the doctor finds, with these settings changed."""
        return examine_all(self.environment | {f"PREFLIGHT_{name}": value for name, value in changed.items()})

    def point_webhook(self, url: str, secret: str) -> None:
        """Let the App's webhook lead there, and wait for its ping."""
        assert self.app.hook_id is not None
        self.github.set_webhook(self.app.hook_id, url, secret)
        self.github.settle()

    def handle_deliveries(self) -> None:
        """What a worker would have done with all that has arrived."""
        self.github.settle()
        self._execute("UPDATE deliveries SET state = 'done', finished_at = now()")

    @contextmanager
    def changed(self, statement: str, back: str) -> Iterator[None]:
        """The bot's database in another state, for a while."""
        self._execute(statement)
        try:
            yield
        finally:
            self._execute(back)

    def put_configuration(self, content: bytes) -> None:
        """Push another preflight.yaml."""
        repository = self.github.find_repository("acme/app")
        repository.push("alice", {".github/preflight.yaml": content})
        self.github.settle()

    def _execute(self, statement: str) -> None:
        with self.database.begin() as connection:
            connection.execute(text(statement))

    def stop_worker(self) -> None:
        """Let no worker live any more."""
        self.stopped.set()
        PostgresInbox(self.database).put(Delivery("wakes the worker", "ping", b"{}", "worker"))
        self.worker.join(30)


@contextmanager
def in_order(folder: Path, database_url: str) -> Iterator[World]:
    """A bot that is set up, with GitHub, Airflow and a database; web runs, a worker lives."""
    with ExitStack() as stack:
        port = ports.choose_any()
        public_url = f"http://127.0.0.1:{port}"
        github = stack.enter_context(running(folder / "github"))
        airflow, server = Airflow(), stack.enter_context(scripted_airflow())
        server.answer = airflow.answer
        database = Database(database_url)
        stack.callback(database.close)
        github.repository(
            "acme/app",
            files={".github/preflight.yaml": CONFIGURATION.decode()},
            permissions={"alice": "write"},
        )
        key = folder / "key.pem"
        environment = {
            "PREFLIGHT_DATABASE_URL": database_url,
            "PREFLIGHT_WEBHOOK_SECRETS": SECRET,
            "PREFLIGHT_GITHUB_API_URL": github.api_url,
            "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": str(key),
            "PREFLIGHT_REPOSITORIES": "acme/app",
            "PREFLIGHT_AIRFLOW_URL": server.url,
            "PREFLIGHT_AIRFLOW_USERNAME": "ci-bot",
            "PREFLIGHT_AIRFLOW_PASSWORD": PASSWORD,
            "PREFLIGHT_PUBLIC_URL": public_url,
            "PREFLIGHT_LISTEN": f"127.0.0.1:{port}",
        }
        app = github.app("preflight", owner="acme", events=EVENTS)
        key.write_text(app.private_key)
        environment["PREFLIGHT_GITHUB_APP_ID"] = str(app.id)
        _serve(stack, Settings.from_env(environment), port)
        worker, stopped = _worker(database)
        world = World(github, app, airflow, server, database, environment, worker, stopped)
        stack.callback(world.stop_worker)
        world.point_webhook(f"{public_url}/webhook", SECRET)
        world.put_configuration(CONFIGURATION)
        yield world


def _worker(database: Database) -> tuple[threading.Thread, threading.Event]:
    """What shows the database that a worker lives, until that event."""
    known, stopped = threading.Event(), threading.Event()
    listener = Listener(database, lambda _: known.set())
    thread = threading.Thread(target=listener.run, args=(stopped.wait,))
    thread.start()
    assert known.wait(30)
    return thread, stopped


def _serve(stack: ExitStack, settings: Settings, port: int) -> None:
    """Web, in a thread."""
    web = make_server("127.0.0.1", port, build_web(settings).public, threaded=True)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    stack.callback(thread.join)
    stack.callback(web.shutdown)


def tag(name: str) -> dict[str, str]:
    """A DAG's tag, as Airflow shows it."""
    return {"name": name, "dag_id": "checks", "dag_display_name": "checks"}


def pool(name: str) -> dict[str, object]:
    """A pool, as Airflow shows it."""
    slots = ("slots", "occupied_slots", "running_slots", "queued_slots", "scheduled_slots")
    more = ("open_slots", "deferred_slots")
    return {"name": name, "include_deferred": False, **dict.fromkeys((*slots, *more), 1)}


def plugin(name: str) -> dict[str, object]:
    """A plugin, as Airflow shows it."""
    lists = ("macros", "flask_blueprints", "fastapi_apps", "fastapi_root_middlewares", "external_views")
    more = ("react_apps", "appbuilder_views", "appbuilder_menu_items", "global_operator_extra_links")
    last = ("operator_extra_links", "source", "listeners", "timetables")
    found: dict[str, object] = {each: [] for each in (*lists, *more, *last)}
    return {"name": name, **found, "source": "plugins/preflight_listener.py"}


def task(task_id: str, wanted: str = "default_pool") -> dict[str, object]:
    """A task, as Airflow shows it."""
    return {
        "task_id": task_id,
        "task_display_name": task_id,
        "owner": "x",
        "trigger_rule": "all_success",
        "depends_on_past": False,
        "wait_for_downstream": False,
        "retry_exponential_backoff": 0,
        "priority_weight": 1,
        "weight_rule": "downstream",
        "template_fields": [],
        "downstream_task_ids": [],
        "is_mapped": False,
        "extra_links": [],
        "pool": wanted,
    }

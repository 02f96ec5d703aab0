"""All that a run of chaos needs: PostgreSQL, the stand-in GitHub, the fake Airflow over HTTP, the bot."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy.local import environment, ports
from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.postgres import DURABLE, Postgres
from tests.bench.quick_hints import Hints
from tests.chaos.airflow_http import AirflowOverHttp
from tests.chaos.fleet import WEBS, Fleet
from tests.chaos.lives import PEOPLE
from tests.chaos.pipelines import BRANCHES, CONFIGURATIONS, DAG
from tests.chaos.player import Place, Player
from tests.fakes.airflow import FakeAirflow
from tests.github_standin import Standin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from deploy.local.processes import Supervisor
    from tests.chaos.pipelines import Configuration
    from tests.github_standin import Repository

NAME = "chaos"
MARKER = f"<!-- preflight {NAME} -->"
APP = "preflight"
_START_SECONDS = 30.0
_EVENTS = ("issue_comment", "pull_request", "push", "repository")


@dataclass(frozen=True)
class Home:
    """A repository in an account of its own, so that GitHub's limits count for it alone."""

    repository: Repository
    full_name: str
    configuration: Configuration


@dataclass
class Places:
    """Whose DAG run it is: which life has that number, and which of its heads the SHA is."""

    _lives: dict[tuple[str, str], int] = field(default_factory=dict)
    _heads: dict[int, list[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def opened(self, full_name: str, number: int, life: int, sha: str) -> None:
        """The life has a pull request."""
        with self._lock:
            self._lives[full_name, str(number)] = life
            self._heads[life] = [sha]

    def pushed(self, life: int, sha: str) -> None:
        """The life has a new head."""
        with self._lock:
            self._heads[life].append(sha)

    def of(self, conf: Mapping[str, object]) -> Place | None:
        """Where a DAG run belongs, None while nobody has told."""
        where = f"{conf['REPO_OWNER']}/{conf['REPO_NAME']}", str(conf["PULL_NUMBER"])
        with self._lock:
            life = self._lives.get(where)
            heads = self._heads.get(-1 if life is None else life, [])
            sha = str(conf["PULL_PULL_SHA"])
            return Place(life, heads.index(sha)) if life is not None and sha in heads else None


@dataclass
class World:
    """All parts, running."""

    seed: int
    supervisor: Supervisor
    postgres: Postgres
    github: Standin
    bot: str
    hook: int | None
    """Of the App."""
    homes: tuple[Home, ...]
    fake: FakeAirflow
    airflow: AirflowOverHttp
    player: Player
    places: Places
    fleet: Fleet
    since: float = field(default_factory=time.time)
    """Seconds since 1970: what happened before all of it ran is none of the bot's business."""


@contextlib.contextmanager
def running_world(
    directory: Path, supervisor: Supervisor, *, seed: int, homes: int, plant: str = ""
) -> Iterator[World]:
    """Start everything; what was started in here ends with the block, the processes with the supervisor.

    Raises:
        StackError: a part does not come up.
    """
    postgres = Postgres(directory / "postgres", supervisor, DURABLE)
    with contextlib.ExitStack() as ends:
        ends.callback(postgres.remove)
        ends.callback(supervisor.stop_all)
        postgres.start()
        github = _start_github(directory / "github", supervisor)
        webhook_secret, nudge_secret = secrets.token_hex(16), secrets.token_hex(16)
        places, fake = Places(), FakeAirflow()
        fake.add_dag(DAG, ("clone", "step"), params={"steps": {"type": "object"}, "timeout": {}})
        settings = _settings(directory, postgres, github, webhook_secret, nudge_secret)
        (directory / "stalls").mkdir()
        fleet = Fleet(settings, supervisor, directory / "stalls", plant)
        ends.callback(fleet.kill_all)
        hints = Hints(f"{fleet.url(WEBS[1], internal=True)}/nudge", nudge_secret)
        ends.callback(hints.close)
        player = Player(fake, seed, places.of, hints)
        ends.callback(player.close)
        airflow = AirflowOverHttp(fake, began=player.begin, went_on=player.begin)
        ends.callback(airflow.close)
        settings["PREFLIGHT_AIRFLOW_URL"] = airflow.url
        app = github.app(
            APP,
            owner=_owner(0),
            webhook_url=f"{fleet.url(WEBS[0])}/webhook",
            webhook_secret=webhook_secret,
            events=_EVENTS,
        )
        (directory / "key.pem").write_text(app.private_key)
        settings["PREFLIGHT_GITHUB_APP_ID"] = str(app.id)
        for number in range(1, homes):
            github.install(app, _owner(number))
        made = tuple(_home(github, number) for number in range(homes))
        for home in made[::2]:  # the same event comes twice: from the App's hook, and from the repository's
            home.repository.hook(f"{fleet.url(WEBS[1])}/webhook", webhook_secret, _EVENTS)
        if fleet.by_hand("migrate") != 0:
            raise StackError(supervisor.last_lines("by-hand", 20))
        fleet.start()
        yield World(
            seed,
            supervisor,
            postgres,
            github,
            app.bot_login,
            app.hook_id,
            made,
            fake,
            airflow,
            player,
            places,
            fleet,
        )


def _owner(number: int) -> str:
    return f"home-{number}"


def _home(github: Standin, number: int) -> Home:
    configuration = CONFIGURATIONS[number % len(CONFIGURATIONS)]
    full_name = f"{_owner(number)}/app"
    files = {".github/preflight.yaml": configuration.written(), "src/app.py": "1\n", "docs/guide.md": "a\n"}
    repository = github.repository(full_name, files=files, permissions=PEOPLE)  # type: ignore[arg-type] # roles
    for branch in BRANCHES[1:]:
        repository.push("lead", {"BRANCH": f"{branch}\n"}, branch=branch)
    return Home(repository, full_name, configuration)


def _start_github(directory: Path, supervisor: Supervisor) -> Standin:
    """With GitHub's limits, and each request and answer held to GitHub's own description."""
    port = ports.choose_any()
    child = supervisor.start(
        "github",
        [
            *(environment.BOT_PYTHON, "-m", "tests.github_standin", "--limits", "--check"),
            *("--listen", f"{HOST}:{port}", "--state", directory),
        ],
        env=environment.base(),
        cwd=environment.ROOT,
    )
    child.wait_until(lambda: ports.answers(port), "it listened", seconds=_START_SECONDS)
    return Standin(f"http://{HOST}:{port}")


def _settings(
    directory: Path, postgres: Postgres, github: Standin, webhook_secret: str, nudge_secret: str
) -> dict[str, str]:
    """The bot's, but for what is known only later."""
    operator = directory / "operator.toml"
    operator.write_text('[[serve]]\nrepositories = ["home-*/*"]\n')
    return {
        "PREFLIGHT_NAME": NAME,
        "PREFLIGHT_DATABASE_URL": postgres.create_database("bot"),
        "PREFLIGHT_WEBHOOK_SECRETS": webhook_secret,
        "PREFLIGHT_NUDGE_SECRET": nudge_secret,
        "PREFLIGHT_GITHUB_API_URL": github.api_url,
        "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": str(directory / "key.pem"),
        "PREFLIGHT_CONFIG": str(operator),
        "PREFLIGHT_AIRFLOW_USERNAME": AirflowOverHttp.username,
        "PREFLIGHT_AIRFLOW_PASSWORD": AirflowOverHttp.password,
        "PREFLIGHT_WEB_PROCESSES": "2",
    }

"""`make demo`: the whole of Preflight, with a stand-in for GitHub and two pull requests to watch."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from deploy.local import demo_repository
from deploy.local.console import Console
from deploy.local.demo_repository import FAILING, PASSING
from deploy.local.errors import StackError
from deploy.local.processes import Supervisor
from deploy.local.pull_board import PullBoard
from deploy.local.stack import Stack
from deploy.local.standin import start_standin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deploy.local.demo_repository import Demonstration
    from tests.github_standin.client import Repository, Standin
    from tests.github_standin.records import App

_POLL_SECONDS = 0.3
_TELLING_LOGS = ("bot-web", "bot-worker", "airflow-scheduler")
_LAST_WORDS_SECONDS = 15.0


class Demo:
    """One demonstration, from nothing to two pull requests with their results."""

    def __init__(self, directory: Path, supervisor: Supervisor, console: Console) -> None:
        self._directory = directory
        self._supervisor = supervisor
        self._console = console
        self._stack = Stack(directory, supervisor, console, durable=False)
        self._github: Standin | None = None
        self._repository: Repository | None = None
        self._app: App | None = None
        self._boards: list[tuple[Demonstration, PullBoard]] = []

    def start(self) -> None:
        """Start everything and open the pull requests.

        Raises:
            StackError: something did not come up.
        """
        self._stack.start(self._start_github)
        assert self._repository is not None  # noqa: S101 -- made by _start_github
        assert self._app is not None  # noqa: S101 -- likewise
        for demonstration in (PASSING, FAILING):
            pull = demonstration.open(self._repository)
            board = PullBoard(pull, self._app.bot_login, self._console)
            self._boards.append((demonstration, board))
            self._console.say(f"#{pull.number} {demonstration.title}: {pull.html_url}")

    def watch(self, deadline: float) -> None:
        """Print what the pull requests show, until it is what they should show.

        Raises:
            StackError: that is not so `deadline` seconds after the start, or when all is over, or a process
                ended.
        """
        over_since = None
        while unmet := self._unmet():
            now = self._console.seconds
            over = all(board.is_over(demonstration.states) for demonstration, board in self._boards)
            over_since = (over_since or now) if over else None
            if now > deadline or (over_since is not None and now - over_since > _LAST_WORDS_SECONDS):
                raise StackError(self._explanation(unmet))
            self._watch_once()
        self._console.say("Both pull requests show what they should.")

    def watch_on(self) -> None:
        """Print what the pull requests show for as long as people play with it."""
        while True:
            self._watch_once()

    def addresses(self) -> str:
        """What to open in a browser, and how to log in."""
        ports, airflow = self._stack.bot_ports, self._stack.airflow_settings
        lines = []
        for demonstration, board in self._boards:
            lines.append(
                (f"Pull request {board.pull.number}", f"{board.pull.html_url} ({demonstration.title})")
            )
            pages = {status.target_url for status in board.statuses.values() if status.target_url}
            lines += [("  its run", page) for page in sorted(pages)]
        lines += [
            ("Airflow", f"{airflow.url} (user admin, password {airflow.secrets.admin_password})"),
            ("Metrics", f"{ports.internal_url}/metrics and {ports.worker_url}/metrics"),
            ("Logs", str(self._supervisor.logs)),
        ]
        return "\n".join(f"  {what:<18}{where}" for what, where in lines)

    def _start_github(self) -> Mapping[str, str]:
        """Start the stand-in, make the repository and the bot's App; return the bot's settings for them."""
        credentials, ports = self._stack.credentials, self._stack.bot_ports
        directory = self._directory / "github"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        with self._console.phase("GitHub (the stand-in) and a repository"):
            self._github = start_standin(directory, self._stack.ports["github"], self._supervisor)
            self._repository = demo_repository.make_repository(self._github)
            self._app = self._github.app(
                owner=demo_repository.OWNER,
                webhook_url=f"{ports.public_url}/webhook",
                webhook_secret=credentials.token("webhook-secret"),
            )
        key = credentials.keep("github-app-key.pem", self._app.private_key)
        return {
            "PREFLIGHT_NAME": "demo",
            "PREFLIGHT_GITHUB_API_URL": self._github.api_url,
            "PREFLIGHT_GITHUB_APP_ID": str(self._app.id),
            "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": str(key),
            "PREFLIGHT_WEBHOOK_SECRETS": credentials.token("webhook-secret"),
        }

    def _watch_once(self) -> None:
        for _, board in self._boards:
            board.update()
        if ended := self._supervisor.ended():
            child = ended[0]
            raise StackError(f"{child.name} ended with exit code {child.exit_code}.\n{child.last_lines()}")
        time.sleep(_POLL_SECONDS)

    def _unmet(self) -> list[str]:
        return [
            f"#{board.pull.number}: {problem}"
            for demonstration, board in self._boards
            for problem in demonstration.unmet(board.statuses, board.comments)
        ]

    def _explanation(self, unmet: list[str]) -> str:
        problems = "\n".join(f"  {problem}" for problem in unmet)
        logs = "\n".join(self._supervisor.last_lines(name, 8) for name in _TELLING_LOGS)
        tasks = self._stack.airflow_settings.home / "logs"
        return (
            f"{self._console.seconds:.0f} s after the start:\n{problems}\n{logs}\nThe logs of tasks: {tasks}"
        )


def run(directory: Path, *, once: bool, deadline: float) -> int:
    """Run the demo, with what it keeps in `directory`, until Ctrl-C, or with `once` until it has shown all.

    Returns the exit code.

    Raises:
        StackError: it does not show what it should; the message says why.
        KeyboardInterrupt: somebody stopped it before it was up.
    """
    console = Console()
    with Supervisor(directory) as supervisor:
        demo = Demo(directory, supervisor, console)
        demo.start()
        demo.watch(deadline)
        console.show(f"\n{demo.addresses()}\n")
        if once:
            console.say("Stopping, as --once asks for.")
            return 0
        console.show(
            "Comment `/retest` or `/help` on a pull request's page, or push a commit there. "
            "Ctrl-C stops everything.\n"
        )
        try:
            demo.watch_on()
        except KeyboardInterrupt:
            console.say("Stopping ...")
    return 0

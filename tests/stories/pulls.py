"""Repositories and pull requests as stories tell of them: what people do, and what they expect to see."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import yaml

from tests.github_standin import Pull, Repository
from tests.stories.bots import WEBHOOK_SECRET
from tests.stories.waiting import SECONDS, idle, until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.github_standin import Standin
    from tests.github_standin.client import Role
    from tests.github_standin.records import Comment, Status
    from tests.stories.airflow_view import AirflowRun, AirflowView
    from tests.stories.bots import Bot

DEVELOPER, STRANGER = "developer", "stranger"
CONFIGURATION = ".github/preflight.yaml"
Pipelines = dict[str, dict[str, Any]]


def checks(**steps: str) -> dict[str, Any]:
    """A pipeline that runs these commands."""
    return {"dag": "checks", "params": {"steps": steps}}


def until_there(path: Path) -> str:
    """A command that goes on until a story makes that file, or for two minutes."""
    return f"for _ in $(seq 1200); do test -e '{path}' && exit 0; sleep 0.1; done; exit 9"


class Seen:
    """How far a story has followed the statuses of each context at each commit."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], int] = {}

    def find(self, statuses: Sequence[Status], state: str, words: str) -> Status | None:
        """The newest of a context's statuses, if it is the one that is expected next.

        One that is pending may be gone when a story looks: any since the one that it expected before will do.
        """
        for status in reversed(statuses):
            at = (status.sha, status.context)
            newest = status is statuses[-1]
            if not newest and (state != "pending" or status.id <= self._last.get(at, status.id)):
                return None
            if status.state == state and words in _words(status):
                self._last[at] = status.id
                return status
        return None


class StoryRepository(Repository):
    """A repository with pipelines, a developer and a bot."""

    def __init__(self, repository: Repository, bot: Bot, airflow: AirflowView) -> None:
        super().__init__(repository.standin, repository.id)
        self.seen = Seen()
        self.bot = bot
        self.airflow = airflow

    def configure(self, configuration: str, branch: str = "main") -> str:
        """Push another preflight.yaml to a base branch."""
        return self.push(DEVELOPER, {CONFIGURATION: configuration}, branch=branch)

    def opened(self, by: str = DEVELOPER, **more: Any) -> StoryPull:  # noqa: ANN401 - what `open_pull` takes
        """A pull request is opened; what it changes matters only to a story that says so."""
        branch = more.pop("branch", "change")
        files = more.pop("files", {"src/app.py": f"print('changed on {branch}')\n"})
        pull = super().open_pull(by, branch=branch, files=files, **more)
        return StoryPull(self, pull.number)

    def dag_runs(self, sha: str = "") -> list[AirflowRun]:
        """The DAG runs that Airflow has for the repository (or for one commit), oldest first."""
        owner, _, name = self.full_name.partition("/")
        found = self.airflow.runs(f"preflight~{self.bot.name}~{owner}~{name}~")
        return [run for run in found if not sha or run.conf["PULL_PULL_SHA"] == sha]

    def expect_status(self, sha: str, context: str, state: str, description: str = "") -> Status:
        """A commit, a merge group's or a branch's, comes to show that state, with these words in it."""

        def found() -> Status | None:
            return self.seen.find(self.statuses(sha, context), state, description)

        def so_far() -> str:
            shown = self.statuses(sha)
            lines = [f"  {status.context} {status.state}: {status.description}" for status in shown]
            return "\n".join([*lines, self.bot.told()])

        return until(found, f"{context} showing {state} {description!r} at {sha[:7]}", so_far)


class StoryPull(Pull):
    """A pull request; each expectation waits until it is met."""

    repository: StoryRepository

    def __init__(self, repository: StoryRepository, number: int) -> None:
        super().__init__(repository, number)
        self.seen = Seen()
        self.bot = repository.bot
        self.airflow = repository.airflow

    def says(self, body: str, by: str = DEVELOPER) -> Comment:
        """Somebody comments."""
        return super().comment(by, body)

    def pushed(self, by: str = DEVELOPER, **files: str) -> str:
        """Somebody pushes one more commit; returns the new head."""
        return super().push(by, files or {"src/more.py": "print('more')\n"})

    def expect_status(
        self,
        context: str,
        state: str,
        description: str = "",
        *,
        sha: str = "",
        seconds: float = SECONDS,
        hurried: bool = False,
    ) -> Status:
        """The head (or `sha`) comes to show that state, with these words in its description.

        `hurried`: they would have to wait for half a minute, since something was shown just before.
        """
        head = sha or self.head_sha

        def found() -> Status | None:
            return self.seen.find(self.statuses(context, sha=head), state, description)

        wanted = f"{context} showing {state} {description!r} at {head[:7]}"
        return until(found, wanted, self.so_far, seconds, self.bot.hurry if hurried else idle)

    def expect_history(self, context: str, *states: str, sha: str = "") -> None:
        """Until now the context showed exactly these states, one after the other."""
        shown = [
            state for state, _ in groupby(status.state for status in self.statuses(context, sha=sha or None))
        ]
        assert shown == list(states), self.so_far()

    def expect_comment(
        self, *parts: str, seconds: float = SECONDS, meanwhile: Callable[[], object] = idle
    ) -> str:
        """The bot's one comment comes to hold all of these; returns its body."""

        def found() -> str | None:
            bodies = self.sticky_comments()
            return bodies[0] if len(bodies) == 1 and all(part in bodies[0] for part in parts) else None

        return until(found, f"one comment with {parts}", self.so_far, seconds, meanwhile)

    def expect_reply(self, comment: Comment, *parts: str) -> str:
        """The bot comes to answer that comment once, in words that hold these; returns them."""
        marker = f"<!-- preflight reply {comment.id} -->"

        def found() -> str | None:
            bodies = [said.body for said in self.comments(by=self.bot.login) if marker in said.body]
            assert len(bodies) <= 1, self.so_far()
            return bodies[0] if bodies and all(part in bodies[0] for part in parts) else None

        reply = until(found, f"a reply with {parts}", self.so_far)
        return reply.rstrip().removesuffix(f"\n\n{marker}")

    def expect_silence(self, comment: Comment) -> None:
        """When all is done, that comment was neither reacted to nor replied to."""
        self.bot.rest()
        marker = f"<!-- preflight reply {comment.id} -->"
        seen = [said for said in self.comments() if said.reactions and said.id == comment.id]
        assert not seen, self.so_far()
        assert not any(marker in said.body for said in self.comments()), self.so_far()

    def expect_no_reply(self, comment: Comment) -> None:
        """When all is done, that comment was seen, and nothing had to be said about it."""
        self.expect_reaction(comment)
        self.bot.rest()
        marker = f"<!-- preflight reply {comment.id} -->"
        assert not any(marker in said.body for said in self.comments()), self.so_far()

    def expect_reaction(self, comment: Comment) -> None:
        """The bot comes to show that it has seen that comment."""

        def found() -> bool:
            return any(said.id == comment.id and "eyes" in said.reactions for said in self.comments())

        until(found, "a reaction", self.so_far)

    def expect_running(self, step: str, *, run: int = -1) -> AirflowRun:
        """That step comes to run in Airflow, in the newest DAG run."""

        def found() -> AirflowRun | None:
            runs = self.dag_runs()
            return runs[run] if runs and self.airflow.steps(runs[run]).get(step) == "running" else None

        return until(found, f"the step {step} running in Airflow", self.so_far)

    def expect_dag_runs(self, *states: str) -> list[AirflowRun]:
        """When all is done, Airflow has exactly these DAG runs for the pull request, oldest first."""
        self.bot.rest()
        runs = self.dag_runs()
        assert [run.state for run in runs] == list(states), self.so_far()
        return runs

    def dag_runs(self) -> list[AirflowRun]:
        """The DAG runs that Airflow has for the pull request, oldest first."""
        owner, _, name = self.repository.full_name.partition("/")
        return self.airflow.runs(f"preflight~{self.bot.name}~{owner}~{name}~{self.number}~")

    def sticky_comments(self) -> list[str]:
        """The bot's comments that are no reply."""
        return [said.body for said in self.comments(by=self.bot.login) if self.bot.marker in said.body]

    def so_far(self) -> str:
        """What happened, for whoever has to find out why a story went wrong."""
        view = self.show()
        lines = [f"{self.html_url}: {view.state}, head {view.head_sha[:7]}"]
        lines += [
            f"  {status.sha[:7]} {status.context} {status.state}: {status.description}"
            for sha in dict.fromkeys([*view.commits, view.head_sha])
            for status in self.statuses(sha=sha)
        ]
        lines += [f"  {said.author} said: {said.body}" for said in self.comments()]
        return "\n".join([*lines, self.bot.told()])


def make_repository(
    github: Standin,
    full_name: str,
    bot: Bot,
    airflow: AirflowView,
    *,
    configuration: str,
    hooked: bool = True,
    private: bool = False,
    files: Mapping[str, str] | None = None,
    people: Mapping[str, Role] | None = None,
) -> StoryRepository:
    """A repository whose webhook leads to the bot, and in which the bot may write."""
    repository = github.repository(
        full_name,
        files={CONFIGURATION: configuration, "src/app.py": "print('hello')\n", **(files or {})},
        permissions={DEVELOPER: "write", bot.login: "write", **(people or {})},
        private=private,
    )
    if hooked:
        repository.hook(bot.webhook, WEBHOOK_SECRET)
    return StoryRepository(repository, bot, airflow)


def written(pipelines: Pipelines, **repository_wide: object) -> str:
    """A preflight.yaml with these pipelines, and what holds for the whole repository."""
    return yaml.safe_dump({**repository_wide, "pipelines": pipelines}, sort_keys=False)


def _words(status: Status) -> str:
    return status.description or ""

"""The worker's way from a delivery's bytes to a decision, with a world in memory around it.

The pull request is a real payload's, of 24 KB; what is asked about it is answered at once: by a GitHub in
memory, by Airflow's DAGs as they were described, and by a ledger that remembers one pull request.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot import events
from bot.adapters.postgres.ledger import RUNS_KEPT_IN_MIND
from bot.events.payload import take, take_repository, take_time
from bot.intake.dags import DagFacts
from bot.intake.lookup import Lookup, Sources
from bot.models import (
    ChangedFiles,
    Delivery,
    History,
    Outcome,
    Permission,
    Phase,
    PullRequest,
    Run,
)
from bot.policy.configuration import PATH
from bot.ports import People, PullRequestReader
from bot.report.budget import UNLIMITED
from tests.bench import monorepo, webhook
from tests.fakes.github import FakeGitHub
from tests.github_standin import running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.models import Change, Repository
    from bot.policy.decision import Decision

AUTHOR = "alice"
TIP = "b" * 40


def decide(delivery: Delivery, sources: Sources) -> Decision:
    """What `bot.intake.handle` does before it stores anything."""
    return Lookup(sources, events.parse(delivery), patient=True).decide()


class OneLedger:
    """Fulfils Ledger with what it was given; nothing is stored."""

    def __init__(self) -> None:
        self.known = History()

    def history(self, repository: Repository, number: int, head_sha: str) -> History:
        """The same for whoever asks."""
        del repository, number, head_sha
        return self.known

    def record_push(self, repository: Repository, number: int, sha: str, pusher: str) -> None:
        """Remember the pusher."""
        del repository, number
        self.known = replace(self.known, pushers={**self.known.pushers, sha: pusher})

    def open_pulls_at(self, repository: Repository, sha: str) -> Sequence[int]:
        """None."""
        del repository, sha
        return ()

    def broken_pulls(self, repository: Repository, base_ref: str | None) -> Sequence[tuple[Repository, int]]:
        """None."""
        del repository, base_ref
        return ()

    def rename(self, repository: Repository) -> None:
        """Nothing."""

    def apply(self, change: Change) -> bool:
        """Nothing."""
        del change
        return True


class GitHub(PullRequestReader, People, Protocol):
    """Both of what facts come from."""


def sources(github: GitHub, ledger: OneLedger, bot_login: Callable[[], str]) -> Sources:
    """Facts from these, and from Airflow and the operator as the monorepo has them."""
    now = monorepo.NOW
    return Sources(
        github=github,
        people=github,
        ledger=ledger,
        dags=DagFacts(monorepo.DAGS.__getitem__, lambda: monorepo.OPERATOR, lambda: now),
        operator=lambda: monorepo.OPERATOR,
        bot_login=bot_login,
        clock=lambda: now,
        check_room=UNLIMITED.check,
    )


class World:
    """One pull request that is pushed to and commented on, with as much of a past as the ledger hands out."""

    def __init__(self, payload: Mapping[str, object]) -> None:
        self.body = written(payload)
        self.pull = _pull(payload)
        self.changes = 0
        self.github = FakeGitHub()
        self.github.put_role(self.pull.repository, AUTHOR, Permission.WRITE)
        self.github.put_tip(self.pull.repository, self.pull.base_ref, TIP, {PATH: monorepo.CONFIGURATION})
        self.ledger = OneLedger()
        self.sources = sources(self.github, self.ledger, lambda: self.github.login)

    def push(self, changed: int, *, complete: bool = True) -> Delivery:
        """A head that nobody has seen, which changes so many files that nobody has seen; its delivery."""
        self.changes += 1
        head = f"{self.changes:040x}"
        body = self.body.replace(self.pull.head_sha.encode(), head.encode())
        self.body, self.pull = body, replace(self.pull, head_sha=head)
        self.github.calls.clear()
        self.github.put_pull(self.pull)
        files = ChangedFiles(monorepo.changed_files(changed, self.changes), complete=complete)
        self.github.changes[self.pull.repository.id, self.pull.number] = files
        self.ledger.known = replace(_past(self.pull), pushers={head: AUTHOR})
        return Delivery(f"delivery-{head}", "pull_request", body, "a lane")

    def comment(self, text: str) -> Delivery:
        """A comment on it; its delivery."""
        payload = json.loads(self.body)
        pull = payload.pop("pull_request")
        payload["action"] = "created"
        payload["issue"] = pull | {"pull_request": {"url": pull["url"]}}
        payload["comment"] = {"id": 5001, "user": pull["user"], "body": text}
        return Delivery("delivery-of-a-comment", "issue_comment", written(payload), "a lane")


def synchronize() -> dict[str, object]:
    """A `pull_request` payload as the stand-in GitHub delivers it, with a description that fills 24 KB."""
    with tempfile.TemporaryDirectory() as directory, running(Path(directory)) as github:
        repository = github.repository(f"{monorepo.OWNER}/{monorepo.NAME}", permissions={AUTHOR: "write"})
        repository.hook("http://127.0.0.1:9/nobody", webhook.SECRET, ["pull_request"])
        pull = repository.open_pull(AUTHOR, branch="change", files={"a.py": "1\n"}, title="Change a lot")
        pull.label(AUTHOR, monorepo.LABEL)
        pull.push(AUTHOR, {"b.py": "2\n"})
        payload = dict(github.deliveries(event="pull_request")[-1].payload)
    payload["pull_request"]["body"] = ""
    payload["pull_request"]["body"] = "x" * (webhook.BYTES - len(written(payload)))
    return payload


def written(payload: object) -> bytes:
    """As GitHub writes it."""
    return json.dumps(payload, separators=(",", ":")).encode()


def _pull(payload: Mapping[str, object]) -> PullRequest:
    """The pull request that the payload is about."""
    repository = take_repository(payload)
    return PullRequest(
        repository=repository,
        number=take(payload, "number", int),
        open=True,
        draft=False,
        title=take(payload, "pull_request.title", str),
        author=take(payload, "pull_request.user.login", str),
        head_sha=take(payload, "pull_request.head.sha", str),
        head_ref=take(payload, "pull_request.head.ref", str),
        head_repository=repository.full_name,
        base_ref=take(payload, "pull_request.base.ref", str),
        updated_at=take_time(payload, "pull_request.updated_at"),
        labels=(monorepo.LABEL,),
    )


def _past(pull: PullRequest) -> History:
    """Finished runs of earlier heads, as many as the ledger keeps in mind."""
    runs = tuple(
        Run(
            id=f"{number:032x}",
            repository=pull.repository,
            number=pull.number,
            pipeline=f"unit-{monorepo.AREAS[number % len(monorepo.AREAS)]}",
            dag_id="checks",
            head_sha=f"{number:x}".rjust(40, "f"),
            base_ref=pull.base_ref,
            attempt=1,
            actor=AUTHOR,
            created_at=monorepo.NOW,
            conf={},
            phase=Phase.FINISHED,
            outcome=Outcome.SUCCESS,
        )
        for number in range(RUNS_KEPT_IN_MIND)
    )
    return History(runs=runs)

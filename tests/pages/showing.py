"""The run pages over a database, an Airflow and an artifact store that tests fill."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache

from bot.claims import ListedRun, RunQuery
from bot.errors import ArtifactsUnavailable, StoreUnavailable
from bot.models import (
    NO_PAST,
    Artifact,
    Audit,
    LogLine,
    Outcome,
    Past,
    Phase,
    Repository,
    Run,
    RunRef,
    Step,
    StepResult,
    StepState,
)
from bot.pages import site as pages_site
from bot.pages.gate import PublicGate
from bot.pages.logs import LogReader
from tests.examples import REPOSITORY, at, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from werkzeug.test import TestResponse

    from bot.models import DagRun
    from bot.pages.gate import Gate

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}{% raw %}\u202e"
SECRET = "our-own-secret"
TOKEN = "ghp_" + "a1B2" * 9
RUN_ID = "0123456789abcdef" * 2
PRIVATE = replace(REPOSITORY, id=77, full_name="acme/secret", private=True)
OPERATOR = "airflow.task.operators.steps"


@dataclass
class Airflow:
    """Keeps the logs."""

    lines: list[str | LogLine] = field(default_factory=list)
    error: Exception | None = None
    reads: int = 0

    def look(self, refs: Sequence[RunRef]) -> Mapping[RunRef, DagRun | None]:
        raise AssertionError(f"the worker follows runs, a page does not: {refs}")

    def xcom(self, ref: RunRef, step: Step, key: str) -> object | None:
        raise AssertionError(f"the worker reads XComs, a page does not: {ref} {step} {key}")

    def log(self, ref: RunRef, step: Step) -> Iterator[LogLine]:
        assert ref.dag_run_id
        assert step.try_number
        self.reads += 1
        if self.error is not None:
            raise self.error
        for line in self.lines:
            yield line if isinstance(line, LogLine) else LogLine(line, OPERATOR)


@dataclass
class Store:
    """The database: every page's reader, newest run last in `listed`."""

    listed: list[Run] = field(default_factory=list)
    decided: list[Audit] = field(default_factory=list)
    pasts: dict[str, Past] = field(default_factory=dict)
    asked: list[RunQuery] = field(default_factory=list)
    quiet_since: datetime | None = None
    down: bool = False

    def add(self, one: Run) -> Run:
        self.listed = [*(run for run in self.listed if run.id != one.id), one]
        return one

    def run(self, run_id: str) -> Run | None:
        self.check()
        return next((one for one in self.listed if one.id == run_id), None)

    def audits(self, run: Run) -> Sequence[Audit]:
        self.check()
        assert run in self.listed
        return self.decided

    def counts(self) -> Mapping[str, Mapping[str, float]]:
        return {}

    def unattended(self) -> datetime | None:
        self.check()
        return self.quiet_since

    def check(self) -> None:
        if self.down:
            raise StoreUnavailable("the database does not answer: 10.0.0.7")

    def runs(self, query: RunQuery) -> Sequence[ListedRun]:
        self.check()
        self.asked.append(query)
        found = [ListedRun(seq, one) for seq, one in enumerate(self.listed, 1) if _matches(query, seq, one)]
        return found[::-1][: query.most + 1]

    def private_repositories(self) -> Sequence[Repository]:
        return [PRIVATE]

    def latest(self, repository: str, pipeline: str, branch: str) -> Run | None:
        self.check()
        return next(
            (
                one
                for one in reversed(self.listed)
                if (one.repository.full_name, one.pipeline, one.base_ref) == (repository, pipeline, branch)
                and one.finished
            ),
            None,
        )

    def usual(self, runs: Sequence[Run]) -> Mapping[str, float]:
        return {one.id: past.usual for one in runs if (past := self.pasts.get(one.id)) and past.usual}

    def past(self, runs: Sequence[Run]) -> Mapping[str, Past]:
        return {one.id: self.pasts.get(one.id, NO_PAST) for one in runs}


def _matches(query: RunQuery, seq: int, one: Run) -> bool:
    state = "unfinished" if one.outcome is None else one.outcome.value
    wanted = (
        (query.repository, one.repository.full_name),
        (query.number, one.number),
        (query.pipeline, one.pipeline),
        (query.branch, one.branch or one.base_ref),
        (query.state, state),
        (query.author, one.author),
    )
    return (
        all(asked in ("", None, found) for asked, found in wanted)
        and (query.after is None or seq < query.after)
        and (not one.repository.private or one.repository.id in query.private)
    )


@dataclass
class Artifacts:
    """Where files are kept."""

    files: list[Artifact] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    down: bool = False

    def write(self, path: str, content: Iterable[bytes]) -> None:
        raise AssertionError(f"no page writes: {path} {content}")

    def list(self, folder: str, most: int) -> Sequence[Artifact]:
        self.folders.append(folder)
        if self.down:
            raise ArtifactsUnavailable("the bucket is gone")
        return self.files[:most]

    def read(self, path: str, most: int) -> Iterator[bytes] | None:
        raise AssertionError(f"a list needs no file: {path} {most}")


@dataclass
class Member:
    """A gate's view of somebody who signed in and may read some private repositories."""

    ids: frozenset[int] = frozenset()

    def may_read(self, repository: Repository) -> bool:
        return not repository.private or repository.id in self.ids

    def readable(self, only: str = "") -> frozenset[int]:  # noqa: ARG002 - the protocol's
        return self.ids

    def sign_in_path(self, back: str) -> str:
        return "" if self.ids else f"/sign-in?back={back}"

    def who(self) -> str:
        return "alice" if self.ids else ""


class Compiled(BytecodeCache):
    """Templates that another test's site has compiled: that takes longer than all else of a page."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self.kept.get(bucket.key + bucket.checksum):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


COMPILED = Compiled()


@dataclass
class Site:
    """The web process's public side."""

    store: Store = field(default_factory=Store)
    airflow: Airflow = field(default_factory=Airflow)
    artifacts: Artifacts | None = None
    gate: Gate = field(default_factory=PublicGate)
    now: float = 90

    def __post_init__(self) -> None:
        self.app = Flask("bot.pages", static_folder=None)
        self.app.jinja_options = {**self.app.jinja_options, "bytecode_cache": COMPILED}
        self.app.register_blueprint(
            pages_site.blueprint(
                reader=self.store,
                lister=self.store,
                logs=LogReader(self.airflow, [SECRET]),
                gate=self.gate,
                clock=lambda: at(self.now),
                secrets=[SECRET],
                github_url="https://github.example",
                airflow_url="https://airflow.example",
                artifacts=self.artifacts,
                past=self.store,
            )
        )
        self.client = self.app.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers={key.replace("_", "-"): value for key, value in headers.items()})

    def show(self, one: Run) -> Page:
        self.store.add(one)
        return self.page(f"/runs/{one.id}")

    def page(self, path: str) -> Page:
        response = self.get(path)
        assert response.status_code == 200, response.status
        return Page(response.text)


class Page(HTMLParser):
    """A page's text, tags and attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._texts: list[str] = []
        self.feed(source)

    @property
    def text(self) -> str:
        """What is read, each run of white space a single space."""
        return " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self._texts.append(data)

    def names(self) -> set[str]:
        return {tag for tag, _ in self.tags}

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def values(self, attribute: str) -> list[str]:
        return [found[attribute] for _, found in self.tags if attribute in found]


def active(*steps: Step, **changed: object) -> Run:
    """A run that Airflow has."""
    one = replace(
        run(run_id=RUN_ID, attempt=2),
        phase=Phase.ACTIVE,
        admitted=True,
        dag_run_id="preflight~demo~acme~widgets~12~unit~1a2b3c4d5e6f~2",
        steps=steps,
        started_at=at(0),
    )
    return replace(one, **changed)  # type: ignore[arg-type]  # names are the test's


def ended(*steps: Step, **changed: object) -> Run:
    """A run that failed."""
    one = replace(
        active(*steps),
        phase=Phase.FINISHED,
        outcome=Outcome.FAILURE,
        reason="lint failed: exit 1 after 42s",
        finished_at=at(60),
    )
    return replace(one, **changed)  # type: ignore[arg-type]  # names are the test's


def failed(
    name: str = "lint",
    *,
    index: int = 0,
    tries: int = 2,
    result: StepResult | None = None,
    excerpt: tuple[str, ...] | None = ("E501 Line too long",),
) -> Step:
    """A mapped step that failed."""
    return Step("run", index, name, StepState.FAILED, tries, at(0), at(42), result, excerpt)


def step(task: str, state: StepState = StepState.SUCCEEDED, **changed: object) -> Step:
    """A step of its own task, from noon on for three seconds."""
    one = Step(task, -1, task, state, 1, at(0), at(3) if state.finished else None)
    return replace(one, **changed)  # type: ignore[arg-type]  # names are the test's


_IDS = itertools.count(1)


def listed(pipeline: str = "unit", **changed: object) -> Run:
    """A green run with an id of its own."""
    one = replace(
        ended(outcome=Outcome.SUCCESS, reason=""), id=f"e{next(_IDS):031x}", pipeline=pipeline, attempt=1
    )
    return replace(one, **changed)  # type: ignore[arg-type]  # names are the test's

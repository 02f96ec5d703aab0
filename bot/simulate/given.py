"""FACTS: what the bot would have looked up, as a JSON file says it."""

from __future__ import annotations

import enum
import json
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from bot.errors import PreflightError
from bot.models import ChangedFiles, Permission

MAX_PROBLEMS = 10


class FactsUnreadable(PreflightError):
    """FACTS is not what it should be; the message names each place and what is allowed there."""


class State(enum.Enum):
    """How a pipeline stands, as `statuses` and `runs` say it."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    CANCELLED = "cancelled"
    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    SKIPPED = "skipped"

    @classmethod
    def _missing_(cls, value: object) -> State | None:
        return ALSO_CALLED.get(value.lower()) if isinstance(value, str) else None


ALSO_CALLED = {
    "failed": State.FAILURE,
    "errored": State.ERROR,
    "timed_out": State.FAILURE,
    "canceled": State.CANCELLED,
    "succeeded": State.SUCCESS,
    "passed": State.SUCCESS,
    "waiting": State.PENDING,
    "in_progress": State.RUNNING,
}
"""Other words for the states, Airflow's and GitHub's among them."""


class File(BaseModel):
    """A changed file in GitHub's words."""

    filename: str
    previous_filename: str | None = None


class Files(BaseModel):
    """Changed files; `complete` is False where GitHub cut its list, None to tell by the length."""

    files: list[str | File]
    complete: bool | None = None

    def within(self, most: int) -> ChangedFiles:
        """The paths, both names of renamed files; incomplete from `most` files on, as on GitHub."""
        names = dict.fromkeys(
            name
            for file in self.files
            for name in ([file] if isinstance(file, str) else [file.previous_filename, file.filename])
            if name
        )
        complete = len(self.files) < most if self.complete is None else self.complete
        return ChangedFiles(tuple(names), complete)


def _as_files(value: object) -> object:
    return {"files": value} if isinstance(value, list) else value


def _in_utc(time: datetime) -> datetime:
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is too far away") from error


def _lowered(logins: dict[str, Permission]) -> dict[str, Permission]:
    return {login.lower(): permission for login, permission in logins.items()}


class Given(BaseModel):
    """The facts of one simulation. What is None was not given; logins are in lower case.

    `permissions` by login; `members` by "org" or "org/team"; `dags` holds the params' JSON Schemas by DAG;
    `statuses` and `runs` by pipeline or context; `pull_request` is in GitHub's shape; `proposed_config` is
    the pull request's own version of the configuration.
    """

    model_config = ConfigDict(frozen=True)

    permissions: Annotated[dict[str, Permission], AfterValidator(_lowered)] = Field(default_factory=dict)
    members: dict[str, list[str]] = Field(default_factory=dict)
    approved_shas: list[str] = Field(default_factory=list)
    pusher: str | None = None
    changed_files: Annotated[Files, BeforeValidator(_as_files)] | None = None
    statuses: dict[str, State] = Field(default_factory=dict)
    runs: dict[str, State] = Field(default_factory=dict)
    dags: dict[str, dict[str, dict[str, object]]] | None = None
    pull_request: dict[str, object] = Field(default_factory=dict)
    proposed_config: str | None = None
    codeowners: str = ""
    bot_login: str = "preflight[bot]"
    now: Annotated[datetime, AfterValidator(_in_utc)] = Field(default_factory=lambda: datetime.now(UTC))

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, facts: object) -> object:
        """As if what is null were not there."""
        return {k: v for k, v in facts.items() if v is not None} if isinstance(facts, dict) else facts


def read(content: bytes) -> Given:
    """The facts of the file; FactsUnreadable if it is not JSON, or not of this shape."""
    try:
        return Given.model_validate(json.loads(content))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        problems = (
            f"{'.'.join(map(str, d['loc'])) or 'the file'}: {d['msg']}" for d in details[:MAX_PROBLEMS]
        )
        raise FactsUnreadable("FACTS can't be used:\n" + "\n".join(problems)) from None
    except (ValueError, RecursionError) as error:
        raise FactsUnreadable(f"FACTS are no JSON: {error}") from error

"""What `preflight.yaml` may hold. The descriptions are what editors show, from the JSON Schema.

Pydantic evaluates the annotations, so this module does not postpone them.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)

from bot.policy.configuration.fields import (
    BranchPatterns,
    Concurrency,
    DagId,
    Duration,
    Group,
    InputKey,
    Labels,
    Name,
    ParamKey,
    PathPatterns,
    Person,
)
from bot.policy.configuration.inputs import Input
from bot.policy.configuration.problems import PATH
from bot.policy.configuration.regex import Regex

if TYPE_CHECKING:
    from bot.policy.configuration.document import Document

Event = Literal["pull_request", "merge_group", "push"]
EVENTS: tuple[Event, ...] = ("pull_request", "merge_group", "push")


def _as_tuple(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _not_empty(events: tuple[Event, ...]) -> tuple[Event, ...]:
    if not events:
        raise ValueError("is empty: leave it out, or name an event; `manual: true` is for none")
    return events


Events = Annotated[
    tuple[Event, ...],
    BeforeValidator(_as_tuple),
    AfterValidator(_not_empty),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(EVENTS)},
                {"type": "array", "items": {"enum": list(EVENTS)}, "minItems": 1},
            ]
        }
    ),
]


class Pipeline(BaseModel):
    """One pipeline: a DAG, when it runs, and what it is run with."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    dag: DagId = Field(description="The Airflow DAG that it runs; the operator says which are allowed.")
    on: Events = Field(default=("pull_request", "merge_group"), description="The events that it runs on.")
    branches: BranchPatterns | None = Field(
        default=None,
        description="Only for these base branches; * stays within a part between slashes, ** does not.",
    )
    branches_ignore: BranchPatterns | None = Field(default=None, description="Not for these base branches.")
    paths: PathPatterns | None = Field(
        default=None, description="Only where a changed file matches one of these gitignore-style patterns."
    )
    paths_ignore: PathPatterns | None = Field(
        default=None,
        description="Not where every changed file matches one of these gitignore-style patterns.",
    )
    labels: Labels | None = Field(
        default=None, description="Only for pull requests with one of these labels."
    )
    manual: bool = Field(default=False, description="Runs only when somebody asks for it by name.")
    optional: bool = Field(default=False, description="Its failure is not held against the pull request.")
    drafts: bool = Field(default=False, description="Runs for drafts, too.")
    params: dict[ParamKey, object] = Field(
        default_factory=dict, description="Params that the DAG is run with."
    )
    inputs: dict[InputKey, Input] = Field(
        default_factory=dict,
        max_length=20,
        description="Params that a command may set: /test NAME KEY=VALUE.",
    )
    timeout: Duration | None = Field(
        default=None,
        description="It is cancelled after this time, waiting included: 90s, 30m, 1h30m or seconds.",
    )
    max_concurrency: Concurrency | None = Field(default=None, description="So many of its runs at once.")
    supersede: bool = Field(default=True, description="A push stops its runs for older heads.")
    needs: list[Name] = Field(
        default_factory=list, max_length=20, description="Pipelines that must have passed before it starts."
    )


class Matcher(BaseModel):
    """Lines of a log that explain a failure, beside those that Preflight knows itself."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Name = Field(description="What it finds.")
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="A regular expression found anywhere in the line; no look-around, no references."
    )
    before: Annotated[int, Field(ge=0, le=10)] = Field(
        default=0, description="So many lines before it are shown, too."
    )
    after: Annotated[int, Field(ge=0, le=40)] = Field(
        default=0, description="So many lines after it are shown, too."
    )

    @field_validator("pattern")
    @classmethod
    def _pattern_fits(cls, pattern: str) -> str:
        if Regex.parse(pattern).matches(""):
            raise ValueError(f"the pattern {pattern!r} matches every line: say what must be in it")
        return pattern


class Report(BaseModel):
    """How a repository wants to be told."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    comment: Literal["always", "failures", "off"] = Field(
        default="always", description="When a pull request gets a comment about its runs."
    )
    statuses: Literal["pipeline", "step"] = Field(
        default="pipeline", description="One status for each pipeline, or one for each of its steps, too."
    )
    shown_as: Literal["statuses", "checks", "both"] = Field(
        default="statuses",
        alias="as",
        description="What stands under a commit; check runs need a GitHub App, else there are statuses.",
    )
    matchers: Annotated[list[Matcher], Field(max_length=20)] = Field(
        default_factory=list, description="More lines of logs that explain a failure."
    )

    @field_validator("comment", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        """YAML reads a plain `off` as false."""
        return "off" if value is False else value


class Configuration(BaseModel):
    """The whole file: pipelines by name, in the file's order, and what holds for the repository."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, title="preflight.yaml")

    pipelines: Annotated[dict[Name, Pipeline], Field(max_length=100)] = Field(
        description="The pipelines by name; each reports as preflight/NAME."
    )
    trust: Annotated[list[Group], Field(max_length=100)] = Field(
        default_factory=list,
        description="Organisations (acme), teams (acme/ci) and Apps (renovate[bot]) that are trusted.",
    )
    approve: Literal["head", "pull_request"] = Field(
        default="head", description="What /ok-to-test approves: one head, or all that come."
    )
    notify: Annotated[list[Person], Field(max_length=20)] = Field(
        default_factory=list,
        description="Whom to name where approval is needed: @acme/maintainers, alice, or codeowners.",
    )
    max_concurrency: Concurrency | None = Field(
        default=None, description="So many runs of the repository at once."
    )
    report: Report = Field(default=Report(), description="How to report.")

    _document: "Document | None" = PrivateAttr(None)
    _source: str = PrivateAttr(PATH)

    def remember(self, document: "Document", source: str) -> None:
        """Where it was read from, so that later checks can name lines."""
        self._document, self._source = document, source

    @property
    def source(self) -> str:
        """The file's name for people."""
        return self._source

    def line(self, *path: str | int) -> int:
        """The line of that key, or of the nearest one around it; 1 where it was not read from a file."""
        return 1 if self._document is None else self._document.line(path)

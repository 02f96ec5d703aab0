"""`.github/preflight.yaml`: read from the base branch, strictly, with errors that name file, line and key."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import yaml
from pathspec import GitIgnoreSpec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.errors import PreflightError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATH = ".github/preflight.yaml"
MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_PROBLEMS = 10
MAX_BITS = 64
# What PyYAML's conversions of a value raise, beside its own errors.
UNREADABLE = (ValueError, LookupError, ArithmeticError, AttributeError, TypeError)

# What the bot itself puts at the top of conf (Prow's names and our own): params may not redefine it.
RESERVED = frozenset(
    {
        "preflight", "dryrun", "REPO_OWNER", "REPO_NAME", "PULL_NUMBER", "PULL_PULL_SHA", "PULL_BASE_SHA",
        "PULL_BASE_REF", "PULL_REFS", "JOB_NAME", "JOB_TYPE", "BUILD_ID", "CLONE_URL", "ARTIFACTS_PATH",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what to write instead. Lines count from 1."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"{PATH}:{self.line}: {self.text}"


class ConfigurationError(PreflightError):
    """The file can't be used; `problems` says why, the first few of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def _check_pattern(pattern: str) -> str:
    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError as error:
        raise ValueError(f"is no gitignore-style pattern ({error})") from error
    if pattern.startswith(("#", "!")) or not pattern.strip():
        raise ValueError("can't match a file: patterns name files to include, like src/**")
    return pattern


def _check_params(params: dict[str, object]) -> dict[str, object]:
    for name in params:
        if name in RESERVED:
            raise ValueError(f"may not set {name}: Preflight sets it")
    return params


def _check_name(name: str) -> str:
    if name == "config":
        raise ValueError("is where Preflight reports on this file: choose another name")
    return name


Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"), AfterValidator(_check_name)
]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_check_pattern)]


class Pipeline(BaseModel):
    """One pipeline: a DAG, the files that it cares about, and what it is run with."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    dag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,250}$")]
    paths: list[Pattern] | None = None
    params: Annotated[dict[str, object], AfterValidator(_check_params)] = Field(default_factory=dict)


class Configuration(BaseModel):
    """The whole file: pipelines by name, in the file's order."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    pipelines: dict[Name, Pipeline]


def parse(content: bytes) -> Configuration:
    """Read the file; ConfigurationError with every problem's line if it is not exactly what we expect."""
    if len(content) > MAX_BYTES:
        raise ConfigurationError([Problem(1, f"the file is larger than {MAX_BYTES // 1024} kB")])
    try:
        node = yaml.compose(content.decode(), Loader=yaml.SafeLoader)
        plain = None if node is None else _plain(node, 0)
    except UnicodeDecodeError:
        raise ConfigurationError([Problem(1, "the file is not UTF-8")]) from None
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        raise ConfigurationError(
            [Problem(line, f"not valid YAML: {error.problem or error.context}")]
        ) from None
    except yaml.YAMLError as error:
        raise ConfigurationError([Problem(1, f"not valid YAML: {str(error).splitlines()[0]}")]) from None
    except RecursionError:
        raise ConfigurationError([Problem(1, "the file is nested too deeply")]) from None
    if not isinstance(plain, dict):
        raise ConfigurationError([Problem(1, "write `pipelines:` and below it one entry for each pipeline")])
    try:
        return Configuration.model_validate(plain)
    except ValidationError as error:
        raise ConfigurationError(list(_problems(error, node))[:MAX_PROBLEMS]) from None


def _plain(node: yaml.Node, depth: int, seen: set[int] | None = None) -> object:
    """The node as plain values. Aliases are refused: they are how a small file becomes a huge one."""
    seen = set() if seen is None else seen
    line = node.start_mark.line + 1
    if depth > MAX_DEPTH:
        raise ConfigurationError([Problem(line, "nested too deeply")])
    if id(node) in seen:
        raise ConfigurationError([Problem(line, "anchors and aliases are not supported: write it out")])
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, depth + 1, seen) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        plain: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = _plain(key_node, depth + 1, seen)
            key_line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise ConfigurationError(
                    [Problem(key_line, f"the key {key!r} must be text: put it in quotes")]
                )
            if key in plain:
                raise ConfigurationError([Problem(key_line, f"{key!r} is there twice")])
            plain[key] = _plain(value_node, depth + 1, seen)
        return plain
    return _scalar(node, line)


def _scalar(node: yaml.Node, line: int) -> object:
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_object(node)
    except yaml.YAMLError as error:
        raise ConfigurationError([Problem(line, f"can't be read: {str(error).splitlines()[0]}")]) from None
    except UNREADABLE:
        raise ConfigurationError([Problem(line, "can't be read: put it in quotes if it is text")]) from None
    finally:
        loader.dispose()
    too_large = isinstance(value, int) and value.bit_length() > MAX_BITS
    if too_large or (isinstance(value, float) and not math.isfinite(value)):
        raise ConfigurationError([Problem(line, "JSON has no such number: put it in quotes if it is text")])
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(node.value)  # a date or binary: JSON has neither, the text is what was meant


def _problems(error: ValidationError, root: yaml.Node | None) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        path = tuple(part for part in detail["loc"] if part != "[key]")
        line = _line_of(root, path, of_key=True)
        where = ".".join(str(part) for part in path)
        match detail["type"]:
            case "extra_forbidden":
                known = sorted((Pipeline if len(path) > 1 else Configuration).model_fields)
                near = difflib.get_close_matches(str(path[-1]), known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
                yield Problem(line, f"unknown key {where!r}: {hint}")
            case "missing":
                yield Problem(line, f"{where!r} is missing")
            case "string_pattern_mismatch":
                yield Problem(line, f"{where!r} may hold only letters, digits, '.', '_' and '-'")
            case _:
                yield Problem(line, f"{where!r}: {re.sub('^Value error, ', '', detail['msg'])}")


def _line_of(node: yaml.Node | None, path: Sequence[int | str], *, of_key: bool) -> int:
    line = 1 if node is None else node.start_mark.line + 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == part), None)
            if pair is None:
                return line
            node, line = pair[1], (pair[0] if of_key else pair[1]).start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line

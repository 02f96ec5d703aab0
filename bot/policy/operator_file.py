"""The operator's file, `PREFLIGHT_CONFIG`: TOML, read strictly, with problems that name file and line.

Pydantic evaluates the annotations, so this module does not postpone them.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.errors import SettingsError
from bot.models import DAY
from bot.policy.configuration.complaints import say
from bot.policy.configuration.fields import Concurrency, DagPattern, Duration, Group, RepositoryPattern
from bot.policy.configuration.regex import Regex
from bot.policy.operator import Defaults, Operator, SecretPattern, Serve

TABLE = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]")
KEY = re.compile(r"""^\s*["']?([^\s"'=.\[#]+)["']?\s*[.=]""")
NO_TOML = re.compile(r"(.*) \(at line ([0-9]+), column [0-9]+\)")


def _finds_something(pattern: str) -> str:
    if Regex.parse(pattern).compiled.search("") is not None:
        raise ValueError(f"the pattern {pattern!r} matches everything: say what must be in it")
    return pattern


Redacted = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_finds_something)]


class ServeTable(BaseModel):
    """One `[[serve]]`: repositories and what holds for them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    repositories: Annotated[list[RepositoryPattern], Field(min_length=1)] | None = None
    dags: Annotated[list[DagPattern], Field(min_length=1)] | None = None
    max_concurrency: Concurrency | None = None


class DefaultsTable(BaseModel):
    """`[defaults]`: what holds for pipelines that say nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)

    timeout: Duration | None = None
    max_concurrency: Concurrency | None = None


class OperatorFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    max_concurrency: Concurrency | None = None
    trust: list[Group] = Field(default_factory=list)
    redact: Annotated[list[Redacted], Field(max_length=50)] = Field(default_factory=list)
    defaults: DefaultsTable = Field(default_factory=DefaultsTable)
    serve: list[ServeTable] = Field(default_factory=list)


def read_operator(text: str, source: str) -> Operator:
    """What the file says; SettingsError with a line for each problem. `source` names the file in them."""
    try:
        content = tomllib.loads(text)
        file = OperatorFile.model_validate(content)
    except tomllib.TOMLDecodeError as error:
        found = NO_TOML.fullmatch(str(error))
        why, line = (found[1], found[2]) if found else (str(error), text.count("\n") + 1)
        raise SettingsError(f"{source}:{line}: not valid TOML: {why}") from None
    except ValidationError as error:
        raise SettingsError("\n".join(_problems(error, text, source))) from None
    named = Counter(pattern for one in file.serve for pattern in one.repositories or ())
    twice = [pattern for pattern, times in named.items() if times > 1]
    if twice:
        raise SettingsError(f"{source}: {twice[0]!r} is served twice: only the first would count")
    serves = (
        Serve(
            tuple(one.repositories or ()),
            None if one.dags is None else tuple(one.dags),
            one.max_concurrency,
        )
        for one in file.serve
    )
    defaults = Defaults(file.defaults.timeout or DAY, file.defaults.max_concurrency)
    redact = tuple(map(SecretPattern, file.redact))
    return Operator(tuple(serves), tuple(file.trust), file.max_concurrency, defaults, redact)


def _problems(error: ValidationError, text: str, source: str) -> Iterator[str]:
    for detail in error.errors(include_url=False):
        path = detail["loc"]
        line = _line(text, path)
        place = source if line is None else f"{source}:{line}"
        yield f"{place}: {say(detail, path, _model_at(path[:-1]))}"


def _model_at(path: Sequence[int | str]) -> type[BaseModel] | None:
    match path:
        case ():
            return OperatorFile
        case ("defaults",):
            return DefaultsTable
        case ("serve", _):
            return ServeTable
    return None


def _line(text: str, path: Sequence[int | str]) -> int | None:
    """The line of a key, or else of its table; None where neither stands on a line of its own."""
    wanted, found = [part for part in path if part != "[key]"][:3], None
    seen: Counter[str] = Counter()
    table: list[int | str] = []
    for number, line in enumerate(text.splitlines(), 1):
        header, key = TABLE.match(line), KEY.match(line)
        if header:
            name = header[2]
            table = [name, seen[name]] if header[1] == "[[" else [name]
            seen[name] += 1
            found = number if found is None and table[: len(wanted)] == wanted[: len(table)] else found
        elif key and [*table, key[1]] == wanted[: len(table) + 1]:
            return number
    return found

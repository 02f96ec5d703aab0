"""The kinds of text that the file holds: their form, and the sentence that tells it to people."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from bot.policy.configuration.globs import branch_glob, path_glob

# What the bot itself puts at the top of conf (Prow's names and our own): nobody may redefine it.
RESERVED = frozenset(
    {
        "preflight", "dryrun", "REPO_OWNER", "REPO_NAME", "PULL_NUMBER", "PULL_PULL_SHA", "PULL_BASE_SHA",
        "PULL_BASE_REF", "PULL_REFS", "JOB_NAME", "JOB_TYPE", "BUILD_ID", "CLONE_URL", "ARTIFACTS_PATH",
    }
)  # fmt: skip

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
KEY = r"^[A-Za-z_][A-Za-z0-9_.-]{0,62}$"
INPUT = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
DAG = r"^[A-Za-z0-9_.-]{1,250}$"
DAGS = r"^[A-Za-z0-9_.*?-]{1,250}$"
LOGIN = "[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})"
GROUP = rf"^{LOGIN}(?:/[A-Za-z0-9_.-]{{1,100}}|\[bot\])?$"
PERSON = rf"^(?:@?{LOGIN}(?:/[A-Za-z0-9_.-]{{1,100}})?)$"
REPOSITORIES = r"^[A-Za-z0-9_.*?-]{1,100}/[A-Za-z0-9_.*?-]{1,100}$"
DURATION = r"^(?=[0-9])(?:[0-9]{1,6}d)?(?:[0-9]{1,6}h)?(?:[0-9]{1,6}m)?(?:[0-9]{1,6}s)?$"

FORMS = {
    NAME: "may hold only letters, digits, '.', '_' and '-', at most 63, a letter or digit first",
    KEY: "may hold only letters, digits, '_', '.' and '-', at most 63, a letter or '_' first",
    INPUT: "may hold only letters, digits and '_', at most 63, no digit first",
    DAG: "may hold only letters, digits, '.', '_' and '-', at most 250",
    DAGS: "must be a DAG's id, or a pattern such as e2e_*",
    GROUP: "must be an organisation (acme), a team (acme/ci) or an App (renovate[bot])",
    PERSON: "must be a team (@acme/maintainers), a user (alice) or the word codeowners",
    REPOSITORIES: "must be OWNER/NAME or a pattern such as acme/*",
}
"""What people are told where a text has not the form that it must have."""

LONGEST_TIMEOUT = 7 * 24 * 3600
SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def _not_taken(name: str) -> str:
    if name.lower() == "config":
        raise ValueError("preflight/config is about this file: choose another name")
    if name.lower() == "all":
        raise ValueError("`/test all` means every pipeline: choose another name")
    return name


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"{name} can't be set: Preflight sets it")
    return name


def _printable(label: str) -> str:
    if not label.isprintable():
        raise ValueError(f"{label!r} can't match: it holds a character that can't be seen")
    return label


def _path_glob(pattern: str) -> str:
    path_glob(pattern)
    return pattern


def _branch_glob(pattern: str) -> str:
    branch_glob(pattern)
    return pattern


def _matches_first(patterns: list[str]) -> list[str]:
    if patterns[0].startswith("!"):
        raise ValueError(
            f"{patterns[0]!r} can't match: it takes away from the patterns before it: put one there"
        )
    return patterns


def read_duration(value: object) -> float:
    """Seconds, from a whole number of them or from text such as `1h30m`; ValueError else."""
    if isinstance(value, str) and re.fullmatch(DURATION, value, re.ASCII):
        seconds = sum(int(count) * SECONDS[unit] for count, unit in re.findall("([0-9]+)([dhms])", value))
    elif isinstance(value, int) and not isinstance(value, bool):
        seconds = value
    else:
        raise ValueError("must be a time such as 90s, 30m or 1h30m, or a whole number of seconds")
    if not 1 <= seconds <= LONGEST_TIMEOUT:
        raise ValueError("must be from 1s to 7d")
    return float(seconds)


Name = Annotated[str, StringConstraints(pattern=NAME), AfterValidator(_not_taken)]
ParamKey = Annotated[str, StringConstraints(pattern=KEY), AfterValidator(_not_reserved)]
InputKey = Annotated[str, StringConstraints(pattern=INPUT), AfterValidator(_not_reserved)]
DagId = Annotated[str, StringConstraints(pattern=DAG)]
DagPattern = Annotated[str, StringConstraints(pattern=DAGS)]
Group = Annotated[str, StringConstraints(pattern=GROUP)]
Person = Annotated[str, StringConstraints(pattern=PERSON)]
RepositoryPattern = Annotated[str, StringConstraints(pattern=REPOSITORIES)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=50), AfterValidator(_printable)]
Labels = Annotated[list[Label], Field(min_length=1, max_length=200)]
PathPattern = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_path_glob)]
BranchPattern = Annotated[str, StringConstraints(min_length=1, max_length=250), AfterValidator(_branch_glob)]
PathPatterns = Annotated[
    list[PathPattern], Field(min_length=1, max_length=200), AfterValidator(_matches_first)
]
BranchPatterns = Annotated[
    list[BranchPattern], Field(min_length=1, max_length=200), AfterValidator(_matches_first)
]
Concurrency = Annotated[int, Field(ge=1, le=1000)]
Duration = Annotated[
    float,
    BeforeValidator(read_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": LONGEST_TIMEOUT},
                {"type": "string", "pattern": DURATION},
            ]
        }
    ),
]

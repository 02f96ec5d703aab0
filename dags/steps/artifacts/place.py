"""Which run a command is about, and where it is told of."""

import argparse
import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

from steps.arguments import sha
from steps.artifacts.send import without_password
from steps.errors import StepFailed, TryAgain
from steps.storage import Documents, documents_at
from steps.try_again import is_temporary

BY_HAND = (
    "Of runs that the bot started the bot writes this itself: for pipelines that were started by hand, or by "
    "something else."
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OWN_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]+")
"""Of a repository; GitHub has `.github` and `_x`."""
_LONGEST = 1024


@dataclass(frozen=True)
class Told:
    """A run, by what is told of it."""

    repository: str
    """OWNER/NAME."""
    commit: str
    job: str
    """The pipeline."""
    run: str = ""
    pull: str = ""
    """The pull request's number; empty for a branch or merge group."""
    refs: str = ""
    """Base and head, as Prow writes them: main:SHA,12:SHA."""
    base: str = ""
    """The base branch's name."""
    kind: str = ""
    """presubmit, postsubmit or batch."""


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which run it is; the defaults are what a step finds in its environment."""
    environ = os.environ
    owner, name = environ.get("REPO_OWNER"), environ.get("REPO_NAME")
    given = {"repository": f"{owner}/{name}" if owner and name else ""}
    names = {"commit": "PULL_PULL_SHA", "job": "JOB_NAME", "run": "BUILD_ID", "pull": "PULL_NUMBER"} | {
        "refs": "PULL_REFS",
        "base": "PULL_BASE_REF",
        "kind": "JOB_TYPE",
    }
    given |= {option: environ.get(variable, "") for option, variable in names.items()}
    group = parser.add_argument_group(
        "the run", "Defaults are $REPO_OWNER/$REPO_NAME and Prow's other names."
    )
    options = (
        ("repository", _repository, "OWNER/NAME"),
        ("commit", sha, "what was tested, a full SHA ($PULL_PULL_SHA)"),
        ("job", _one_name, "name of the pipeline ($JOB_NAME)"),
        ("run", _one_line, "id of the run ($BUILD_ID)"),
        ("pull", _digits, "number of the pull request; empty for a branch ($PULL_NUMBER)"),
        ("refs", _one_line, "base and head: main:SHA,12:SHA ($PULL_REFS)"),
        ("base", _one_line, "name of the base branch ($PULL_BASE_REF)"),
    )
    for option, kind, meaning in options:
        needed = option in {"repository", "commit", "job"} and not given[option]
        group.add_argument(
            f"--{option}", type=kind, default=given[option] or "", required=needed, help=meaning
        )
    group.add_argument(
        "--kind",
        choices=("presubmit", "postsubmit", "batch"),
        default=given["kind"] or "postsubmit",
        help="what it tested: a pull request, a branch or a merge group ($JOB_TYPE)",
    )


def add_place(parser: argparse.ArgumentParser, *, folder: bool = True) -> None:
    """Add the options that say where it is told."""
    url, path = os.environ.get("PREFLIGHT_ARTIFACTS_URL"), os.environ.get("ARTIFACTS_PATH")
    parser.add_argument(
        "--url",
        default=url,
        required=not url,
        help="root of all artifacts: a folder, or what fsspec knows (default: $PREFLIGHT_ARTIFACTS_URL)",
    )
    if folder:
        parser.add_argument(
            "--path",
            type=run_path,
            default=path,
            required=not path,
            help="folder of the run below it: logs/JOB/ID, or pr-logs/pull/OWNER_REPO/NUMBER/JOB/ID "
            "(default: $ARTIFACTS_PATH)",
        )


def told(args: argparse.Namespace) -> Told:
    """Return the run that the options name."""
    return Told(**{field.name: getattr(args, field.name) for field in fields(Told)})


@contextlib.contextmanager
def place(url: str) -> Iterator[Documents]:
    """Yield where it is told.

    Raises:
        TryAgain: it can't be reached now.
        StepFailed: it is no place, or refuses.
    """
    try:
        yield documents_at(url)
    except (StepFailed, TryAgain):
        raise
    except Exception as error:  # noqa: BLE001 - of whatever library knows the URL
        words = without_password(f"{type(error).__name__}: {error}")
        if isinstance(error, (ConnectionError, TimeoutError)) or is_temporary(str(error)):
            raise TryAgain(f"the artifacts' place can't be reached now: {words}") from None
        raise StepFailed(f"nothing was stored: {words}") from None


def run_path(text: str) -> str:
    """Return a path that stays below the root."""
    parts = text.split("/")
    if len(text) > _LONGEST or not text.isprintable() or any(part in {"", ".", ".."} for part in parts):
        raise argparse.ArgumentTypeError(f"not a relative path without '..': {text!r}")
    return text


def _repository(text: str) -> str:
    owner, separator, name = text.partition("/")
    if not separator or not _NAME.fullmatch(owner) or not _OWN_NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(f"not OWNER/NAME: {text!r}")
    return text


def _one_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"not a pipeline's name: {text!r}")
    return text


def _digits(text: str) -> str:
    if not re.fullmatch(r"[0-9]{0,18}", text):
        raise argparse.ArgumentTypeError(f"not a number: {text!r}")
    return text


def _one_line(text: str) -> str:
    if len(text) > _LONGEST or not text.isprintable():
        raise argparse.ArgumentTypeError(f"not one line: {text!r}")
    return text

"""What a run is made of: the conf contract, version 1, as steps and DAG authors see it.

Airflow merges the top level of conf into Params. Everything in it may come from a stranger's pull request:
it is checked here before it becomes a path, an argument or an environment variable.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

VERSION = 1
STEP_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
DESCRIPTIONS: Mapping[str, str] = {
    "REPO_OWNER": "Owner of the base repository.",
    "REPO_NAME": "Name of the base repository.",
    "PULL_NUMBER": "Number of the pull request, in digits; empty for a branch or merge group.",
    "PULL_PULL_SHA": "Head commit of the pull request, branch or merge group.",
    "PULL_BASE_SHA": "Tip of the base branch that the head is merged into; of a pushed branch, the head.",
    "PULL_BASE_REF": "Name of the base branch; of a pushed branch, its own.",
    "PULL_REFS": "Base and head as Prow writes them: main:SHA,12:SHA; of a pushed branch main:SHA.",
    "JOB_NAME": "Name of the pipeline.",
    "JOB_TYPE": "Kind of run: presubmit, postsubmit (a pushed branch) or batch (a merge group).",
    "BUILD_ID": "Id of the run.",
    "CLONE_URL": "http(s) URL of the base repository, without credentials.",
    "ARTIFACTS_PATH": "Folder of the run, relative to the artifacts root.",
}
"""Prow's names, in conf and in each step's environment."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNSAFE_IN_FOLDER = re.compile(r"[^A-Za-z0-9._+-]+")


class ContractError(ValueError):
    """Conf can't be run as it is; the message says what to change."""


class Skipped(Exception):
    """Raised by a step's command function: this run has nothing for the step to do; the message says why."""


@dataclass(frozen=True)
class Command:
    """One step of one run, ready to be started."""

    argv: Sequence[str]
    """The binary and its arguments; never passed through a shell."""
    name: str = ""
    """What people call the step; names its artifacts folder. Default: the task's id."""
    reproduce: str | None = None
    """What a developer types in a checkout of the merged tree to see the same."""
    returns: Any = None
    """What the task returns when it succeeds (and in a dry run): a list that later steps are mapped over."""
    timeout: float | None = None
    """Seconds until the step is stopped and failed. Default: the operator's."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """More variables for the binary. A dry run shows their names; values are never shown."""
    announces: Mapping[str, Any] = field(default_factory=dict)
    """XComs that are there before the binary starts, whatever becomes of it: the name of what it makes."""
    foretells: Mapping[str, Any] = field(default_factory=dict)
    """XComs in a dry run, in place of those that the binary would hand on."""


@dataclass(frozen=True)
class Run:
    """One DAG run, as a step's command function sees it."""

    params: Mapping[str, Any]
    """Conf merged into the DAG's Params, validated by Airflow."""
    folder: Path
    """The run's folder below the artifacts root."""
    root: Path
    """The artifacts root: where the folders of all runs are."""
    dryrun: bool = False
    item: Any = None
    """What a mapped step works on: one element of the list that it is mapped over."""
    pull: Callable[[str, str], Any] = lambda _task_id, _key: None
    """XCom of an earlier task, by task id and key; None when there is none."""
    states: Callable[[], Mapping[str, str | None]] = dict
    """States of the run's tasks, by task id (a mapped task's by `task_INDEX`), as they are now."""
    dag_id: str = ""
    dag_run_id: str = ""
    task_id: str = ""
    try_number: int = 1
    ticket_url: str = ""
    """Where the bot gives a token for a ticket; Airflow's setting PREFLIGHT_TICKET_URL."""
    installation: str = ""
    """Tells this Airflow from others that use the same cloud; Airflow's setting PREFLIGHT_INSTALLATION."""

    @property
    def digits(self) -> str:
        """12 hex digits that only this run and its retries have."""
        whose = f"{self.installation}/{self.dag_id}/{self.dag_run_id}"
        return hashlib.sha256(whose.encode()).hexdigest()[:12]

    def named(self, prefix: str) -> str:
        """Return a name for what only this run and its retries make: `prefix-` and 12 hex digits."""
        return f"{prefix}-{self.digits}"

    @property
    def archive(self) -> Path:
        """The merged tree, made once and kept as long as the run can be resumed."""
        return self.folder / "source.tar.gz"

    def artifacts(self, step: str) -> Path:
        """Return the folder for what `step` leaves behind."""
        return self.folder / "artifacts" / checked_step_name(step)

    def name(self, name: str) -> str:
        """Return one of Prow's names, or a text Param of yours; in a dry run a missing one is `<NAME>`.

        Raises:
            ContractError: conf doesn't have it.
        """
        value = str(self.params.get(name) or "")
        if not value and self.dryrun:
            return f"<{name}>"
        if not value:
            sent = "The bot sends it" if name in DESCRIPTIONS else "preflight.yaml says it under `params`"
            setting = ", or PREFLIGHT_CLONE_URL in Airflow's environment" if name == "CLONE_URL" else ""
            raise ContractError(
                f"conf has no {name}. {sent}; by hand: --conf '{{\"{name}\": ...}}'{setting}, "
                'or {"dryrun": true} to see what would run.'
            )
        return value

    @property
    def checkout(self) -> str:
        """What a developer types in a clone to have the tree that is tested."""
        pull = bool(self.params.get("PULL_NUMBER"))
        commit = self.params.get("PULL_BASE_SHA" if pull else "PULL_PULL_SHA")
        verb = "merge" if pull else "checkout"
        return f"git fetch origin {commit or 'HEAD'} && git {verb} {commit or 'FETCH_HEAD'}"

    def clone_options(self) -> list[str]:
        """Return what `python -m steps.release clone` needs to make `archive`: the words behind `clone`.

        Of a pull request that is its head merged into its base, of a branch or merge group the commit, and of
        a run that names none the newest commit of the default branch.

        Raises:
            ContractError: conf has no CLONE_URL.
        """
        pull = self.params.get("PULL_NUMBER")
        commit, base = self.params.get("PULL_PULL_SHA"), self.params.get("PULL_BASE_SHA")
        ref = self.params.get("PULL_BASE_REF")
        if pull:
            what = {"pr": pull, "commit": commit, "base": base, "base-ref": ref}
        else:
            what = {"commit": commit, "branch": ref, "base": base if base != commit else ""}
        given = {"url": self.name("CLONE_URL"), **what, "archive": self.archive, "prune": self.root}
        return ["pr" if pull else "postsubmit", *options(given)]

    def ticket_environment(self) -> dict[str, str]:
        """Return what a step needs to get the token that fetches a private repository, once.

        Empty where conf has no ticket: the repository is public, or the bot has a personal token. Only for
        steps that run no code of the pull request.
        """
        preflight = self.params.get("preflight") or {}
        if not preflight.get("ticket"):
            return {}
        return {
            "PREFLIGHT_TICKET": checked_text("preflight.ticket", str(preflight["ticket"])),
            "PREFLIGHT_TICKET_URL": self.ticket_url,
            "PREFLIGHT_TICKET_DAG_RUN_ID": self.dag_run_id,
            "PREFLIGHT_TICKET_TASK_ID": self.task_id,
            "PREFLIGHT_TICKET_TRY": str(self.try_number),
        }

    def environment(self) -> dict[str, str]:
        """Return Prow's names that conf has, for the environment of a step."""
        return {
            name: checked_text(name, str(self.params[name])) for name in DESCRIPTIONS if self.params.get(name)
        }


def options(values: Mapping[str, object]) -> list[str]:
    """Return `--name=value` for all that have a value: so no value is ever taken for an option."""
    return [f"--{name}={value}" for name, value in values.items() if value]


def checked_text(name: str, value: str) -> str:
    """Return `value` when it is one line without control characters."""
    if _CONTROL.search(value):
        raise ContractError(f"{name} has a control character: {value!r}")
    return value


def checked_step_name(name: str) -> str:
    """Return `name` when it can name a step and its folder."""
    if not re.fullmatch(STEP_NAME.strip("^$"), name):
        raise ContractError(
            f"{name!r} can't name a step: use letters, digits, '.', '_' and '-' (at most 63), "
            "beginning with a letter or a digit."
        )
    return name


def run_folder(root: Path, artifacts_path: str, dag_run_id: str) -> Path:
    """Return the run's folder: ARTIFACTS_PATH below `root`, or one named after the run when there is none.

    Raises:
        ContractError: the path is absolute or climbs out of `root`.
    """
    if not artifacts_path:
        return root / "manual" / (_UNSAFE_IN_FOLDER.sub("_", dag_run_id).lstrip(".") or "run")
    path = PurePosixPath(checked_text("ARTIFACTS_PATH", artifacts_path))
    if path.is_absolute() or ".." in path.parts or "\\" in artifacts_path or not path.parts:
        raise ContractError(
            f"ARTIFACTS_PATH must be a relative path that stays below the artifacts root: {artifacts_path!r}"
        )
    return root / path


def ticket_url(environ: Mapping[str, str]) -> str:
    """Return where the bot exchanges tickets: as set, else beside the address that it is nudged at."""
    nudged = environ.get("PREFLIGHT_NUDGE_URL", "")
    beside = f"{nudged.removesuffix('/nudge')}/ticket" if nudged.endswith("/nudge") else ""
    return environ.get("PREFLIGHT_TICKET_URL") or beside


def in_order(given: Mapping[str, Any], preflight: Mapping[str, Any], param: str) -> dict[str, Any]:
    """Return an object Param with its keys in the order of preflight.yaml.

    Airflow keeps conf in a JSONB column on PostgreSQL, which forgets the order of keys. The bot therefore
    sends it beside: `preflight.order = {"steps": ["lint", "test"]}`. Without it the order is as found.
    """
    orders = preflight.get("order")
    order = orders.get(param) if isinstance(orders, Mapping) else None
    if not isinstance(order, list) or len(order) != len(given) or {*map(str, order)} != {*given}:
        return dict(given)
    return {str(key): given[str(key)] for key in order}

"""Every text that a decision shows to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.commands.types import CommandError
    from bot.policy.configuration import Problem

WAITING = "waiting: a maintainer must approve"
SKIPPED = "skipped: no matching files"
DRAFT = "waits until ready for review"
CONFIG_BROKEN = "preflight.yaml can't be used: see the comment"
CONFIG_MENDED = "preflight.yaml is fine again"
CLOSED = "pull request closed"
RERUN = "a newer run took its place"
NOTHING_APPLIES = "No pipeline applies to what this pull request changes."
NOTHING_RUNS = "Nothing is running, so there is nothing to cancel."


def superseded(sha: str) -> str:
    """Why a push stopped a run."""
    return f"superseded by {sha[:7]}"


def cancelled_by(login: str) -> str:
    """Who stopped a run."""
    return f"by {login}"


def config_problems(problems: Iterable[Problem], branch: str) -> str:
    """What is wrong with the configuration; the problems quote it, so they are shown as code."""
    lines = "\n".join("    " + str(problem).replace("\n", " ") for problem in problems)
    return f"**`preflight.yaml` on {code(branch)} can't be used, so nothing runs:**\n\n{lines}"


def not_allowed(login: str) -> str:
    """Who may give commands."""
    return f"Sorry, {code(login)} can't give commands here: that takes write access to this repository."


def untrusted(reason: str) -> str:
    """Why `/test` ran nothing."""
    return f"Nothing was run, because {code(reason)}. A maintainer must approve this head first."


def no_configuration(path: str, branch: str) -> str:
    """The repository has no pipelines yet."""
    return f"There is no {code(path)} on {code(branch)}, so there is nothing to run."


def unknown_pipeline(name: str, near: str | None, known: Sequence[str]) -> str:
    """A name that no pipeline has."""
    if near is not None:
        return f"There is no pipeline {code(name)}. Did you mean {code(near)}?"
    listed = ", ".join(code(one) for one in known[:20]) or "none"
    return f"There is no pipeline {code(name)}. There are: {listed}."


def not_running(name: str) -> str:
    """A pipeline that `/cancel` named, but that does not run."""
    return f"No run of {code(name)} is going on."


def misread(error: CommandError) -> str:
    """A line that looks like a command but is none."""
    if error.suggestion:
        return f"Line {error.line}: {code(error.text)} is no command. Did you mean {code(error.suggestion)}?"
    return f"Line {error.line}: {code(error.text)}: {error.reason}."


def code(text: str) -> str:
    """The text as inline code that it can't break out of, on one line and cut at 100 characters."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split()).replace("`", "'")
    return f"`{flat[:99] + '…' if len(flat) > 100 else flat or ' '}`"  # noqa: PLR2004 - said above

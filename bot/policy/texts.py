"""Every text that a decision shows to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.prose import code, listing, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.policy.configuration import Problem

APPROVAL_DIGITS = 12
"""How much of a head's SHA approves it, at least."""

WAITING = "waiting for /ok-to-test"
DRAFT = "waits until ready for review"
DRAFTED = "the pull request became a draft"
CONFIG_BROKEN = "preflight.yaml can't be used: see the comment"
CONFIG_MENDED = "preflight.yaml is fine again"
PROPOSED_FINE = "this pull request's preflight.yaml can be used"
NOT_CONFIGURED = "there is no preflight.yaml"
CLOSED = "pull request closed"
DESTROYED = "merge group taken apart"
RERUN = "a newer run took its place"
TOO_MANY_COMMANDS = "There are more commands in this comment than are read at once: only the first 50 count."
TOO_MANY_RUNS = "That is more than 100 runs at once: only the first 100 are started."
NOTHING_APPLIES = "No pipeline applies to what this pull request changes."
NOTHING_RUNS = "Nothing is running, so there is nothing to cancel."
NOTHING_WAITED = "This head may run. Nothing waited for that."
NOTHING_FAILED = "Nothing failed, so there is nothing to run again. `/test` runs everything."


def skipped(reason: str) -> str:
    """A pipeline that does not apply."""
    return f"skipped: {reason}"


def not_run_for(branch: str) -> str:
    """A result that was for another base branch."""
    return f"not run for {branch}"


def superseded(sha: str) -> str:
    """Why a push stopped a run."""
    return f"superseded by {sha[:7]}"


def cancelled_by(login: str) -> str:
    """Who stopped a run."""
    return f"by {login}"


def overridden(login: str, reason: str) -> str:
    """What an overridden context says."""
    return f"overridden by @{login}: {reason}"


def config_problems(problems: Iterable[Problem], branch: str) -> str:
    """What is wrong with the configuration; the problems quote it, so they are shown as code."""
    return f"**`preflight.yaml` on {code(branch)} can't be used, so nothing runs:**\n\n{_listed(problems)}"


def proposed_problems(problems: Iterable[Problem]) -> str:
    """What is wrong with the version that a pull request proposes."""
    return f"**This pull request's `preflight.yaml` can't be used once merged:**\n\n{_listed(problems)}"


def proposed_broken(problems: Sequence[Problem]) -> str:
    """The same in a status."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"line {problems[0].line}: {problems[0].text}{more}" if problems else "it can't be used"


def _listed(problems: Iterable[Problem]) -> str:
    return "\n".join("    " + str(problem).replace("\r", " ").replace("\n", " ") for problem in problems)


def approval_needed(reason: str, sha: str, who: str, mentions: Sequence[str]) -> str:
    """What an untrusted head needs. The mentions are real ones, from the base branch's own configuration."""
    told = f"{' '.join(mentions)}: after" if mentions else "After"
    return (
        f"**Nothing runs yet:** {plain(reason)}.\n"
        f"{told} a look at the changes, {who} can let this head run with\n\n{approval_line(sha)}"
    )


def approval_line(sha: str) -> str:
    """The line to copy."""
    return f"```\n/ok-to-test {sha[:APPROVAL_DIGITS]}\n```"


def trusted_people(groups: Sequence[str]) -> str:
    """Who is trusted: "anybody with write access, or a member of `acme`"."""
    members = f" or a member of {listing([code(group) for group in groups])}" if groups else ""
    return f"anybody with write access{members}"


def untrusted(reason: str, sha: str, who: str) -> str:
    """Why a command ran nothing."""
    return (
        f"Nothing was run, because {plain(reason)}. "
        f"After a look at this head, {who} can approve it with\n\n{approval_line(sha)}"
    )


def not_allowed(login: str, what: str, who: str) -> str:
    """Somebody who may not do that, and who could."""
    return f"Sorry, {code(login)} can't {what}: {who} can."


def unknown_pipeline(name: str, near: str | None, known: Sequence[str]) -> str:
    """A name that no pipeline has."""
    if near is not None:
        return f"There is no pipeline {code(name)}. Did you mean {code(near)}?"
    listed = listing([code(one) for one in known], 20) or "none"
    return f"There is no pipeline {code(name)}. There are: {listed}."


def not_running(name: str) -> str:
    """A pipeline that `/cancel` named, but that does not run."""
    return f"No run of {code(name)} is going on."


def not_failed(name: str, result: str) -> str:
    """A pipeline that `/retest` named, but that has nothing to run again."""
    return f"{code(name)} did not fail ({plain(result)}). {code(f'/test {name}')} runs it anyway."


def not_on_pull_requests(name: str) -> str:
    """A pipeline that does not listen to pull requests."""
    return f"{code(name)} does not run on pull requests."


def still_overridden(names: Sequence[str]) -> str:
    """Pipelines that `/test` without names leaves as they are."""
    return (
        f"Overridden, so left as it is: {listing([code(name) for name in names])}. Name it to run it again."
    )


def refused_input(name: str, key: str, problem: str) -> str:
    """An input that the pipeline does not take."""
    return f"{code(name)} was not run: {code(key)} {plain(problem)}."


def no_such_input(name: str, key: str, known: Sequence[str]) -> str:
    """A key that the pipeline does not declare."""
    said = listing([code(one) for one in known], 20) if known else "it takes none"
    return f"{code(name)} was not run: {code(key)} is not one of its inputs: {said}."


def misread(line: int, text: str, suggestion: str, reason: str) -> str:
    """A line that looks like a command but is none."""
    if suggestion:
        return f"Line {line}: {code(text)} is no command. Did you mean {code(suggestion)}?"
    return f"Line {line}: {code(text)}: {reason}."


def moved_since(sha: str) -> str:
    """An override that was meant for an older head."""
    moved = f"{code(sha[:7])} was pushed after your comment"
    return f"Nothing was overridden: {moved}. Look at it, then say it again."


def approve_this(sha: str, moved: str) -> str:
    """An approval that does not name the present head."""
    said = (
        f"{code(moved)} is not the head of this pull request" if moved else "Name the head that you looked at"
    )
    return f"{said}. Once you have looked at the present head, approve it with\n\n{approval_line(sha)}"


def click_on_old_head(clicked: str, head: str) -> str:
    """Somebody clicked on a check run of a head that is no longer the pull request's."""
    return f"nothing was run, because {code(clicked[:7])} is no longer the head: that is {code(head[:7])} now"


def click_on_old_run(context: str) -> str:
    """Somebody clicked on a check run that shows an older run than the pull request does."""
    return f"nothing was run, because a newer run of {code(context)} is shown already: click on that one"


def to_who_clicked(login: str, said: str) -> str:
    """An answer to a click on a check run, which has no comment that it could stand below."""
    return f"@{login}, about your click on a check run:\n\n{said}"

"""`python -m bot simulate`, asked from tests: nothing of the bot is known here but its command line."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli import main
from tests.acceptance.payloads import HEAD, issue_comment, pull

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.acceptance.payloads import Json

DECISIONS = {"run", "ignore", "deny", "wait", "error"}
STATES = {"pending", "success", "failure", "error"}
LONGEST_DESCRIPTION = 140
LONGEST_COMMENT = 65_536

CONFIGURATION = """\
pipelines:
  unit:
    dag: checks
  lint:
    dag: checks
  docs:
    dag: checks
    paths: ["docs/**"]
  deploy:
    dag: deploy
    manual: true
"""
"""Of these, a pull request that changes `src/app.py` automatically runs unit and lint."""

PERMISSIONS = {
    "ada": "admin",
    "maria": "maintain",
    "alice": "write",
    "bob": "write",
    "tina": "triage",
    "rita": "read",
    "mallory": "none",
    "renovate[bot]": "none",
    "github-merge-queue[bot]": "none",
}
TRUSTED = ("ada", "maria", "alice", "bob")
STRANGERS = ("tina", "rita", "mallory")


@dataclass(frozen=True)
class Printed:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Everything that it said."""
        return self.out + self.err


def bot(*arguments: str) -> Printed:
    """Call the command line in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as exited:
            code = exited.code if isinstance(exited.code, int) else 1
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return Printed(code, *texts)


@dataclass(frozen=True)
class Outcome:
    """What the bot would do."""

    code: int
    output: Json

    @property
    def decision(self) -> str:
        return str(self.output["decision"])

    @property
    def reason(self) -> str:
        return str(self.output["reason"])

    @property
    def actions(self) -> list[Json]:
        return list(self.output["actions"])

    def of(self, kind: str) -> list[Json]:
        """The actions of a kind."""
        return [action for action in self.actions if action["do"] == kind]

    @property
    def runs(self) -> set[str]:
        """The pipelines that are run for real, with no inputs."""
        found = [action for action in self.of("trigger") if not action["dryrun"] and not action["inputs"]]
        names = [str(action["pipeline"]) for action in found]
        assert len(names) == len(set(names)), f"run twice: {names}"
        return set(names)

    @property
    def dry_runs(self) -> set[str]:
        return {str(action["pipeline"]) for action in self.of("trigger") if action["dryrun"]}

    @property
    def cancelled(self) -> set[str]:
        return {str(action["pipeline"]) for action in self.of("cancel")}

    @property
    def resumed(self) -> set[str]:
        return {str(action["pipeline"]) for action in self.of("trigger") if action["resume"]}

    @property
    def statuses(self) -> dict[str, tuple[str, str]]:
        """State and description by pipeline."""
        return {str(one["pipeline"]): (one["state"], one["description"]) for one in self.of("status")}

    @property
    def reacted(self) -> bool:
        return bool(self.of("react"))

    @property
    def reply(self) -> str:
        """The reply to the comment, empty if there is none."""
        return "".join(str(action["text"]) for action in self.of("reply"))

    @property
    def texts(self) -> str:
        """All that people read in comments, whatever action brings it there."""
        return "\n".join(str(action["text"]) for action in self.actions if "text" in action)

    @property
    def nothing(self) -> bool:
        """Whether the bot stays silent."""
        return self.decision == "ignore" and not self.actions


def simulate(
    event: str,
    payload: object,
    configuration: str | None = CONFIGURATION,
    facts: Mapping[str, object] | None = None,
) -> Outcome:
    """What the bot would do, from files as a user would write them."""
    printed = bot(*arguments_for(Path(_folder().name), event, payload, configuration, facts))
    assert "Traceback" not in printed.all
    return checked(printed)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """One for all: thousands of times, making and removing a folder takes longer than what is tested."""
    return tempfile.TemporaryDirectory()


def arguments_for(
    folder: Path, event: str, payload: object, configuration: str | None, facts: Mapping[str, object] | None
) -> list[str]:
    """The command line, its files written to a folder."""
    arguments = ["simulate", "--event", event]
    texts = {
        "payload": json.dumps(payload),
        "config": configuration,
        "facts": None if facts is None else json.dumps(facts),
    }
    for name, text in texts.items():
        if text is not None:
            path = folder / name
            _write(path, text.encode())
            arguments += [f"--{name}", str(path)]
    return arguments


def _write(path: Path, content: bytes) -> None:
    """Writing is slow, and most tests have the same configuration and facts."""
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def checked(printed: Printed) -> Outcome:
    """The outcome, after everything that holds for each one was checked."""
    output = json.loads(printed.out)
    keys = ("event", "action", "repository", "pull_request", "commands", "errors", "decision", "reason")
    assert set(output) >= {*keys, "actions"}
    assert output["decision"] in DECISIONS
    assert printed.code == 0 or (printed.code == 2 and output["decision"] == "error"), printed
    assert output["reason"].strip(), "every decision is explained"
    for command in output["commands"]:
        assert set(command) >= {"name", "pipelines", "dryrun", "inputs", "line"}
    for error in output["errors"]:
        assert set(error) >= {"line", "text"}
    outcome = Outcome(printed.code, output)
    for action in outcome.of("trigger"):
        assert set(action) >= {"pipeline", "resume", "dryrun", "inputs"}
    for status in outcome.of("status"):
        assert set(status) >= {"pipeline", "state", "description"}
        assert status["state"] in STATES
        assert 0 < len(status["description"]) <= LONGEST_DESCRIPTION
        assert "\n" not in status["description"]
    assert not outcome.runs & set(outcome.statuses), "a context shows its run or a word of ours, never both"
    assert len(outcome.of("reply")) <= 1, "one comment gets at most one reply"
    assert len(outcome.of("react")) <= 1
    assert all(action["content"] == "eyes" for action in outcome.of("react"))
    assert all(len(action["text"]) <= LONGEST_COMMENT for action in outcome.actions if "text" in action)
    return outcome


def facts_about(of: Json | None = None, **more: object) -> Json:
    """All that the bot would look up about a pull request: an ordinary day, unless said otherwise."""
    facts: Json = {
        "permissions": PERMISSIONS,
        "members": {},
        "approved_shas": [],
        "changed_files": ["src/app.py"],
        "statuses": {},
        "runs": {},
        "pull_request": of or pull(),
        "bot_login": "preflight[bot]",
        "now": "2026-01-01T12:00:00Z",
    }
    return facts | more


def commented(
    body: str | None,
    *,
    by: str = "alice",
    of: Json | None = None,
    configuration: str = CONFIGURATION,
    action: str = "created",
    **facts: object,
) -> Outcome:
    """What a comment on a pull request leads to."""
    payload = issue_comment(body, by=by, of=of, action=action)
    return simulate("issue_comment", payload, configuration, facts_about(of, **facts))


def happened(
    payload: Json,
    *,
    configuration: str = CONFIGURATION,
    event: str = "pull_request",
    **facts: object,
) -> Outcome:
    """What an event leads to; the pull request is now as the payload tells."""
    return simulate(event, payload, configuration, facts_about(payload.get("pull_request"), **facts))


def stranger_pull(**more: object) -> Json:
    """A pull request that must not run by itself: by mallory, from her fork."""
    fields: Json = {"author": "mallory", "head_repository": "mallory/widgets"} | more
    return pull(**fields)


def asks_for_approval(text: str, head: str = HEAD) -> bool:
    """Whether the text holds the line to copy, for that head and no other."""
    said = re.findall(r"/ok-to-test ([0-9a-f]{12,40})\b", text)
    return bool(said) and all(head.startswith(one) for one in said)


def suggests(text: str, meant: str) -> bool:
    """Whether the text asks for that."""
    return f"did you mean `{meant}`?" in text.lower()


def names(found: Sequence[Json], key: str = "name") -> list[str]:
    """One field of each."""
    return [str(one[key]) for one in found]

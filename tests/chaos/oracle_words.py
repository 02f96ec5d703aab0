"""Whether the bot's comments are those that should be there: one about the runs, which agrees with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.chaos.oracle_contexts import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.history import History

ICONS = {
    "✅": "success", "⏭️": "success", "❌": "failure", "⏱️": "failure", "⚠️": "error", "🚫": "error",
    "⏳": "pending", "⏸️": "pending",
}  # fmt: skip
_ROW = re.compile(rf"^\| ({'|'.join(ICONS)}) \[?`(?P<name>[^`]+)`", re.MULTILINE)
_REPLY = re.compile(r"<!-- preflight reply (\d+) -->")


def comments_fit(history: History) -> Iterator[str]:
    """One comment is about the runs, all others answer somebody."""
    own = [comment for comment in history.comments if comment.author == history.bot]
    about = [comment for comment in own if history.marker in comment.body]
    asked = {done.comment_id for done, _ in history.said()}
    for comment in own:
        answers = {int(number) for number in _REPLY.findall(comment.body)}
        if comment not in about and not answers & asked:
            yield f"comment {comment.id} is neither about the runs nor answers anybody"
    if len(about) > 1:
        yield f"{len(about)} comments are about the runs: {', '.join(str(comment.id) for comment in about)}"
    elif about:
        yield from _agrees(history, about[0].body)
    elif history.pull.open and any(run.head == history.pull.head for run in history.runs):
        yield "no comment is about the runs"


def _agrees(history: History, body: str) -> Iterator[str]:
    """The comment's table says what the contexts of the final head say."""
    head = history.pull.head
    if f"`{head[:7]}`" not in body:
        if history.pull.open:
            yield f"the comment is not about {head[:7]}"
        return
    told = {found["name"]: ICONS[found[1]] for found in _ROW.finditer(body)}
    marks = {**history.checks.get(head, {}), **history.statuses.get(head, {})}
    for context, mark in marks.items():
        name = context.removeprefix(PREFIX)
        if name in history.configuration.pipelines and not _alike(told.get(name, ""), mark.state):
            yield f"the comment says {told.get(name, 'nothing')} of {name}, where {context} says {mark.state}"


def _alike(told: str, state: str) -> bool:
    """A check run has one word for what failed and what could not run."""
    return told == state or (told == "error" and state == "failure")

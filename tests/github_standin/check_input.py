"""What a request says about a check run, held to GitHub's limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from .checks import Action, Annotation
from .responses import ApiError, invalid
from .state import now

if TYPE_CHECKING:
    from .checks import CheckRun, CheckStatus
    from .state import Json

STATUSES = ("queued", "in_progress", "completed")
CONCLUSIONS = (
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "success",
    "skipped",
    "timed_out",
)
"""`stale` is only for GitHub itself to give."""
LEVELS = ("notice", "warning", "failure")
LONGEST_OUTPUT = 65_535
"""Bytes of a summary, of a text, of an annotation's message and of its details."""
LONGEST_TITLE = 255
"""Characters of an annotation's title."""
MOST_ANNOTATIONS, MOST_ACTIONS = 50, 3
LONGEST_ACTION = {"label": 20, "description": 40, "identifier": 20}


@dataclass(frozen=True)
class Output:
    """The text of a check run, and annotations that are added to those it has."""

    title: str
    summary: str
    text: str | None
    annotations: list[Annotation]


@dataclass(frozen=True)
class CheckInput:
    """What a request says; None where it says nothing."""

    name: str | None
    details_url: str | None
    external_id: str | None
    status: CheckStatus | None
    conclusion: str | None
    started_at: float | None
    completed_at: float | None
    output: Output | None
    actions: tuple[Action, ...] | None

    def write_to(self, run: CheckRun) -> None:
        """Change a check run. Back in progress it has no conclusion; its text is taken over as a whole."""
        run.name = self.name or run.name
        run.details_url = self.details_url or run.details_url
        run.external_id = run.external_id if self.external_id is None else self.external_id
        run.started_at = self.started_at or run.started_at or now()
        run.status = self.status or run.status
        if run.status != "completed":
            run.conclusion = run.completed_at = None
        elif self.conclusion:
            run.conclusion, run.completed_at = self.conclusion, self.completed_at or now()
        if self.output:
            run.title, run.summary, run.text = self.output.title, self.output.summary, self.output.text
            run.annotations += self.output.annotations
        if self.actions is not None:
            run.actions = self.actions


def read(body: Json, *, new: bool) -> CheckInput:
    """What a request's body says; ApiError 422 for what GitHub would not take."""
    name = body.get("name")
    if new or name is not None:
        _text(body, "name")
    details_url = body.get("details_url") or None
    if details_url and not details_url.startswith(("http://", "https://")):
        raise refusal("details_url must use http(s) scheme")
    read_input = CheckInput(
        name=name,
        details_url=details_url,
        external_id=body.get("external_id"),
        status=_one_of(body, "status", STATUSES),
        conclusion=_one_of(body, "conclusion", CONCLUSIONS),
        started_at=_moment(body, "started_at"),
        completed_at=_moment(body, "completed_at"),
        output=_output(body["output"]) if "output" in body else None,
        actions=_actions(body["actions"]) if "actions" in body else None,
    )
    if read_input.conclusion is not None:
        return replace(read_input, status="completed")
    if read_input.status == "completed" or read_input.completed_at is not None:
        raise refusal('"conclusion" wasn\'t supplied.')
    return read_input


def refusal(why: str) -> ApiError:
    """422 as GitHub words it."""
    return ApiError(422, f"Invalid request.\n\n{why}")


def _output(body: Json) -> Output:
    title, summary, text = _text(body, "title"), _text(body, "summary"), body.get("text")
    for name, shown in (("summary", summary), ("text", text or "")):
        _no_longer_than(shown, LONGEST_OUTPUT)
        if len(shown.encode()) > LONGEST_OUTPUT:
            raise invalid("CheckRun", name, f"{name} exceeds a maximum bytesize of {LONGEST_OUTPUT}")
    annotations = body.get("annotations", [])
    _at_most(annotations, MOST_ANNOTATIONS)
    return Output(title, summary, text, [_annotation(each) for each in annotations])


def _annotation(body: Json) -> Annotation:
    first, last = body.get("start_line"), body.get("end_line")
    columns = (body.get("start_column"), body.get("end_column"))
    if not isinstance(first, int) or not isinstance(last, int) or not 1 <= first <= last:
        raise refusal(f"Lines {first} to {last} are none of a file.")
    if columns != (None, None) and first != last:
        raise refusal("Columns are only for annotations of one line.")
    for name in ("message", "raw_details"):
        if len((body.get(name) or "").encode()) > LONGEST_OUTPUT:
            raise refusal(f"{name} is larger than 64 KB.")
    _no_longer_than(body.get("title") or "", LONGEST_TITLE)
    return Annotation(
        path=_text(body, "path"),
        start_line=first,
        end_line=last,
        level=_one_of(body, "annotation_level", LEVELS) or "notice",
        message=_text(body, "message"),
        title=body.get("title"),
        raw_details=body.get("raw_details"),
        start_column=columns[0],
        end_column=columns[1],
    )


def _actions(body: list[Json]) -> tuple[Action, ...]:
    _at_most(body, MOST_ACTIONS)
    for each in body:
        for name, longest in LONGEST_ACTION.items():
            _no_longer_than(_text(each, name), longest)
    return tuple(Action(each["label"], each["description"], each["identifier"]) for each in body)


def _text(body: Json, name: str) -> str:
    found = body.get(name)
    if not isinstance(found, str) or not found.strip():
        raise refusal(f'"{name}" wasn\'t supplied.')
    return found


def _one_of(body: Json, name: str, known: tuple[str, ...]) -> CheckStatus | None:
    found = body.get(name)
    if found is not None and found not in known:
        raise refusal(f"{found} is not a member of {list(known)}.")
    return found


def _moment(body: Json, name: str) -> float | None:
    if body.get(name) is None:
        return None
    try:
        return datetime.fromisoformat(body[name]).timestamp()
    except (TypeError, ValueError) as error:
        raise refusal(f"{body[name]!r} is not a date-time.") from error


def _no_longer_than(text: str, most: int) -> None:
    if len(text) > most:
        raise refusal(f"Only {most} characters are allowed; {len(text)} were supplied.")


def _at_most(items: list[Json], most: int) -> None:
    if len(items) > most:
        raise refusal(f"No more than {most} items are allowed; {len(items)} were supplied.")

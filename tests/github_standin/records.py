"""What the control API answers with, as small records; times are seconds since 1970, to the microsecond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
DeliveryFault = Literal["drop", "duplicate", "delay", "reorder", "hold"]
EVENTS = ("issue_comment", "merge_group", "pull_request", "push", "repository")
"""What a hook listens to unless told otherwise."""


@dataclass(frozen=True)
class User:
    """A person, organisation or bot."""

    id: int
    login: str
    type: str
    token: str


@dataclass(frozen=True)
class App:
    """A registered GitHub App, with what its owner keeps."""

    id: int
    slug: str
    private_key: str
    bot_login: str
    bot_id: int
    hook_id: int | None
    installations: dict[str, int]
    """Account -> installation id."""
    client_id: str
    client_secret: str
    """With which people's sign-ins are completed."""
    callback_url: str


@dataclass(frozen=True)
class Status:
    """One commit status as it was written."""

    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator: str
    received_at: float
    """When the request that wrote it arrived."""


@dataclass(frozen=True)
class CheckAnnotation:
    """A remark of a check run on lines of a file."""

    path: str
    start_line: int
    end_line: int
    level: str
    message: str
    title: str | None
    raw_details: str | None
    start_column: int | None
    end_column: int | None


@dataclass(frozen=True)
class CheckAction:
    """A button under a check run."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True)
class CheckRun:
    """One check run as it is now."""

    id: int
    app: str
    """Slug of the App that made it."""
    sha: str
    name: str
    external_id: str
    details_url: str | None
    status: str
    conclusion: str | None
    started_at: float
    completed_at: float | None
    title: str | None
    summary: str | None
    text: str | None
    annotations: list[CheckAnnotation]
    actions: list[CheckAction]
    received_at: float
    """When the request that made it arrived."""


@dataclass(frozen=True)
class Comment:
    """One comment."""

    id: int
    author: str
    body: str
    created_at: float
    updated_at: float
    reactions: list[str]


@dataclass(frozen=True)
class PullView:
    """A pull request as it is now."""

    number: int
    title: str
    body: str | None
    author: str
    state: str
    draft: bool
    merged: bool
    head_sha: str
    head_ref: str
    head_repository: str | None
    base_sha: str
    """The base branch's tip when the pull request was opened: stale, as on GitHub."""
    base_ref: str
    auto_merge: bool
    queued: bool
    """Whether it is in its base branch's merge queue."""
    labels: list[str]
    commits: list[str]


@dataclass(frozen=True)
class QueueEntry:
    """A merge group as payloads describe it; refs are full (`refs/heads/...`)."""

    number: int
    """Of its pull request."""
    head_sha: str
    head_ref: str
    base_sha: str
    """The head of the group before it, or the base branch's tip."""
    base_ref: str


@dataclass(frozen=True)
class Delivery:
    """One webhook delivery; the three times are None until they happened."""

    id: int
    guid: str
    hook_id: int
    event: str
    action: str | None
    redelivery: bool
    created_at: float
    sent_at: float | None
    answered_at: float | None
    status: str
    """`OK`, GitHub's words for a failure, or `pending`."""
    status_code: int
    headers: dict[str, str]
    payload: dict[str, Any]
    response_body: str


@dataclass(frozen=True)
class LoggedRequest:
    """One REST request."""

    id: int
    method: str
    path: str
    """Below the API's base, without the query: `/repos/acme/app/pulls/1`."""
    query: str
    status: int
    """What the caller got; 0 when the connection was cut."""
    cost: int
    """Points of the primary limit: 0 for 304, /rate_limit and refused requests, else 1."""
    conditional: bool
    caller: str
    """`user:alice`, `installation:12`, `app:3` or `anonymous`."""
    fault: str | None
    received_at: float
    answered_at: float
    limit: str = ""
    """The limit for which it was refused: core, points, content_minute, content_hour or concurrent."""

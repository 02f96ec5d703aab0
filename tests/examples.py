"""An ordinary day: a repository, its pull request, and what GitHub delivers about them."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.events.lane import lane_of
from bot.models import Branch, Change, Delivery, Phase, PullRequest, Repository, Run, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Subject

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
REPOSITORY = Repository(id=42, full_name="acme/widgets", clone_url="https://github.example/acme/widgets.git")
HEAD = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
TIP = "b" * 40
HOSTILE = "a\0b\ud800c"
"""Text that is no UTF-8 and that PostgreSQL can't hold."""

_NUMBERS = itertools.count(1)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def sha(number: int) -> str:
    """A commit's SHA."""
    return f"{number:040x}"


def pull(
    *,
    number: int = 12,
    head_sha: str = HEAD,
    author: str = "alice",
    head_repository: str | None = "acme/widgets",
    base_ref: str = "main",
    is_open: bool = True,
    draft: bool = False,
    title: str = "Add a widget",
    head_ref: str = "widget",
    labels: tuple[str, ...] = (),
    updated_at: datetime = NOON,
    comments: int = 0,
    repository: Repository = REPOSITORY,
) -> PullRequest:
    """Alice's pull request from a branch of the repository itself."""
    return PullRequest(
        repository=repository,
        number=number,
        open=is_open,
        draft=draft,
        title=title,
        author=author,
        head_sha=head_sha,
        head_ref=head_ref,
        head_repository=head_repository,
        base_ref=base_ref,
        updated_at=updated_at,
        labels=labels,
        comments=comments,
    )


def branch(
    name: str = "main",
    *,
    head_sha: str = HEAD,
    base_ref: str = "main",
    before: str = TIP,
    merge_group: bool = False,
    is_open: bool = True,
    repository: Repository = REPOSITORY,
) -> Branch:
    """A branch that was pushed to, or a merge queue's."""
    return Branch(
        repository=repository,
        name=name,
        head_sha=head_sha,
        base_ref=base_ref,
        before=before,
        merge_group=merge_group,
        open=is_open,
    )


def run(
    pipeline: str = "unit",
    *,
    run_id: str | None = None,
    number: int = 12,
    head_sha: str = HEAD,
    base_ref: str = "main",
    attempt: int = 0,
    dag_id: str = "checks",
    params: Mapping[str, object] | None = None,
    created_at: datetime = NOON,
    repository: Repository = REPOSITORY,
) -> Run:
    """A run that is wanted and has just been decided on; its attempt is the store's to choose."""
    run_id = run_id or f"{next(_NUMBERS):032x}"
    return Run(
        id=run_id,
        repository=repository,
        number=number,
        pipeline=pipeline,
        dag_id=dag_id,
        head_sha=head_sha,
        base_ref=base_ref,
        attempt=attempt,
        actor="alice",
        created_at=created_at,
        conf={**(params or {}), "PULL_BASE_SHA": TIP, "preflight": {"run_id": run_id}},
        phase=Phase.WANTED,
    )


def wanted(*runs: Run, of: Subject | None = None) -> Change:
    """The decision to start these runs."""
    return change(of, *(Verdict(one.context, one.pipeline, run=one) for one in runs))


def change(of: Subject | None = None, *verdicts: Verdict) -> Change:
    """A decision about a pull request or branch."""
    return Change(
        subject=of or pull(),
        delivery_id="d-1",
        actor="alice",
        kind="run",
        reason="a push",
        verdicts=tuple(verdicts),
    )


def repository_payload(repository: Repository = REPOSITORY) -> dict[str, object]:
    """The `repository` of every payload."""
    return {
        "id": repository.id,
        "node_id": "R_kgDOABCDEF",
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "owner": user_payload(repository.owner),
        "fork": False,
        "clone_url": repository.clone_url,
        "default_branch": "main",
    }


def user_payload(login: str) -> dict[str, object]:
    """A person."""
    return {"login": login, "id": 1000 + len(login), "type": "User", "site_admin": False}


def pull_payload(
    action: str,
    *,
    of: PullRequest | None = None,
    sender: str = "alice",
) -> dict[str, object]:
    """A `pull_request` delivery; its base SHA is a stale one, as GitHub's often is."""
    of = of or pull()
    return {
        "action": action,
        "number": of.number,
        "pull_request": {
            "id": 9000 + of.number,
            "number": of.number,
            "state": "open" if of.open else "closed",
            "draft": of.draft,
            "title": of.title,
            "user": user_payload(of.author),
            "body": None,
            "labels": [{"id": 1, "name": label} for label in of.labels],
            "created_at": "2026-03-04T11:00:00Z",
            "updated_at": of.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "merged": False,
            "head": {
                "ref": of.head_ref,
                "sha": of.head_sha,
                "repo": None if of.head_repository is None else {"full_name": of.head_repository},
            },
            "base": {"ref": of.base_ref, "sha": "0" * 40, "repo": repository_payload(of.repository)},
        },
        "repository": repository_payload(of.repository),
        "sender": user_payload(sender),
    }


def comment_payload(
    body: str | None,
    *,
    comment_id: int = 5001,
    author: str = "alice",
    action: str = "created",
    of: PullRequest | None = None,
) -> dict[str, object]:
    """An `issue_comment` delivery about a pull request."""
    of = of or pull()
    return {
        "action": action,
        "issue": {
            "number": of.number,
            "state": "open" if of.open else "closed",
            "title": of.title,
            "draft": of.draft,
            "labels": [{"id": 1, "name": label} for label in of.labels],
            "user": user_payload(of.author),
            "pull_request": {"url": f"https://api.github.example/pulls/{of.number}"},
        },
        "comment": {"id": comment_id, "user": user_payload(author), "body": body},
        "repository": repository_payload(of.repository),
        "sender": user_payload(author),
    }


def delivery(event: str, payload: Mapping[str, object], *, delivery_id: str | None = None) -> Delivery:
    """What the webhook makes of a payload."""
    delivery_id = delivery_id or f"delivery-{next(_NUMBERS)}"
    return Delivery(delivery_id, event, json.dumps(payload).encode(), lane_of(payload, delivery_id))


def moved(of: PullRequest, head_sha: str, *, seconds: float = 60) -> PullRequest:
    """The pull request after a push."""
    return replace(of, head_sha=head_sha, updated_at=of.updated_at + timedelta(seconds=seconds))

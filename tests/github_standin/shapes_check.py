"""Check runs and suites as GitHub's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from .shapes import app, minimal_repository, node_id, optional_timestamp, timestamp
from .shapes_push import simple_commit

if TYPE_CHECKING:
    from .checks import Annotation, CheckRun, CheckSuite
    from .state import Json, Pull, Repository, World


def check_run(world: World, found: CheckRun) -> Json:
    """A check run when it is asked for."""
    suite = found.suite
    home = suite.repository
    mine = f"{world.api}/repos/{home.full_name}/check-runs/{found.id}"
    return {
        "id": found.id,
        "name": found.name,
        "node_id": node_id("CR", found.id),
        "head_sha": suite.head_sha,
        "external_id": found.external_id,
        "url": mine,
        "html_url": f"{world.base_url}/{home.full_name}/runs/{found.id}",
        # Without an address of its own it leads to the App's home page.
        "details_url": found.details_url or world.base_url + suite.app.page,
        "status": found.status,
        "conclusion": found.conclusion,
        "started_at": timestamp(found.started_at),
        "completed_at": optional_timestamp(found.completed_at),
        "output": {
            "title": found.title,
            "summary": found.summary,
            "text": found.text,
            "annotations_count": len(found.annotations),
            "annotations_url": f"{mine}/annotations",
        },
        "check_suite": {"id": suite.id},
        "app": app(world, suite.app),
        "pull_requests": [_pull(world, pull) for pull in suite.pulls],
    }


def run_payload(world: World, found: CheckRun) -> Json:
    """A check run in a payload: what it was when the event happened."""
    return {**check_run(world, found), "check_suite": _suite(world, found.suite)}


def annotation(world: World, run: CheckRun, found: Annotation) -> Json:
    """A remark on lines of a file."""
    home, sha = run.suite.repository.full_name, run.suite.head_sha
    return {
        "path": found.path,
        "blob_href": f"{world.base_url}/{home}/blob/{sha}/{quote(found.path)}",
        "start_line": found.start_line,
        "start_column": found.start_column,
        "end_line": found.end_line,
        "end_column": found.end_column,
        "annotation_level": found.level,
        "title": found.title,
        "message": found.message,
        "raw_details": found.raw_details,
    }


def check_suite(world: World, found: CheckSuite) -> Json:
    """A check suite when it is asked for."""
    return {**suite_payload(world, found), "repository": minimal_repository(world, found.repository)}


def suite_payload(world: World, found: CheckSuite) -> Json:
    """A check suite in its own events."""
    shown = _suite(world, found)
    return {
        **shown,
        "head_commit": simple_commit(found.repository, found.head_sha),
        "latest_check_runs_count": len(found.latest),
        "check_runs_url": f"{shown['url']}/check-runs",
        "rerequestable": True,
        "runs_rerequestable": True,
    }


def _suite(world: World, found: CheckSuite) -> Json:
    """A check suite as an event of a check run mentions it."""
    return {
        "id": found.id,
        "node_id": node_id("CS", found.id),
        "head_branch": found.head_branch,
        "head_sha": found.head_sha,
        "status": found.status,
        "conclusion": found.conclusion,
        "url": f"{world.api}/repos/{found.repository.full_name}/check-suites/{found.id}",
        "before": found.before,
        "after": found.after,
        "pull_requests": [_pull(world, pull) for pull in found.pulls],
        "app": app(world, found.app),
        "created_at": timestamp(found.created_at),
        "updated_at": timestamp(found.updated_at),
    }


def _pull(world: World, found: Pull) -> Json:
    home = found.repository
    return {
        "id": found.pull_id,
        "number": found.number,
        "url": f"{world.api}/repos/{home.full_name}/pulls/{found.number}",
        "head": {"ref": found.head_ref, "sha": found.head_sha, "repo": _repository(world, home)},
        "base": {"ref": found.base_ref, "sha": found.base_sha, "repo": _repository(world, home)},
    }


def _repository(world: World, found: Repository) -> Json:
    return {"id": found.id, "url": f"{world.api}/repos/{found.full_name}", "name": found.name}

"""Check runs and check suites: Apps write them, each its own; who sees the repository reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from . import check_events, check_input, shapes_check
from .auth import LEVELS
from .checks import CheckRun, add_run, find_run, suite_of, suites_at
from .hub import caller, hub, the_commit, the_repository
from .responses import ApiError, body_object, not_found, number_from_query, page_of
from .state import now

if TYPE_CHECKING:
    from .state import App, Repository

routes = Blueprint("checks", __name__)


@routes.post("/repos/<owner>/<name>/check-runs")
def create_check_run(owner: str, name: str) -> tuple[Response, int]:
    """Make a check run of a commit."""
    repository, world = the_repository(owner, name), hub().world
    app, body = _writer(repository), body_object()
    said = check_input.read(body, new=True)
    sha = str(body.get("head_sha", ""))
    resolved = repository.git.resolve(sha) if sha.isalnum() else None
    if resolved is None:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    suite = suite_of(world, repository, app, resolved)
    received_at = request.environ.get("standin.received_at", now())
    run = CheckRun(world.new_id("check_run"), suite, said.name or "", received_at)
    said.write_to(run)
    add_run(suite, run)
    check_events.told(world, run, new=True, completed=run.status == "completed")
    return jsonify(shapes_check.check_run(world, run)), 201


@routes.patch("/repos/<owner>/<name>/check-runs/<int:run_id>")
def update_check_run(owner: str, name: str, run_id: int) -> Response:
    """Change a check run of one's own; its annotations are added to those that it has."""
    repository = the_repository(owner, name)
    app, run = _writer(repository), _run(repository, run_id)
    if run.suite.app is not app:
        why = f"Invalid app_id `{app.id}` - check run can only be modified by the GitHub App that created it."
        raise ApiError(403, why)
    said, before = check_input.read(body_object(), new=False), run.status
    said.write_to(run)
    completed = run.status == "completed" != before
    check_events.told(hub().world, run, new=False, completed=completed)
    return jsonify(shapes_check.check_run(hub().world, run))


@routes.get("/repos/<owner>/<name>/check-runs/<int:run_id>")
def get_check_run(owner: str, name: str, run_id: int) -> Response:
    """One check run."""
    return jsonify(shapes_check.check_run(hub().world, _run(_readable(owner, name), run_id)))


@routes.get("/repos/<owner>/<name>/check-runs/<int:run_id>/annotations")
def list_annotations(owner: str, name: str, run_id: int) -> Response:
    """The annotations of a check run, in the order they were given."""
    run = _run(_readable(owner, name), run_id)
    shown = page_of(run.annotations)
    return jsonify([shapes_check.annotation(hub().world, run, each) for each in shown])


@routes.get("/repos/<owner>/<name>/commits/<path:ref>/check-runs")
def list_check_runs(owner: str, name: str, ref: str) -> Response:
    """The check runs of a commit, newest first; of each App and name the newest, unless `filter=all`."""
    repository, asked = _readable(owner, name), request.args
    suites = suites_at(repository, the_commit(repository, ref))
    app_id = number_from_query("app_id", 0)
    found = [
        run
        for suite in suites
        if app_id in (0, suite.app.id)
        for run in (suite.runs if asked.get("filter") == "all" else suite.latest)
        if asked.get("check_name", run.name) == run.name and asked.get("status", run.status) == run.status
    ]
    found.sort(key=lambda run: run.id, reverse=True)
    shown = [shapes_check.check_run(hub().world, each) for each in page_of(found)]
    return jsonify({"total_count": len(found), "check_runs": shown})


@routes.get("/repos/<owner>/<name>/commits/<path:ref>/check-suites")
def list_check_suites(owner: str, name: str, ref: str) -> Response:
    """The check suites of a commit: one for each App."""
    repository, asked = _readable(owner, name), request.args
    app_id, run_name = number_from_query("app_id", 0), asked.get("check_name")
    found = [
        suite
        for suite in suites_at(repository, the_commit(repository, ref))
        if app_id in (0, suite.app.id) and (run_name is None or run_name in {run.name for run in suite.runs})
    ]
    shown = [shapes_check.check_suite(hub().world, each) for each in page_of(found)]
    return jsonify({"total_count": len(found), "check_suites": shown})


def _readable(owner: str, name: str) -> Repository:
    """A repository whose checks the caller may read."""
    repository, token = the_repository(owner, name), caller().token
    if token and LEVELS.index(token.permissions.get("checks", "none")) < LEVELS.index("read"):
        raise ApiError(403, "Resource not accessible by integration")
    return repository


def _writer(repository: Repository) -> App:
    """The App that writes; no person may, whatever token is shown."""
    caller().person()
    token = caller().token
    if token is None:
        raise ApiError(403, "You must authenticate via a GitHub App.")
    caller().require(repository, "checks", "write", "write")
    return token.installation.app


def _run(repository: Repository, run_id: int) -> CheckRun:
    found = find_run(repository, run_id)
    if found is None:
        raise not_found()
    return found

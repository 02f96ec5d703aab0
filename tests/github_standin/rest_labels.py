"""The labels of an issue or pull request."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from . import pulls, shapes_pull
from .hub import caller, hub, the_issue, the_repository
from .responses import ApiError, not_found, page_of
from .state import Issue, Pull

routes = Blueprint("labels", __name__)
LABELS = "/repos/<owner>/<name>/issues/<int:number>/labels"


@routes.get(LABELS)
def list_labels(owner: str, name: str, number: int) -> Response:
    """Its labels, in the order they were given."""
    issue = the_issue(the_repository(owner, name), number)
    return jsonify([shapes_pull.label(hub().world, issue.repository, each) for each in page_of(issue.labels)])


@routes.post(LABELS)
def add_labels(owner: str, name: str, number: int) -> Response:
    """Give labels, made when new; answers with all that it has."""
    issue = _labeled_by(the_issue(the_repository(owner, name), number))
    body = request.get_json(force=True, silent=True)
    names = body.get("labels") if isinstance(body, dict) else body
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise ApiError(422, "Validation Failed")
    for label in names:
        pulls.set_label(hub().world, issue, caller().person(), label, add=True)
    return list_labels(owner, name, number)


@routes.delete(f"{LABELS}/<label>")
def remove_label(owner: str, name: str, number: int, label: str) -> Response:
    """Take a label away; 404 where it has none of that name."""
    issue = _labeled_by(the_issue(the_repository(owner, name), number))
    if label not in [each.name for each in issue.labels]:
        raise ApiError(404, "Label does not exist")
    pulls.set_label(hub().world, issue, caller().person(), label, add=False)
    return list_labels(owner, name, number)


def _labeled_by(issue: Issue) -> Pull:
    """A pull request that the caller may give labels."""
    if not isinstance(issue, Pull):
        raise not_found()
    caller().require(issue.repository, "pull_requests", "write", "triage")
    return issue

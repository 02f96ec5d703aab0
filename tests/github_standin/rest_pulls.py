"""Pull requests and issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from . import shapes_commit, shapes_pull
from .hub import hub, the_issue, the_pull, the_repository
from .responses import page_of

if TYPE_CHECKING:
    from .state import Pull

routes = Blueprint("pulls", __name__)
MOST_FILES = 3000
MOST_COMMITS = 250


@routes.get("/repos/<owner>/<name>/pulls")
def list_pulls(owner: str, name: str) -> Response:
    """Pull requests, newest first unless asked otherwise."""
    repository = the_repository(owner, name)
    asked = request.args
    state, head, base = asked.get("state", "open"), asked.get("head", ""), asked.get("base", "")
    found = [
        pull
        for pull in repository.pulls
        if state in ("all", pull.state) and base in ("", pull.base_ref) and _from(pull, head)
    ]
    newest_first = asked.get("direction", "desc" if asked.get("sort", "created") == "created" else "asc")
    by_update = asked.get("sort") == "updated"
    found.sort(key=lambda pull: pull.updated_at if by_update else pull.number, reverse=newest_first == "desc")
    return jsonify([shapes_pull.pull(hub().world, pull) for pull in page_of(found)])


def _from(pull: Pull, head: str) -> bool:
    """Whether a pull request comes from `owner:branch`; GitHub ignores a filter without an owner."""
    if ":" not in head:
        return True
    owner = pull.head_owner.login if pull.head_owner else ""
    return f"{owner}:{pull.head_ref}" == head


@routes.get("/repos/<owner>/<name>/pulls/<int:number>")
def get_pull(owner: str, name: str, number: int) -> Response:
    """One pull request."""
    pull = the_pull(the_repository(owner, name), number)
    return jsonify(shapes_pull.full_pull(hub().world, pull, asked=True))


@routes.get("/repos/<owner>/<name>/pulls/<int:number>/files")
def list_files(owner: str, name: str, number: int) -> Response:
    """The files that a pull request changes: at most 3,000."""
    repository = the_repository(owner, name)
    pull = the_pull(repository, number)
    base = repository.git.merge_base(pull.base_tip, pull.head_sha) or pull.base_tip
    changes = page_of(repository.git.changes(base, pull.head_sha)[:MOST_FILES])
    return jsonify(
        [shapes_commit.changed_file(hub().world, repository, pull.head_sha, each) for each in changes]
    )


@routes.get("/repos/<owner>/<name>/pulls/<int:number>/commits")
def list_commits(owner: str, name: str, number: int) -> Response:
    """The commits of a pull request: at most 250, oldest first."""
    repository = the_repository(owner, name)
    pull = the_pull(repository, number)
    shas = page_of(repository.git.between(pull.base_tip, pull.head_sha)[:MOST_COMMITS])
    return jsonify([shapes_commit.commit(hub().world, repository, sha) for sha in shas])


@routes.get("/repos/<owner>/<name>/issues/<int:number>")
def get_issue(owner: str, name: str, number: int) -> Response:
    """One issue, or the half of a pull request that is one."""
    return jsonify(shapes_pull.issue(hub().world, the_issue(the_repository(owner, name), number)))

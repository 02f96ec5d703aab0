"""What differs between two commits, as GitHub compares them: since they went different ways."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request

from . import shapes_commit
from .hub import caller, hub, the_commit, the_repository
from .responses import not_found, number_from_query, page_of

if TYPE_CHECKING:
    from .state import Repository

routes = Blueprint("compare", __name__)
MOST_FILES = 300
MOST_COMMITS = 250
"""Commits shown to who does not ask for pages."""


@routes.get("/repos/<owner>/<name>/compare/<path:basehead>")
def compare(owner: str, name: str, basehead: str) -> Response:
    """The commits of `BASE...HEAD` that BASE lacks, and, on the first page, at most 300 files they change."""
    repository, world = the_repository(owner, name), hub().world
    base_name, dots, head_name = basehead.partition("...")
    if not dots:
        raise not_found()
    base, head = _end(repository, base_name), _end(repository, head_name)
    git = repository.git
    common = git.merge_base(base, head)
    if common is None:
        raise not_found()
    ahead, behind = git.between(base, head), git.between(head, base)
    paged = {"page", "per_page"} & request.args.keys()
    shown = page_of(ahead) if paged else ahead[-MOST_COMMITS:]
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    api = f"{world.api}/repos/{repository.full_name}/compare/{quote(base_name)}...{quote(head_name)}"
    html = f"{world.base_url}/{repository.full_name}/compare"
    login = repository.owner.login
    answer = {
        "url": api,
        "html_url": f"{html}/{quote(base_name)}...{quote(head_name)}",
        "permalink_url": f"{html}/{login}:{base[:12]}...{login}:{head[:12]}",
        "diff_url": f"{html}/{quote(base_name)}...{quote(head_name)}.diff",
        "patch_url": f"{html}/{quote(base_name)}...{quote(head_name)}.patch",
        "base_commit": shapes_commit.commit(world, repository, base),
        "merge_base_commit": shapes_commit.commit(world, repository, common),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [shapes_commit.commit(world, repository, sha) for sha in shown],
    }
    if number_from_query("page", 1) <= 1:
        changes = git.changes(common, head)[:MOST_FILES]
        answer["files"] = [shapes_commit.changed_file(world, repository, head, each) for each in changes]
    return jsonify(answer)


def _end(repository: Repository, name: str) -> str:
    """The commit that a branch, tag or SHA names, or `OWNER:BRANCH` in a fork, fetched from there."""
    owner, colon, branch = name.partition(":")
    if not colon or owner.lower() == repository.owner.login.lower():
        return the_commit(repository, branch or owner, status=404)
    for found in hub().world.repositories.values():
        if found.owner.login.lower() == owner.lower() and found.parent is repository and caller().sees(found):
            sha = the_commit(found, branch, status=404)
            repository.git.fetch(found.git, sha, f"refs/compared/{sha}")
            return sha
    raise not_found()

"""The lists of repositories and pull requests, with forms that make more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, request

from . import accounts, branches, pulls
from .checks import latest_runs
from .hub import hub
from .pages import lost, page
from .rest_statuses import newest_statuses
from .state import ROLES, Pull, Refused

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from .state import Account, Json, Repository

routes = Blueprint("pages_repository", __name__)


@routes.get("/")
def index(problem: str = "") -> Response:
    """Every repository with its pull requests."""
    shown = [_overview(each) for each in hub().world.repositories.values()]
    return page("index.html", repositories=shown, problem=problem)


@routes.post("/")
def make_repository() -> AnyResponse:
    """Make a repository."""
    name, world = request.form.get("full_name", ""), hub().world
    files: dict[str, bytes | None] = {"README.md": f"# {name}\n".encode()}
    try:
        made = accounts.make_repository(
            world,
            name,
            files=files,
            permissions={},
            private="private" in request.form,
            default_branch="main",
        )
    except Refused as refused:
        return index(str(refused))
    if world.default_hook:
        url, secret = world.default_hook
        accounts.add_hook(world, hub().webhooks, made, url=url, secret=secret)
    return redirect(f"/{made.full_name}", 303)


@routes.get("/<owner>/<name>")
def repository(owner: str, name: str, problem: str = "") -> Response:
    """One repository with its pull requests."""
    found = hub().world.find_repository(f"{owner}/{name}")
    if found is None:
        return lost()
    return page("index.html", repositories=[_overview(found)], only=found, roles=ROLES, problem=problem)


@routes.post("/<owner>/<name>/permissions")
def permit(owner: str, name: str) -> AnyResponse:
    """Give a person a role; the person is made when new."""
    found = hub().world.find_repository(f"{owner}/{name}")
    if found is None:
        return lost()
    try:
        accounts.permit(hub().world, found, request.form["login"], request.form["role"])
    except Refused as refused:
        return repository(owner, name, str(refused))
    return redirect(f"/{found.full_name}", 303)


@routes.post("/<owner>/<name>/pulls")
def open_pull(owner: str, name: str) -> AnyResponse:
    """Commit one file to a branch (of a fork, if so wished) and open a pull request."""
    world, form = hub().world, request.form
    found = world.find_repository(f"{owner}/{name}")
    if found is None:
        return lost()
    try:
        opened = _open_pull(found, world.account(form["as"]), form["branch"], form["path"])
    except Refused as refused:
        return repository(owner, name, str(refused))
    return redirect(f"/{found.full_name}/pull/{opened.number}?as={opened.author.login}", 303)


def _open_pull(found: Repository, by: Account, branch: str, path: str) -> Pull:
    world, form = hub().world, request.form
    head = accounts.fork(world, found, by) if "fork" in form else found
    content = form["content"].replace("\r\n", "\n").encode()
    branches.commit_to_branch(world, head, by, {path: content}, branch=branch, message=form["title"])
    return pulls.open_pull(
        world,
        found,
        by,
        head,
        branch,
        base=found.default_branch,
        title=form["title"],
        body="",
        draft="draft" in form,
        maintainer_can_modify=True,
    )


def _overview(found: Repository) -> Json:
    shown = [
        {"pull": pull, "state": _state(pull), "checks": _checks(found, pull.head_sha)}
        for pull in reversed(found.pulls)
    ]
    return {"repository": found, "pulls": shown}


def _checks(found: Repository, sha: str) -> list[tuple[str, str]]:
    """State and words of each status and check run."""
    statuses = [
        (each.state, f"{each.context}: {each.description or ''}") for each in newest_statuses(found, sha)
    ]
    return statuses + [(each.state, f"{each.name}: {each.title or ''}") for each in latest_runs(found, sha)]


def _state(pull: Pull) -> str:
    if pull.merged_at:
        return "merged"
    if any(group.pull is pull for group in pull.repository.queue):
        return "queued"
    return "draft" if pull.draft and pull.state == "open" else pull.state

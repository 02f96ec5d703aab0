"""A pull request as a person sees it: commits with statuses, comments, a box to comment in and buttons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request
from markupsafe import Markup

from . import branches, comments, markdown, pages_checks, pulls
from .checks import find_run, latest_runs, unmet
from .hub import hub
from .rest_statuses import newest_statuses
from .state import Pull, Refused, now

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from .state import Account, Json, Repository

routes = Blueprint("pages", __name__)
PULL = "/<owner>/<name>/pull/<int:number>"
ICONS = {"success": "✓", "failure": "✗", "error": "✗", "pending": "●", "neutral": "■", "skipped": "⊘"}
NEW_FILE = "notes.txt"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
POLICY += "form-action 'self'; img-src *"


@routes.get(PULL)
def pull(owner: str, name: str, number: int) -> Response:
    """One pull request."""
    found = _find(owner, name, number)
    if found is None:
        return lost()
    home = found.repository
    shas = home.git.between(found.base_tip, found.head_sha)
    group = next((each for each in home.queue if each.pull is found), None)
    return page(
        "pull.html",
        pull=found,
        repository=home,
        commits=[_commit(home, sha) for sha in shas],
        unmet=unmet(home, found.base_ref, found.head_sha) if found.state == "open" else [],
        group=group,
        group_commit=_commit(home, group.head_sha) if group else None,
        comments=[
            {
                "id": each.id,
                "author": each.author,
                "when": clock(each.created_at),
                "edited": each.updated_at > each.created_at,
                "html": Markup(markdown.render(each.body)),  # noqa: S704 - cleaned by nh3
                "reactions": [reaction.content for reaction in each.reactions],
            }
            for each in found.comments
        ],
        body=Markup(markdown.render(found.body or "")),  # noqa: S704 - cleaned by nh3
        edited=next((each for each in found.comments if str(each.id) == request.args.get("edit")), None),
        chosen=request.args.get("as", found.author.login),
        problem=request.args.get("problem", ""),
        files=found.repository.git.changes(
            home.git.merge_base(found.base_tip, found.head_sha) or found.base_tip, found.head_sha
        ),
    )


@routes.get("/<owner>/<name>/runs/<int:run_id>")
def check_run(owner: str, name: str, run_id: int) -> Response:
    """One check run, with all that it says."""
    home = hub().world.find_repository(f"{owner}/{name}")
    found = find_run(home, run_id) if home else None
    if home is None or found is None:
        return lost()
    return page(
        "check.html",
        repository=home,
        commit=_commit(home, found.suite.head_sha),
        check=pages_checks.shown(found),
    )


@routes.post(f"{PULL}/<action>")
def act(owner: str, name: str, number: int, action: str) -> AnyResponse:
    """Do what a button says, as the person chosen, and show the page again."""
    found = _find(owner, name, number)
    if found is None:
        return lost()
    world = hub().world
    by = world.account(request.form.get("as", found.author.login))
    problem = ""
    try:
        if action in ("edit", "delete"):
            _change_comment(found, by, action)
        elif action == "comment":
            comments.add_comment(world, found, by, request.form.get("body", "").replace("\r\n", "\n"))
        elif action == "push" and found.head_repository:
            path = request.form.get("path") or NEW_FILE
            text = request.form.get("content", "").replace("\r\n", "\n") or f"Pushed at {clock(now())}\n"
            branches.commit_to_branch(
                world, found.head_repository, by, {path: text.encode()}, branch=found.head_ref
            )
        elif action in ("click", "rerequest"):
            pages_checks.press(found, by, action, request.form.get("button", "[]"))
        elif action in ("close", "reopen"):
            pulls.set_state(world, found, by, "closed" if action == "close" else "open")
        elif action in ("draft", "ready"):
            pulls.set_draft(world, found, by, draft=action == "draft")
        elif action == "merge":
            pulls.merge(world, found, by)
        else:
            problem = f"there is no action {action!r}"
    except Refused as refused:
        problem = str(refused)
    shown = {"as": by.login} | ({"problem": problem} if problem else {})
    return redirect(f"/{owner}/{name}/pull/{number}?{urlencode(shown)}", 303)


def _change_comment(found: Pull, by: Account, action: str) -> None:
    _, comment = comments.find_comment(found.repository, int(request.form.get("comment", "0")))
    if action == "delete":
        comments.delete_comment(hub().world, found, comment, by)
    else:
        text = request.form.get("body", "").replace("\r\n", "\n")
        comments.edit_comment(hub().world, found, comment, by, text)


def page(template: str, **shown: object) -> Response:
    """A page, with what every page shows."""
    people = [each.login for each in hub().world.accounts.values() if each.type == "User"]
    response = Response(render_template(template, icons=ICONS, people=people, **shown), mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def lost() -> Response:
    """There is no such page."""
    response = page("lost.html")
    response.status_code = 404
    return response


def _find(owner: str, name: str, number: int) -> Pull | None:
    home = hub().world.find_repository(f"{owner}/{name}")
    found = home.issues.get(number) if home else None
    return found if isinstance(found, Pull) else None


def _commit(home: Repository, sha: str) -> Json:
    commit = home.git.commit(sha)
    statuses, checks = newest_statuses(home, sha), latest_runs(home, sha)
    states = {status.state for status in statuses} | {check.state for check in checks}
    worst = next((state for state in ("failure", "error", "pending", "success") if state in states), "")
    return {
        "sha": sha,
        "title": commit.message.split("\n")[0],
        "author": commit.author[0],
        "statuses": statuses,
        "checks": [pages_checks.shown(run) for run in checks],
        "state": worst,
    }


def clock(moment: float) -> str:
    """The time of day."""
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S UTC")

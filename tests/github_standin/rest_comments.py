"""Comments on issues and pull requests, and reactions to them."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from . import comments, shapes_pull
from .auth import LEVELS
from .hub import caller, hub, the_issue, the_repository
from .responses import ApiError, body_object, invalid, not_found, page_of
from .state import Account, Comment, Issue, Pull, Refused, Repository

routes = Blueprint("comments", __name__)


@routes.get("/repos/<owner>/<name>/issues/<int:number>/comments")
def list_comments(owner: str, name: str, number: int) -> Response:
    """Comments, oldest first."""
    issue, world = the_issue(the_repository(owner, name), number), hub().world
    since = request.args.get("since", "")
    shown = [shapes_pull.comment(world, issue, each) for each in issue.comments]
    return jsonify(page_of([each for each in shown if each["updated_at"] >= since]))


@routes.post("/repos/<owner>/<name>/issues/<int:number>/comments")
def create_comment(owner: str, name: str, number: int) -> tuple[Response, int]:
    """Comment; anybody may who sees the repository."""
    repository = the_repository(owner, name)
    issue = the_issue(repository, number)
    by = _writer(repository, issue)
    text = _text()
    try:
        made = comments.add_comment(hub().world, issue, by, text, caller().app)
    except Refused as refused:
        raise invalid("IssueComment", "body", str(refused), "unprocessable") from refused
    response = jsonify(shapes_pull.comment(hub().world, issue, made))
    response.headers["Location"] = response.get_json()["url"]
    return response, 201


@routes.get("/repos/<owner>/<name>/issues/comments/<int:comment_id>")
def get_comment(owner: str, name: str, comment_id: int) -> Response:
    """One comment."""
    issue, comment = _find(the_repository(owner, name), comment_id)
    return jsonify(shapes_pull.comment(hub().world, issue, comment))


@routes.patch("/repos/<owner>/<name>/issues/comments/<int:comment_id>")
def edit_comment(owner: str, name: str, comment_id: int) -> Response:
    """Change a comment: one's own, or any as a writer."""
    repository = the_repository(owner, name)
    issue, comment = _find(repository, comment_id)
    by = _owner_of(repository, issue, comment)
    try:
        comments.edit_comment(hub().world, issue, comment, by, _text())
    except Refused as refused:
        raise invalid("IssueComment", "body", str(refused), "unprocessable") from refused
    return jsonify(shapes_pull.comment(hub().world, issue, comment))


@routes.delete("/repos/<owner>/<name>/issues/comments/<int:comment_id>")
def delete_comment(owner: str, name: str, comment_id: int) -> tuple[str, int]:
    """Delete a comment: one's own, or any as a writer."""
    repository = the_repository(owner, name)
    issue, comment = _find(repository, comment_id)
    comments.delete_comment(hub().world, issue, comment, _owner_of(repository, issue, comment))
    return "", 204


@routes.get("/repos/<owner>/<name>/issues/comments/<int:comment_id>/reactions")
def list_reactions(owner: str, name: str, comment_id: int) -> Response:
    """The emoji on a comment."""
    _, comment = _find(the_repository(owner, name), comment_id)
    wanted = request.args.get("content", "")
    found = [each for each in comment.reactions if wanted in ("", each.content)]
    return jsonify([shapes_pull.reaction(hub().world, each) for each in page_of(found)])


@routes.post("/repos/<owner>/<name>/issues/comments/<int:comment_id>/reactions")
def create_reaction(owner: str, name: str, comment_id: int) -> tuple[Response, int]:
    """Give an emoji: 200 when it was given before."""
    repository = the_repository(owner, name)
    issue, comment = _find(repository, comment_id)
    by = _writer(repository, issue)
    content = body_object().get("content")
    if content not in shapes_pull.REACTIONS:
        raise invalid("Reaction", "content", "content is not a reaction", "invalid")
    reaction, new = comments.react(hub().world, comment, by, content)
    return jsonify(shapes_pull.reaction(hub().world, reaction)), 201 if new else 200


def _find(repository: Repository, comment_id: int) -> tuple[Issue, Comment]:
    try:
        return comments.find_comment(repository, comment_id)
    except Refused as refused:
        raise not_found() from refused


def _text() -> str:
    text = body_object().get("body")
    if not isinstance(text, str):
        raise ApiError(422, 'Invalid request.\n\n"body" wasn\'t supplied.')
    return text


def _writer(repository: Repository, issue: Issue) -> Account:
    """Who comments: a person, or an installation that may write issues or (here) pull requests."""
    by = caller().person()
    token = caller().token
    if token:
        names = ["issues", "pull_requests"] if isinstance(issue, Pull) else ["issues"]
        granted = max(LEVELS.index(token.permissions.get(name, "none")) for name in names)
        if not token.covers(repository) or granted < LEVELS.index("write"):
            raise ApiError(403, "Resource not accessible by integration")
    return by


def _owner_of(repository: Repository, issue: Issue, comment: Comment) -> Account:
    by = _writer(repository, issue)
    if comment.author is not by and not caller().token and not repository.allows(by, "write"):
        raise ApiError(403, "Must have admin rights to Repository.")
    return by

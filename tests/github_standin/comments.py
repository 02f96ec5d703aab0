"""What people and bots do with comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import shapes_pull
from .state import Comment, Reaction, Refused, now

if TYPE_CHECKING:
    from .state import Account, App, Issue, Json, Repository, World

LONGEST_BODY = 65_536
"""Characters."""


def add_comment(world: World, issue: Issue, by: Account, body: str, app: App | None = None) -> Comment:
    """Comment on an issue or pull request."""
    _check(body)
    moment = now()
    comment = Comment(world.new_id("comment"), by, body, moment, moment, app)
    issue.comments.append(comment)
    issue.updated_at = moment
    _emit(world, "created", issue, comment, by)
    return comment


def edit_comment(world: World, issue: Issue, comment: Comment, by: Account, body: str) -> None:
    """Change a comment's text."""
    _check(body)
    changes = {"body": {"from": comment.body}}
    comment.body = body
    comment.updated_at = issue.updated_at = now()
    _emit(world, "edited", issue, comment, by, changes=changes)


def delete_comment(world: World, issue: Issue, comment: Comment, by: Account) -> None:
    """Delete a comment."""
    issue.comments.remove(comment)
    issue.updated_at = now()
    _emit(world, "deleted", issue, comment, by)


def react(world: World, comment: Comment, by: Account, content: str) -> tuple[Reaction, bool]:
    """Give an emoji; the one given before if there is one, and whether it is new."""
    for given in comment.reactions:
        if given.account is by and given.content == content:
            return given, False
    reaction = Reaction(world.new_id("reaction"), by, content, now())
    comment.reactions.append(reaction)
    return reaction, True


def find_comment(repository: Repository, comment_id: int) -> tuple[Issue, Comment]:
    """A comment and what it is on; Refused if there is none."""
    for issue in repository.issues.values():
        for comment in issue.comments:
            if comment.id == comment_id:
                return issue, comment
    raise Refused(f"{repository.full_name} has no comment {comment_id}")


def _check(body: str) -> None:
    if not body.strip():
        raise Refused("body can't be blank")
    if len(body) > LONGEST_BODY:
        raise Refused(f"body is too long (maximum is {LONGEST_BODY} characters)")


def _emit(world: World, action: str, issue: Issue, comment: Comment, by: Account, **more: object) -> None:
    payload: Json = {
        "issue": shapes_pull.issue(world, issue),
        "comment": shapes_pull.comment(world, issue, comment),
    }
    world.emit("issue_comment", action, issue.repository, by, payload | more)

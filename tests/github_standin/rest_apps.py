"""Users, Apps and installations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify

from . import shapes
from .auth import mint, refuse_suspended
from .hub import caller, hub
from .responses import ApiError, body_object, not_found, page_of

if TYPE_CHECKING:
    from .state import Installation

routes = Blueprint("apps", __name__)
MOST_REPOSITORIES = 500
"""How many a token may be narrowed to."""


@routes.get("/user")
def get_user() -> Response:
    """The person whose token it is."""
    if caller().app:
        raise ApiError(403, "Resource not accessible by integration")
    return jsonify(shapes.private_profile(hub().world, caller().person()))


@routes.get("/users/<login>")
def get_user_by_login(login: str) -> Response:
    """Any account."""
    account = hub().world.accounts.get(login.lower())
    if account is None:
        raise not_found()
    return jsonify(shapes.public_profile(hub().world, account))


@routes.get("/app")
def get_app() -> Response:
    """The App whose JWT it is."""
    app = caller().as_app()
    return jsonify(shapes.app(hub().world, app) | {"installations_count": len(app.installations)})


@routes.get("/app/installations")
def list_installations() -> Response:
    """Where the App is installed."""
    found = page_of(caller().as_app().installations)
    return jsonify([shapes.installation(hub().world, each) for each in found])


@routes.get("/app/installations/<int:installation_id>")
def get_installation(installation_id: int) -> Response:
    """One installation."""
    return jsonify(shapes.installation(hub().world, _installation(installation_id)))


@routes.post("/app/installations/<int:installation_id>/access_tokens")
def create_installation_token(installation_id: int) -> tuple[Response, int]:
    """A token for an installation, narrowed as asked."""
    installation, body, world = _installation(installation_id), body_object(), hub().world
    refuse_suspended(installation)
    known = [each for each in world.repositories.values() if installation.covers(each)]
    chosen: set[int] | None = None
    if "repositories" in body or "repository_ids" in body:
        names, ids = set(body.get("repositories", ())), set(body.get("repository_ids", ()))
        if len(names) + len(ids) > MOST_REPOSITORIES:
            raise ApiError(422, f"A token can be narrowed to {MOST_REPOSITORIES} repositories at most.")
        if names - {each.name for each in known} or ids - {each.id for each in known}:
            raise ApiError(
                422,
                "There is at least one repository that does not exist or is not accessible to the parent "
                "installation.",
            )
        chosen = {each.id for each in known if each.name in names or each.id in ids}
    minted = mint(world, installation, hub().limits.token_seconds, chosen, body.get("permissions"))
    return jsonify(shapes.installation_token(world, minted)), 201


@routes.get("/installation/repositories")
def list_installation_repositories() -> Response:
    """The repositories that an installation token is good for."""
    token = caller().token
    if token is None:
        raise ApiError(403, "You must authenticate with an installation access token.")
    world = hub().world
    covered = [each for each in world.repositories.values() if token.covers(each)]
    shown = [shapes.repository(world, each) for each in page_of(covered)]
    chosen = token.repositories if token.repositories is not None else token.installation.repositories
    selection = "all" if chosen is None else "selected"
    return jsonify({"total_count": len(covered), "repository_selection": selection, "repositories": shown})


@routes.get("/repos/<owner>/<name>/installation")
def get_repository_installation(owner: str, name: str) -> Response:
    """The App's installation that sees a repository."""
    app = caller().as_app()
    repository = hub().world.find_repository(f"{owner}/{name}")
    for installation in app.installations:
        if repository and installation.covers(repository):
            return jsonify(shapes.installation(hub().world, installation))
    raise not_found()


def _installation(installation_id: int) -> Installation:
    for installation in caller().as_app().installations:
        if installation.id == installation_id:
            return installation
    raise not_found()

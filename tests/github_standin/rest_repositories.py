"""Repositories, branches, commits and who may do what."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request

from . import shapes, shapes_commit
from .hub import caller, hub, the_commit, the_repository
from .responses import ApiError, not_found, page_of
from .state import COLLAPSED_ROLE, Json

routes = Blueprint("repositories", __name__)
SHA_MEDIA_TYPES = ("application/vnd.github.sha", "application/vnd.github.v3.sha")
FILES_PER_COMMIT = 300


@routes.get("/repos/<owner>/<name>")
def get_repository(owner: str, name: str) -> Response:
    """One repository."""
    repository = the_repository(owner, name)
    role = repository.role_of(caller().account) if caller().account else None
    return jsonify(shapes.full_repository(hub().world, repository, role))


@routes.get("/repos/<owner>/<name>/collaborators/<login>/permission")
def get_permission(owner: str, name: str, login: str) -> Response:
    """A person's permission, in the old words and as the role's name."""
    repository, world = the_repository(owner, name), hub().world
    caller().person()
    if not caller().token and not repository.allows(caller().account, "write"):
        raise ApiError(403, "Must have push access to view collaborator permission.")
    account = world.accounts.get(login.lower())
    if account is None:
        raise not_found()
    if account.type == "Bot":
        raise ApiError(404, f"{account.login} is not a user")
    role = repository.role_of(account)
    return jsonify(
        {
            "permission": COLLAPSED_ROLE.get(role, role),
            "role_name": role,
            "user": {
                **shapes.user(world, account),
                "permissions": shapes.permissions(role),
                "role_name": role,
            },
        }
    )


@routes.get("/repos/<owner>/<name>/git/ref/<path:ref>")
def get_ref(owner: str, name: str, ref: str) -> Response:
    """One ref, by its full name without `refs/`."""
    repository, world = the_repository(owner, name), hub().world
    branch = ref.removeprefix("heads/")
    sha = repository.heads.get(branch) if branch != ref else repository.git.resolve(f"refs/{ref}")
    if sha is None:
        raise not_found()
    api = f"{world.api}/repos/{repository.full_name}"
    return jsonify(
        {
            "ref": f"refs/{ref}",
            "node_id": shapes.node_id("REF", f"{repository.id}:refs/{ref}"),
            "url": f"{api}/git/refs/{quote(ref)}",
            "object": {"sha": sha, "type": "commit", "url": f"{api}/git/commits/{sha}"},
        }
    )


@routes.get("/repos/<owner>/<name>/branches/<path:branch>")
def get_branch(owner: str, name: str, branch: str) -> Response:
    """One branch with its tip."""
    repository, world = the_repository(owner, name), hub().world
    if branch not in repository.heads:
        raise ApiError(404, "Branch not found")
    api = f"{world.api}/repos/{repository.full_name}/branches/{quote(branch)}"
    required = list(repository.required.get(branch, ()))
    checks = {
        "enforcement_level": "everyone" if required else "off",
        "contexts": required,
        "checks": [{"context": each, "app_id": None} for each in required],
    }
    return jsonify(
        {
            "name": branch,
            "commit": shapes_commit.commit(world, repository, repository.heads[branch]),
            "_links": {
                "self": api,
                "html": f"{world.base_url}/{repository.full_name}/tree/{quote(branch)}",
            },
            "protected": bool(required),
            "protection": {"enabled": bool(required), "required_status_checks": checks},
            "protection_url": f"{api}/protection",
        }
    )


@routes.get("/repos/<owner>/<name>/commits/<path:ref>")
def get_commit(owner: str, name: str, ref: str) -> Response:
    """One commit with its files, or only its SHA."""
    repository, world = the_repository(owner, name), hub().world
    sha = the_commit(repository, ref)
    if any(media in request.headers.get("Accept", "") for media in SHA_MEDIA_TYPES):
        return Response(sha, mimetype="application/vnd.github.sha")
    parents = repository.git.commit(sha).parents
    changes = repository.git.changes(parents[0], sha) if parents else []
    shown: Json = shapes_commit.commit(world, repository, sha)
    shown["stats"] = {
        "total": sum(each.additions + each.deletions for each in changes),
        "additions": sum(each.additions for each in changes),
        "deletions": sum(each.deletions for each in changes),
    }
    files = page_of(changes, FILES_PER_COMMIT)
    shown["files"] = [shapes_commit.changed_file(world, repository, sha, each) for each in files]
    return jsonify(shown)

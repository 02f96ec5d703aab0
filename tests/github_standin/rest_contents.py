"""Files at a commit."""

from __future__ import annotations

import base64
import posixpath
import textwrap
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request

from .hub import hub, the_commit, the_repository
from .responses import not_found

if TYPE_CHECKING:
    from .state import Json, Repository

routes = Blueprint("contents", __name__)
SYMLINK, SUBMODULE = "120000", "160000"
LARGEST_INLINE = 1_000_000
"""Bytes; larger files come without their content."""
LINKS_FOLLOWED = 8


@routes.get("/repos/<owner>/<name>/contents/", defaults={"path": ""})
@routes.get("/repos/<owner>/<name>/contents/<path:path>")
def get_contents(owner: str, name: str, path: str) -> Response:
    """A file with its content, or what a folder holds."""
    repository = the_repository(owner, name)
    ref = request.args.get("ref", repository.default_branch)
    sha = the_commit(repository, ref, status=404)
    path = path.strip("/")
    entries = repository.git.entries(sha, path)
    if not entries and path:
        raise not_found()
    if not path or entries[0][3] != path:
        return jsonify([_entry(repository, ref, entry) for entry in entries])
    entry = _followed(repository, sha, entries[0])
    content = repository.git.blob(entry[2]) if entry[1] == "blob" else b""
    if "raw" in request.headers.get("Accept", ""):
        return Response(content, content_type="application/vnd.github.raw+json; charset=utf-8")
    shown = _entry(repository, ref, (*entry[:3], path))
    if entry[0] == SYMLINK:
        shown["target"] = content.decode(errors="replace")
    elif entry[0] == SUBMODULE:
        shown["submodule_git_url"] = None
    else:
        shown |= _inlined(content)
    return jsonify(shown)


def _followed(
    repository: Repository, sha: str, entry: tuple[str, str, str, str]
) -> tuple[str, str, str, str]:
    """What a symbolic link leads to when that is a file of the repository, else the link itself."""
    followed = entry
    for _ in range(LINKS_FOLLOWED):
        if followed[0] != SYMLINK:
            return followed
        target = repository.git.blob(followed[2]).decode(errors="replace")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(followed[3]), target))
        found = repository.git.entries(sha, path) if not path.startswith(("/", "..")) else []
        if not found or found[0][3] != path:
            return entry
        followed = found[0]
    return entry


def _inlined(content: bytes) -> Json:
    if len(content) > LARGEST_INLINE:
        return {"encoding": "none", "content": "", "size": len(content)}
    lines = textwrap.wrap(base64.b64encode(content).decode(), 60)
    return {"encoding": "base64", "content": "".join(f"{line}\n" for line in lines), "size": len(content)}


def _entry(repository: Repository, ref: str, entry: tuple[str, str, str, str]) -> Json:
    mode, kind, blob, path = entry
    world = hub().world
    api = f"{world.api}/repos/{repository.full_name}"
    page = f"{world.base_url}/{repository.full_name}"
    shown = {"tree": "dir", "commit": "submodule"}.get(kind, "symlink" if mode == SYMLINK else "file")
    mine = f"{api}/contents/{quote(path)}?ref={quote(ref)}"
    git = f"{api}/git/{'trees' if kind == 'tree' else 'blobs'}/{blob}"
    html = f"{page}/{'tree' if kind == 'tree' else 'blob'}/{quote(ref)}/{quote(path)}"
    return {
        "name": posixpath.basename(path),
        "path": path,
        "sha": blob,
        "size": len(repository.git.blob(blob)) if kind == "blob" else 0,
        "url": mine,
        "html_url": html,
        "git_url": git,
        "download_url": f"{page}/raw/{quote(ref)}/{quote(path)}" if kind == "blob" else None,
        "type": shown,
        "_links": {"self": mine, "git": git, "html": html},
    }

"""`/runs/ID/artifacts/PATH`: what a run's steps left, as files that no browser carries out."""

from __future__ import annotations

import threading
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort

from bot.errors import ArtifactsUnavailable, StoreUnavailable
from bot.models import ARTIFACTS_PATH
from bot.pages.site import RUN_ID

if TYPE_CHECKING:
    from bot.pages.gate import Gate
    from bot.ports import ArtifactStore, RunReader

AT_ONCE = 2
"""Downloads of one process: somebody with a slow line must not keep webhooks waiting."""

LARGEST = 50 * 1024 * 1024
"""Bytes of a file that are sent; what is larger ends there."""

PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
TEXTS = frozenset(
    {
        ".txt",
        ".log",
        ".xml",
        ".json",
        ".yaml",
        ".yml",
        ".html",
        ".htm",
        ".md",
        ".csv",
        ".svg",
        ".out",
        ".err",
        "",
    }
)
POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


def blueprint(reader: RunReader, artifacts: ArtifactStore, gate: Gate) -> Blueprint:
    """The files of runs that the viewer may see."""
    pages = Blueprint("artifacts", __name__)
    turns = threading.BoundedSemaphore(AT_ONCE)

    @pages.get("/runs/<run_id>/artifacts/<path:path>")
    def artifact(run_id: str, path: str) -> Response:
        folder = _folder(reader, gate, run_id)
        if not turns.acquire(blocking=False):
            return Response(
                "Too many files are being sent right now: try again in a moment.\n",
                503,
                {"Retry-After": "5"},
                mimetype="text/plain",
            )
        try:
            content = artifacts.read(f"{folder}/{path}", LARGEST)
        except ValueError:
            content = None
        except ArtifactsUnavailable:
            turns.release()
            abort(503)
        if content is None:
            turns.release()
            abort(404)
        response = Response(content, headers=_headers(path))
        response.call_on_close(turns.release)
        return response

    return pages


def _folder(reader: RunReader, gate: Gate, run_id: str) -> str:
    """The run's folder below the root; 404 where the viewer may not see the run."""
    if not RUN_ID.fullmatch(run_id):
        abort(404)
    try:
        run = reader.run(run_id)
    except StoreUnavailable:
        abort(503)
    if run is None or not gate.may_read(run.repository):
        abort(404)
    folder = run.conf.get(ARTIFACTS_PATH)
    if not isinstance(folder, str) or not folder:
        abort(404)
    return folder


def _headers(path: str) -> dict[str, str]:
    """Text is shown as text and pictures as pictures; all else is saved. Nothing of it may act here."""
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    if suffix in PICTURES:
        return headers | {"Content-Type": PICTURES[suffix]}
    if suffix in TEXTS:
        return headers | {"Content-Type": "text/plain; charset=utf-8"}
    return headers | {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}

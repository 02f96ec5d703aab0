"""The files that runs left: whoever may see the run gets them, and they can do nothing here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from bot.errors import ArtifactsUnavailable
from bot.models import ARTIFACTS_PATH
from bot.pages.artifacts import AT_ONCE, blueprint
from bot.pages.gate import PublicGate
from tests.examples import REPOSITORY, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from bot.models import Run

ID = "0a" * 16
FOLDER = "pr-logs/pull/acme_widgets/12/unit/1"


@dataclass
class Files:
    """An ArtifactStore in memory."""

    files: dict[str, bytes] = field(default_factory=lambda: {f"{FOLDER}/artifacts/test/junit.xml": b"<x/>"})
    down: bool = False

    def read(self, path: str, most: int) -> Iterator[bytes] | None:
        if self.down:
            raise ArtifactsUnavailable("nothing answers")
        if ".." in path:
            raise ValueError("leaves the root")
        return iter([self.files[path][:most]]) if path in self.files else None


@dataclass
class Runs:
    run_there: Run

    def run(self, run_id: str) -> Run | None:
        return self.run_there if run_id == ID else None


def client(files: Files | None = None, *, private: bool = False) -> FlaskClient:
    one = run(run_id=ID, repository=replace(REPOSITORY, private=private))
    one = replace(one, conf={**one.conf, ARTIFACTS_PATH: FOLDER})
    app = Flask("bot.pages", static_folder=None)
    app.register_blueprint(blueprint(Runs(one), files or Files(), PublicGate()))  # type: ignore[arg-type]  # what of them is asked
    return app.test_client()


def test_a_file_is_sent() -> None:
    response = client().get(f"/runs/{ID}/artifacts/artifacts/test/junit.xml")
    assert (response.status_code, response.data) == (HTTPStatus.OK, b"<x/>")


@pytest.mark.parametrize(
    ("name", "kind", "saved"),
    [
        ("report.html", "text/plain", False),
        ("drawing.svg", "text/plain", False),
        ("build-log.txt", "text/plain", False),
        ("screen.PNG", "image/png", False),
        ("tool.bin", "application/octet-stream", True),
        ("page.xhtml", "application/octet-stream", True),
        ("x.js", "application/octet-stream", True),
    ],
)
def test_nothing_of_it_is_carried_out(name: str, kind: str, *, saved: bool) -> None:
    response = client(Files({f"{FOLDER}/{name}": b"<script>alert(1)</script>"})).get(
        f"/runs/{ID}/artifacts/{name}"
    )
    assert response.mimetype == kind
    assert ("attachment" in response.headers.get("Content-Disposition", "")) is saved
    assert response.headers["Content-Security-Policy"].startswith("sandbox;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        f"/runs/{ID}/artifacts/nothing.txt",
        f"/runs/{ID}/artifacts/../../secrets",
        f"/runs/{ID}/artifacts/%2e%2e/%2e%2e/secrets",
        f"/runs/{'0b' * 16}/artifacts/artifacts/test/junit.xml",
        "/runs/x/artifacts/artifacts/test/junit.xml",
    ],
)
def test_what_is_not_there(path: str) -> None:
    assert client().get(path).status_code == HTTPStatus.NOT_FOUND


def test_a_private_repositorys_files_look_as_if_they_were_not_there() -> None:
    path = f"/runs/{ID}/artifacts/artifacts/test/junit.xml"
    assert client(private=True).get(path).status_code == HTTPStatus.NOT_FOUND


def test_where_they_are_kept_is_down() -> None:
    response = client(Files(down=True)).get(f"/runs/{ID}/artifacts/artifacts/test/junit.xml")
    assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE


def test_a_few_are_sent_at_once_and_each_gives_its_turn_back() -> None:
    there = client()
    path = f"/runs/{ID}/artifacts/artifacts/test/junit.xml"
    open_ones = [there.get(path, buffered=False) for _ in range(AT_ONCE)]
    assert there.get(path).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    for response in open_ones:
        response.close()
    for _ in range(AT_ONCE + 1):
        assert there.get(path, buffered=True).status_code == HTTPStatus.OK
    for missing in range(AT_ONCE + 1):
        assert there.get(f"/runs/{ID}/artifacts/{missing}").status_code == HTTPStatus.NOT_FOUND
    assert there.get(path).status_code == HTTPStatus.OK

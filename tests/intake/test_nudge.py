"""`POST /nudge`: a hint that a run is worth a look, believed by nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from bot.intake import nudge
from bot.intake.signature import sign
from tests.examples import HOSTILE
from tests.fakes.nudged import Nudged

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

SECRET = "shared with Airflow"


def send(runs: Nudged, body: bytes, *, signature: str | None = "", secret: str = SECRET) -> TestResponse:
    app = Flask(__name__)
    app.register_blueprint(nudge.blueprint(runs, secret))  # type: ignore[arg-type]  # nudge is all it needs
    header = sign(body, SECRET) if signature == "" else signature
    headers = {} if header is None else {"X-Preflight-Signature-256": header}
    return app.test_client().post("/nudge", data=body, headers=headers, content_type="application/json")


def hint(dag_run_id: object = "preflight~known", state: str = "success") -> bytes:
    fields = {
        "dag_id": "checks",
        "dag_run_id": dag_run_id,
        "task_id": "clone",
        "map_index": -1,
        "try_number": 1,
    }
    return json.dumps(fields | {"state": state, "sent_at": "2026-03-04T12:00:00Z"}).encode()


@pytest.mark.parametrize("dag_run_id", ["preflight~known", "preflight~unknown"])
def test_is_taken_and_the_run_is_looked_at(dag_run_id: str) -> None:
    runs = Nudged()
    assert send(runs, hint(dag_run_id)).status_code == 202
    assert runs.nudges == [dag_run_id]


@pytest.mark.parametrize(
    ("state", "began"), [("running", ["preflight~known"]), ("success", []), ("failed", [])]
)
def test_says_whether_something_began(state: str, began: list[str]) -> None:
    """Only then may a run that has ended go on."""
    runs = Nudged()
    send(runs, hint(state=state))
    assert runs.began == began


@pytest.mark.parametrize(
    "signature",
    [None, "sha256=" + "0" * 64, sign(hint(), "another")],
    ids=["missing", "made-up", "another-secret"],
)
def test_is_refused_without_the_right_signature(signature: str | None) -> None:
    runs = Nudged()
    assert send(runs, hint(), signature=signature).status_code == 401
    assert runs.nudges == []


def test_without_a_secret_nobody_is_believed() -> None:
    runs = Nudged()
    assert send(runs, hint(), secret="", signature=sign(hint(), "")).status_code == 401


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"{}", hint(3), hint(None)])
def test_is_refused_if_it_is_no_nudge(body: bytes) -> None:
    runs = Nudged()
    assert send(runs, body).status_code == 400
    assert runs.nudges == []


def test_takes_any_text() -> None:
    assert send(Nudged(), hint(HOSTILE)).status_code == 202


def test_while_the_database_is_down_nothing_breaks() -> None:
    assert send(Nudged(down=True), hint()).status_code == 503

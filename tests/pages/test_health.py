"""Health for probes: what is wrong is told inside only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from bot.errors import StoreUnavailable
from bot.pages import health, metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.testing import FlaskClient

    from bot.models import Audit, Run


@dataclass
class Reader:
    """A database that may be down."""

    down: bool = False
    quiet_since: datetime | None = None

    def run(self, run_id: str) -> Run | None:
        raise AssertionError(f"health and metrics never read a run ({run_id})")

    def audits(self, run: Run) -> Sequence[Audit]:
        raise AssertionError(f"nor any decision ({run.id})")

    def counts(self) -> Mapping[str, Mapping[str, float]]:
        self.check()
        return {
            "deliveries": {"queued": 2.0, "parked": 1.0},
            "runs": {"success": 3.0},
            "ages": {"oldest_delivery": 1.5},
        }

    def unattended(self) -> datetime | None:
        self.check()
        return self.quiet_since

    def check(self) -> None:
        if self.down:
            raise StoreUnavailable("the database does not answer: no route to 10.0.0.7")


def client(reader: Reader, *, internal: bool) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(health.blueprint(reader.check, internal=internal, unattended=reader.unattended))
    app.register_blueprint(metrics.blueprint(reader))
    return app.test_client()


def test_that_no_worker_is_at_work_is_told_inside() -> None:
    """Web is ready all the same: what it takes is kept."""
    quiet = Reader(quiet_since=datetime(2026, 3, 4, 12, tzinfo=UTC))
    inside = client(quiet, internal=True).get("/readyz")
    assert (inside.status_code, inside.text) == (
        200, "ready\nno worker has been at work since 2026-03-04 12:00:00 UTC\n"
    )  # fmt: skip
    assert client(quiet, internal=False).get("/readyz").text == "ready\n"


@pytest.mark.parametrize("internal", [True, False], ids=["inside", "outside"])
class TestBothSides:
    def test_a_process_that_answers_is_healthy_even_without_a_database(self, *, internal: bool) -> None:
        assert client(Reader(down=True), internal=internal).get("/healthz").status_code == 200

    def test_it_is_ready_with_one(self, *, internal: bool) -> None:
        assert client(Reader(), internal=internal).get("/readyz").status_code == 200

    def test_and_not_without(self, *, internal: bool) -> None:
        answer = client(Reader(down=True), internal=internal).get("/readyz")
        assert answer.status_code == 503
        assert ("10.0.0.7" in answer.text) is internal


class TestMetrics:
    def test_show_what_the_database_holds(self) -> None:
        text = client(Reader(), internal=True).get("/metrics").text
        for line in (
            'preflight_deliveries{state="queued"} 2.0',
            'preflight_deliveries{state="parked"} 1.0',
            'preflight_runs{state="success"} 3.0',
            'preflight_oldest_seconds{queue="oldest_delivery"} 1.5',
            "preflight_database_up 1.0",
        ):
            assert line in text

    def test_are_there_while_the_database_is_down(self) -> None:
        answer = client(Reader(down=True), internal=True).get("/metrics")
        assert answer.status_code == 200
        assert "preflight_database_up 0.0" in answer.text

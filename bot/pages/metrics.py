"""`/metrics`: what the processes counted, and what the database holds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.ports import RunReader

FAMILIES = {
    "deliveries": ("preflight_deliveries", "Deliveries in the database by state", "state"),
    "runs": ("preflight_runs", "Runs in the database by outcome or phase", "state"),
    "ages": ("preflight_oldest_seconds", "Age of the oldest that waits, in seconds", "queue"),
}


class StoredFigures(Collector):
    """Gauges from the database: the same whichever process is asked."""

    def __init__(self, reader: RunReader) -> None:
        self.reader = reader

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All figures, and whether they could be read."""
        up = GaugeMetricFamily("preflight_database_up", "1 if the database answers")
        try:
            counts = self.reader.counts()
        except StoreUnavailable:
            counts = {}
        up.add_metric((), 1.0 if counts else 0.0)
        yield up
        for key, (name, text, label) in FAMILIES.items():
            family = GaugeMetricFamily(name, text, labels=(label,))
            for state, value in counts.get(key, {}).items():
                family.add_metric((state,), value)
            yield family


def blueprint(reader: RunReader) -> Blueprint:
    """The metrics' endpoint, for the internal listener."""
    pages = Blueprint("metrics", __name__)

    @pages.get("/metrics")
    def metrics() -> Response:
        stored = CollectorRegistry()
        stored.register(StoredFigures(reader))
        body = generate_latest(counted()) + generate_latest(stored)
        return Response(body, content_type=CONTENT_TYPE_LATEST)

    return pages


def counted() -> CollectorRegistry:
    """What was counted: by all gunicorn processes together, or by this one if it is alone."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus-client leaves it untyped
    return registry

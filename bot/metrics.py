"""Counters and timings, the same in every process of ours. What is durable is counted in the database.

prometheus-client keeps the figures of several gunicorn processes together in files, if
PROMETHEUS_MULTIPROC_DIR is set before this module is imported; `bot.cli` sees to it.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

WEBHOOKS = Counter("preflight_webhooks", "Webhook requests by what became of them", ["result"])
NUDGES = Counter("preflight_nudges", "Nudges from Airflow by what became of them", ["result"])
TICKETS = Counter("preflight_tickets", "Exchanges of tickets by what became of them", ["result"])
HANDLED = Counter(
    "preflight_deliveries_handled", "Deliveries by event and what became of them", ["event", "result"]
)
UNSERVED = Counter("preflight_deliveries_unserved", "Deliveries of repositories that are not served")
GITHUB_CALLS = Counter(
    "preflight_github_calls",
    "Requests to GitHub by method, endpoint and status",
    ["method", "endpoint", "status"],
)
GITHUB_SECONDS = Histogram(
    "preflight_github_seconds", "Time that GitHub took to answer", ["method", "endpoint"]
)
GITHUB_QUOTA_LEFT = Gauge(
    "preflight_github_quota_left",
    "Requests that GitHub's hourly limit leaves, of the credentials with the smallest share left",
    multiprocess_mode="mostrecent",
)
GITHUB_QUOTA_LIMIT = Gauge(
    "preflight_github_quota_limit", "The hourly limit of those credentials", multiprocess_mode="mostrecent"
)
WRITES_HELD_BACK = Counter(
    "preflight_github_writes_held_back",
    "Writes to GitHub that had to wait for room below its limits, by urgency",
    ["urgency"],
)
PRUNED = Counter("preflight_pruned", "Rows that are no longer kept, by kind", ["kind"])
LOOP_ERRORS = Counter("preflight_loop_errors", "Errors that a worker's loop did not expect", ["loop"])


def count_github_call(method: str, endpoint: str, status: int, seconds: float) -> None:
    """One request to GitHub, answered or not (status 0)."""
    GITHUB_CALLS.labels(method, endpoint, str(status)).inc()
    GITHUB_SECONDS.labels(method, endpoint).observe(seconds)


def show_quota(remaining: int, limit: int) -> None:
    """What GitHub's last answers say is left of the hour's requests."""
    GITHUB_QUOTA_LEFT.set(remaining)
    GITHUB_QUOTA_LIMIT.set(limit)


def count_held_back(urgency: str) -> None:
    """A write has to wait."""
    WRITES_HELD_BACK.labels(urgency).inc()

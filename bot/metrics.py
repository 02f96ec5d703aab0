"""Counters and timings, the same in every process of ours. What is durable is counted in the database.

prometheus-client keeps the figures of several gunicorn processes together in files, if
PROMETHEUS_MULTIPROC_DIR is set before this module is imported; `bot.cli` sees to it.
"""

from __future__ import annotations

import logging

from prometheus_client import Counter, Gauge, Histogram

from bot.breaker import State

log = logging.getLogger(__name__)

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
BREAKER_OPEN = Gauge(
    "preflight_breaker_open",
    "Parts of a service (of GitHub: kinds of endpoints) that are left alone because they did not answer",
    ["service"],
    multiprocess_mode="livemax",
)
BREAKER_FAILURES = Counter(
    "preflight_breaker_failures",
    "Calls that a service did not answer, or that were not made because it did not",
    ["service"],
)
PUMPED = Counter("preflight_pumped", "Messages that came by Pub/Sub, by what became of them", ["result"])
REDELIVERED = Counter("preflight_redeliveries", "Missed deliveries that we asked GitHub to deliver again")
GIVEN_UP = Counter("preflight_deliveries_given_up", "Deliveries that failed whenever GitHub tried")
MISSED = Gauge(
    "preflight_deliveries_missed",
    "Deliveries that failed, as GitHub's log says, and that are still to be delivered again",
    multiprocess_mode="mostrecent",
)
LAST_GOOD = Gauge(
    "preflight_last_good_timestamp_seconds",
    "Up to when nothing that GitHub delivered is missing here; 0 in a worker that does not look",
    multiprocess_mode="mostrecent",
)
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


def count_failure(service: str) -> None:
    """A call to GitHub or Airflow failed, or was not made because of those before."""
    BREAKER_FAILURES.labels(service).inc()


def show_breaker(service: str, part: str, state: State, parts_open: int) -> None:
    """A part of a service is left alone from now on, or answers again."""
    BREAKER_OPEN.labels(service).set(parts_open)
    name = f"{service} ({part})" if part else service
    if state is State.OPEN:
        log.warning("%s does not answer: it is left alone, but for a try now and then", name)
    else:
        log.warning("%s answers again", name)

"""Every setting: name, meaning, default. The tests want each in .env.example and the runbook."""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "PREFLIGHT_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable: what it means, its default (None: it must be set), and whether X_FILE may hold it."""

    name: str
    help: str
    default: str | None = None
    secret: bool = False


SETTINGS = (
    Setting(
        "PREFLIGHT_NAME",
        "this installation's name, part of every DAG run id",
        "preflight",
    ),
    Setting(
        "PREFLIGHT_DATABASE_URL",
        "PostgreSQL, as postgresql+psycopg://USER:PASSWORD@HOST/DATABASE",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_WEBHOOK_SECRETS",
        "the webhook's secret; comma-separated while one replaces another",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_GITHUB_API_URL",
        "GitHub's API; https://HOST/api/v3 for Enterprise Server",
        "https://api.github.com",
    ),
    Setting(
        "PREFLIGHT_GITHUB_TOKEN",
        "a personal token; or set the two below for a GitHub App",
        "",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_GITHUB_APP_ID",
        "the GitHub App's id",
        "",
    ),
    Setting(
        "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE",
        "the GitHub App's private key, a PEM file",
        "",
    ),
    Setting(
        "PREFLIGHT_GITHUB_CLIENT_ID",
        "the GitHub App's client id, for signing in to pages of private repositories",
        "",
    ),
    Setting(
        "PREFLIGHT_GITHUB_CLIENT_SECRET",
        "a client secret of the GitHub App",
        "",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_GITHUB_POINTS_PER_MINUTE",
        "what GitHub lets us send a minute: 1 point a read, 5 a write",
        "900",
    ),
    Setting(
        "PREFLIGHT_GITHUB_CONTENT_PER_MINUTE",
        "comments that GitHub lets us write a minute",
        "80",
    ),
    Setting(
        "PREFLIGHT_GITHUB_CONTENT_PER_HOUR",
        "comments that GitHub lets us write an hour",
        "500",
    ),
    Setting(
        "PREFLIGHT_CONFIG",
        "a TOML file: who is served, which DAGs, whom all trust, limits; see deploy/CONFIGURATION.md",
        "",
    ),
    Setting(
        "PREFLIGHT_REPOSITORIES",
        "served repositories, as acme/*; default: the App owner's; none with a token",
        "",
    ),
    Setting(
        "PREFLIGHT_AIRFLOW_URL",
        "Airflow's api-server, such as http://airflow-api-server:8080",
    ),
    Setting(
        "PREFLIGHT_AIRFLOW_USERNAME",
        "a user who may trigger DAGs and read logs",
    ),
    Setting(
        "PREFLIGHT_AIRFLOW_PASSWORD",
        "that user's password",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_AIRFLOW_WEB_URL",
        "where people reach Airflow's own pages; default: PREFLIGHT_AIRFLOW_URL",
        "",
    ),
    Setting(
        "PREFLIGHT_ALLOWED_DAGS",
        "DAG ids that pipelines may name; default: DAGs tagged preflight",
        "",
    ),
    Setting(
        "PREFLIGHT_NUDGE_SECRET",
        "shared with Airflow's plugin; without it runs are only polled",
        "",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_INBOX",
        "where received deliveries wait: postgres, or pubsub (receivers then need no database)",
        "postgres",
    ),
    Setting(
        "PREFLIGHT_EVENTS",
        "how Airflow's plugin tells of changes: http (nudges), or pubsub",
        "http",
    ),
    Setting(
        "PREFLIGHT_PUBSUB_PROJECT",
        "the Google Cloud project of the topics; needed by pubsub in one of the two above",
        "",
    ),
    Setting(
        "PREFLIGHT_PUBSUB_PREFIX",
        "the topics are PREFIX-deliveries, PREFIX-parked and PREFIX-events, subscriptions likewise",
        "preflight",
    ),
    Setting(
        "PREFLIGHT_PUBSUB_PUSH_ACCOUNT",
        "the service account as which Pub/Sub pushes events to /pubsub; default: nothing is taken there",
        "",
    ),
    Setting(
        "PREFLIGHT_PUBSUB_PUSH_AUDIENCE",
        "the audience of its tokens; default: PREFLIGHT_PUBLIC_URL/pubsub",
        "",
    ),
    Setting(
        "PREFLIGHT_KEEP_DELIVERIES",
        "how long finished deliveries are kept, at least 4d: GitHub's own log reaches back 3 days",
        "14d",
    ),
    Setting(
        "PREFLIGHT_KEEP_LOGS",
        "how long the excerpts of finished runs' logs are kept",
        "60d",
    ),
    Setting(
        "PREFLIGHT_KEEP_RUNS",
        "how long finished runs and what was decided are kept, if nothing open shows them",
        "365d",
    ),
    Setting(
        "PREFLIGHT_PUBLIC_URL",
        "where people reach the run pages: https://preflight.example.com",
    ),
    Setting(
        "PREFLIGHT_PAGES",
        "public: pages of public repositories; github: of private ones, too, after signing in; off: none",
        "public",
    ),
    Setting(
        "PREFLIGHT_SESSION_KEYS",
        "seals sign-ins; comma-separated while one replaces another; default: made of the client secret",
        "",
        secret=True,
    ),
    Setting(
        "PREFLIGHT_ARTIFACTS_URL",
        "where Airflow's steps keep their artifacts: a folder or an fsspec URL; default: not shown",
        "",
    ),
    Setting(
        "PREFLIGHT_LISTEN",
        "HOST:PORT for webhooks and run pages",
        "127.0.0.1:8080",
    ),
    Setting(
        "PREFLIGHT_INTERNAL_LISTEN",
        "HOST:PORT for metrics, readiness, nudges and tickets",
        "127.0.0.1:8081",
    ),
    Setting(
        "PREFLIGHT_WORKER_LISTEN",
        "HOST:PORT for the worker's own metrics; default: none",
        "",
    ),
    Setting(
        "PREFLIGHT_WEB_PROCESSES",
        "gunicorn worker processes, 8 threads each",
        "2",
    ),
    Setting(
        "PREFLIGHT_LOG_LEVEL",
        "debug, info, warning or error",
        "info",
    ),
)

KNOWN = {setting.name: setting for setting in SETTINGS} | {
    f"{setting.name}_FILE": setting for setting in SETTINGS if setting.secret
}
# Kubernetes puts these into every pod that shares a namespace with a Service called preflight-something.
SERVICE = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")

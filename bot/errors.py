"""The exception tree. A message tells its reader what to do next.

`Temporary` may pass by itself and is retried; every other error is final for what was attempted.
"""

from __future__ import annotations

import enum


class PreflightError(Exception):
    """The root of all errors that Preflight raises on purpose."""


class Temporary(PreflightError):
    """Something that may pass: retry later, after `retry_after` seconds where the other side said so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SettingsError(PreflightError):
    """The environment does not say what Preflight needs to know."""


class MalformedPayload(PreflightError):
    """A delivery that does not look like what GitHub sends for its event."""


class GitHubUnavailable(Temporary):
    """GitHub did not answer, or answered 5xx."""


class GitHubAway(GitHubUnavailable):
    """Nothing was sent: GitHub has not answered of late, and is left alone for `retry_after` seconds."""


class GitHubRateLimited(Temporary):
    """GitHub asked us to slow down (403 or 429, primary or secondary limit)."""


class HeldBack(GitHubRateLimited):
    """Nothing was sent: we hold ourselves below GitHub's limits, which leave room after `retry_after`."""

    REASON = "there is no room for lookups below GitHub's limits"

    def __init__(self, seconds: float) -> None:
        super().__init__(self.REASON, seconds)


class GitHubRefused(PreflightError):
    """GitHub refused for good: missing permission, bad credentials or an invalid request."""


class GitHubNotFound(PreflightError):
    """GitHub has no such thing, or does not let us see it. Right after an event it may still appear."""


class DeliveryLogUnreadable(GitHubRefused):
    """There is no delivery log that we may read, or redeliver from; the message says how to mend that."""


class NotAFile(GitHubRefused):
    """What lies at that path is a directory, a link or too large: put a plain file there."""


class AirflowUnavailable(Temporary):
    """Airflow did not answer, or answered 5xx: then `said` is in short what, if Airflow itself did."""

    said: str = ""


class AirflowAway(AirflowUnavailable):
    """Nothing was sent: Airflow has not answered of late, and is left alone for `retry_after` seconds."""


class AirflowRefused(PreflightError):
    """Airflow refused for good: wrong credentials or role, or an invalid request."""


class AirflowLoginRefused(AirflowRefused):
    """Airflow refuses our login or role; nothing is wrong with what was asked. Mend the setting."""


class DagNotFound(AirflowRefused):
    """Airflow has no DAG of that id."""


class DagRunNotFound(AirflowRefused):
    """Airflow has no such DAG run: it was deleted, or never created."""


class ParamsRefused(AirflowRefused):
    """The DAG's Params do not accept the conf; the message names the parameter."""


class Overtaken(Temporary):
    """Another worker decided about the pull request in the meantime: decide again, on what is now."""


class StoreUnavailable(Temporary):
    """The database did not answer."""


class PubSubUnavailable(Temporary):
    """Google Cloud Pub/Sub did not answer in time, or refused; the message says which and what to do."""


class TokenRefused(PreflightError):
    """An identity token that is not valid, or not of whom we take anything from."""


class CertificatesUnavailable(Temporary):
    """Google's certificates can't be fetched, so that its tokens can't be verified now."""


class ArtifactsUnavailable(Temporary):
    """The place where artifacts are kept did not answer, or is not there."""


class NoAnswer(enum.Enum):
    """Why an address of ours does not answer at all: its name, the connection, the time, its certificate."""

    NAME = "name"
    REFUSED = "refused"
    TIME = "time"
    CERTIFICATE = "certificate"
    CUT = "cut"


class WebUnreachable(Temporary):
    """Our own web did not answer at the public URL; `why` says what kept it."""

    def __init__(self, message: str, why: NoAnswer) -> None:
        super().__init__(message)
        self.why = why

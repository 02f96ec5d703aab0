"""What `python -m bot doctor` asks of each part. Nothing here changes anything.

All methods raise what the part's other ports raise, with a message that says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import Dag, Queue, Repository
    from bot.models.doctor import (
        Knock,
        SeenApp,
        SeenHook,
        SeenInstallation,
        SeenPage,
        SeenQueue,
        SeenRepository,
        SeenSchema,
        SeenToken,
        SeenWork,
    )


class GitHubLook(Protocol):
    """GitHub, whatever we prove ourselves with."""

    def knock(self) -> Knock:
        """Whether GitHub's API is where the settings say. Without credentials."""
        ...

    def repository(self, full_name: str) -> SeenRepository:
        """The repository that has, or had, that name; GitHubNotFound or GitHubRefused without access."""
        ...


class AppLook(Protocol):
    """What GitHub tells a GitHub App about itself."""

    def app(self) -> SeenApp:
        """The App."""
        ...

    def installations(self) -> Sequence[SeenInstallation]:
        """Where it is installed."""
        ...

    def app_hook(self) -> SeenHook:
        """Its webhook and the newest of its delivery log; GitHubNotFound if it has none."""
        ...


class TokenLook(Protocol):
    """What GitHub tells whoever has a personal token."""

    def token(self) -> SeenToken:
        """Whose it is."""
        ...

    def hooks(self, full_name: str) -> Sequence[SeenHook] | None:
        """The repository's own webhooks; None where we may not see them."""
        ...

    def may_set_status(self, repository: Repository) -> bool | None:
        """Whether the token may set statuses there; None where GitHub's answer does not tell.

        Asked by a status for a commit that can't be: GitHub refuses it, by its reason we know.
        """
        ...


class AirflowLook(Protocol):
    """Airflow itself."""

    def knock(self) -> Knock:
        """Whether Airflow's API is where the settings say. Without credentials."""
        ...

    def log_in(self) -> None:
        """Log in; AirflowLoginRefused."""
        ...

    def health(self) -> Mapping[str, str]:
        """Airflow's own word for each of its parts: "healthy", or anything else. Without credentials."""
        ...

    def may_trigger(self, dag_id: str) -> bool:
        """Whether our user may trigger that DAG. Asked by a request that Airflow can't take."""
        ...

    def plugins(self) -> frozenset[str]:
        """The names of the plugins that the api-server has loaded."""
        ...


class DagLook(Protocol):
    """Airflow's DAGs."""

    def dags(self, most: int) -> Sequence[Dag]:
        """All that our user sees, at most so many, without their params."""
        ...

    def dag(self, dag_id: str) -> Dag | None:
        """The DAG of that name, without its params; None if there is none, or our user may not see it."""
        ...

    def import_errors(self) -> Sequence[str]:
        """The files that can't be imported, each with the end of its error."""
        ...

    def pools(self) -> frozenset[str]:
        """The pools that there are."""
        ...

    def pools_of(self, dag_id: str) -> frozenset[str]:
        """The pools that the tasks of a DAG want."""
        ...


class DatabaseLook(Protocol):
    """Our database. Raises StoreUnavailable."""

    def schema(self) -> SeenSchema:
        """The server and our schema."""
        ...

    def work(self) -> SeenWork:
        """What is being done, waits and went wrong. Needs a schema that is new enough."""
        ...


class WebLook(Protocol):
    """Our own web, as the world reaches it. Raises WebUnreachable."""

    def addresses(self) -> Sequence[str]:
        """The IP addresses that the public URL's host has here."""
        ...

    def get(self, path: str) -> SeenPage:
        """A page below the public URL; no redirect is followed."""
        ...

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> SeenPage:
        """What is answered to a POST; no redirect is followed."""
        ...


class QueueLook(Protocol):
    """Google Cloud Pub/Sub. Raises PubSubUnavailable."""

    def queue(self, queue: Queue) -> SeenQueue:
        """The topic and subscription of that name, beside what they should be."""
        ...


class ArtifactLook(Protocol):
    """Where artifacts are kept. Raises ArtifactsUnavailable."""

    def look(self) -> str:
        """Look at the root; what is amiss with it, "" if nothing is. Nothing is written."""
        ...

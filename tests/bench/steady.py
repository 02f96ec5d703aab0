"""300 deliveries per second for a minute, with a worker at work: what is lost, and the p99 of the answers.

They are about 50 pull requests in turns, and of an action that means nothing to the bot: its web takes them
in with fsync while its worker claims and finishes each one. A delivery that had to wait for the one before it
counts from when it was due. The baseline is a receiver that only verifies, at the same pace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import receiving
from tests.bench.accepted import measured
from tests.bench.figures import Figure, NotMeasured
from tests.bench.system import connected
from tests.github_standin import wait_for

if TYPE_CHECKING:
    from deploy.local.postgres import Postgres
    from deploy.local.processes import Supervisor

PER_SECOND, LANES = 300.0, 50
P99_GOAL = 250.0
_DATABASE = "bot_steady"
_PATIENCE_SECONDS = 300.0
_HANDLED = "SELECT count(*) FROM deliveries WHERE state = 'ignored'"


def figures(supervisor: Supervisor, postgres: Postgres, *, seconds: float) -> list[Figure]:
    """How many of those that were accepted nobody handled, and milliseconds.

    Raises:
        NotMeasured: one was not accepted.
    """
    url = postgres.create_database(_DATABASE)
    try:
        with receiving.other(supervisor, url, "nothing") as port:
            bare = measured(supervisor, "steady-bare", port, seconds / 4, per_second=PER_SECOND, lanes=LANES)
        with receiving.bot(supervisor, url, worker=True) as at:
            ours = measured(supervisor, "steady-bot", at.public, seconds, per_second=PER_SECOND, lanes=LANES)
            lost = ours.accepted - _handled(postgres, ours.accepted)
    finally:
        postgres.drop_database(_DATABASE)
    name = f"{PER_SECOND:.0f} deliveries/s for {seconds:.0f} s"
    details = {"accepted": ours.accepted, "per_second": ours.per_second}
    return [
        Figure(f"{name}: lost", lost, "deliveries", 0, {"accepted": ours.accepted}, details=details),
        Figure(f"{name}, p99", ours.p99, "ms", P99_GOAL, {"verifying only": bare.p99}),
    ]


def _handled(postgres: Postgres, accepted: int) -> int:
    """How many the worker has finished, once it has finished all or no more comes."""
    with connected(postgres, _DATABASE) as connection:

        def handled() -> int:
            row = connection.execute(_HANDLED).fetchone()
            return int(row[0]) if row else 0

        try:
            wait_for(lambda: handled() >= accepted, _PATIENCE_SECONDS, 0.5)
        except TimeoutError:
            if handled() == 0:
                raise NotMeasured("the worker handled nothing") from None
        return handled()

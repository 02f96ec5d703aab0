"""A ticket: what a step shows once to get a token that reads the private repository of its run.

Nothing of ours stores it. It is an HMAC over the run's id and its repository's name, so that whoever has the
key makes it anew and so knows it again. Airflow gets it in conf when the run is triggered, and nobody else.

The key is derived from the GitHub App's private key: whoever has that needs no ticket. Airflow, near which
the code of pull requests runs, knows nothing from which a ticket could be made.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field

LABEL = b"preflight ticket 1"
"""What the key is derived for, so that no ticket is a signature of something else."""

MARK = "pft_"
"""How a ticket begins, by which redaction finds it."""

_WRITTEN = re.compile(rf"{MARK}[0-9a-f]{{8,}}")


@dataclass(frozen=True, slots=True)
class Tickets:
    """Makes tickets and knows its own. `secret` is the App's private key, which is not empty."""

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.secret:
            raise ValueError("tickets need a secret")

    def issue(self, run_id: str, repository: str) -> str:
        """The ticket of that run, for its repository ("owner/name", as conf has it): always the same."""
        key = hmac.digest(self.secret.encode(), LABEL, hashlib.sha256)
        return MARK + hmac.new(key, f"{run_id}\n{repository}".encode(), hashlib.sha256).hexdigest()

    def knows(self, ticket: str, run_id: str, repository: str) -> bool:
        """Whether the ticket is the run's; in constant time."""
        return hmac.compare_digest(self.issue(run_id, repository).encode(), ticket.encode())


def hide(text: str) -> str:
    """The text without tickets, for words of Airflow's that may quote what it was sent."""
    return _WRITTEN.sub("[redacted]", text)

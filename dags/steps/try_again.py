"""What clouds, clusters and registries say when the same request may succeed a moment later: a table.

The words are those of real answers, as gcloud, GKE, kubectl, helm and docker give them and as people quote
them in public issues; tests/dags/test_try_again.py holds the answers.
"""

import re

TEMPORARY = (
    # name resolution and connections
    r"temporary failure in name resolution|could not resolve host|no such host|max retries exceeded with url",
    r"connection (refused|reset|aborted|timed out|lost)|network is unreachable|no route to host|broken pipe",
    r"tls handshake timeout|i/o timeout|unexpected eof|: EOF$|remote end closed connection",
    r"context deadline exceeded|client\.timeout exceeded",
    r"the connection to the server (?!localhost)\S+ was refused",
    # HTTP and gRPC
    r"\b(429|500|502|503|504)\b.{0,40}(error|unavailable|gateway|too many|internal|timeout)",
    r"too ?many ?requests|service ?unavailable|bad gateway|gateway time-?out",
    r"\b(UNAVAILABLE|ABORTED|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED: .*rate)\b",
    r"internal ?error|backenderror|rate_?limit_?exceeded|requests per (minute|second)",
    r"(please )?try(ing)? again|retry (the request )?later",
    # Kubernetes
    r"the object has been modified|etcdserver: (leader changed|request timed out)|server is currently unable",
    r"apiserver not ready|the server was unable to return a response|error from server \(timeout\)",
    r"being (created|deleted|terminated)|unable to connect to the server|kubernetes cluster unreachable",
    # Google Cloud
    r"ZONE_RESOURCE_POOL_EXHAUSTED|does not have enough resources available|stockout|out of capacity",
    r"is currently unavailable in the .* zone",
    r"incompatible operation|operation .* is currently .*ing|is still running, check its status",
    r"is (currently )?(being )?(creat|updat|delet|repair|provision|reconcil)ing",
)
"""Searched in the last lines that a program printed, whatever their letters' case."""

QUOTA = (
    r"quota '[^']+' exceeded|exceeded quota:|insufficient (regional |project )?quota",
    r"\bquota_?exceeded\b",
)
"""The project or namespace may not have more: final, and people must act."""

FINAL = (
    *QUOTA,
    # what should be ready did not become so in the time that it was given
    r"timed out waiting for the condition",
    r"(installation|upgrade) failed: (?!create: ).*context deadline exceeded",
    # who we are, whom we trust, and where our cluster is (by kubectl's default: here)
    r"(localhost|127\.0\.0\.1):8080",
    r"x509: |getting credentials: exec: executable|gcloud auth login|invalid_grant",
)
"""Which no waiting mends, though some of these answers look like those above."""


def _any(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE | re.MULTILINE)


_TEMPORARY = _any(TEMPORARY)
_QUOTA = _any(QUOTA)
_FINAL = _any(FINAL)


def is_temporary(said: str) -> bool:
    """Whether what a program said as it failed asks for another try."""
    return bool(_TEMPORARY.search(said)) and not _FINAL.search(said)


def is_quota(said: str) -> bool:
    """Whether a program failed for want of quota."""
    return bool(_QUOTA.search(said))

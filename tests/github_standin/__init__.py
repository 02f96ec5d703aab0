"""A stand-in for GitHub: real git, REST API, Apps, webhooks, limits and faults, for tests and the demo.

`running(directory)` serves one in a thread and yields a `Standin`, the client that tests use;
`python -m tests.github_standin --listen 127.0.0.1:9000 --state DIR` serves one in a process of its own, to
which `Standin("http://127.0.0.1:9000")` attaches. It imports nothing of `bot`, and `bot` nothing of it.
"""

from .client import Standin, StandinError, wait_for
from .client_pull import Pull
from .client_queue import MergeGroup
from .client_repository import Repository
from .server import running

__all__ = ["MergeGroup", "Pull", "Repository", "Standin", "StandinError", "running", "wait_for"]

"""`python -m tests.github_standin`: a stand-in in a process of its own, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from .limits import Limits
from .server import listen, make_hub


def main() -> None:
    """Serve until told to stop; the first line on standard output is the address."""
    asked = arguments()
    host, _, port = asked.listen.rpartition(":")
    hub = make_hub(asked.state, limits=Limits() if asked.limits else Limits.off(), check=asked.check)
    server = listen(hub, host, int(port))
    if asked.webhook_url:
        secret = asked.webhook_secret_file.read_text().strip() if asked.webhook_secret_file else ""
        hub.world.default_hook = (asked.webhook_url, secret)
    for wanted in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for serve_forever() to end, which runs in this very thread.
        signal.signal(wanted, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"GitHub stand-in on {hub.world.base_url}", flush=True)  # noqa: T201 - a command line speaks
    server.serve_forever(poll_interval=0.1)
    server.server_close()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.github_standin", description=__doc__)
    parser.add_argument(
        "--listen", default="127.0.0.1:9000", metavar="HOST:PORT", help="port 0 is any free one"
    )
    parser.add_argument(
        "--state", type=Path, required=True, metavar="DIR", help="where git repositories are made"
    )
    parser.add_argument("--webhook-url", help="hook every repository that is made to this address")
    parser.add_argument("--webhook-secret-file", type=Path, metavar="FILE", help="the secret of those hooks")
    parser.add_argument("--limits", action="store_true", help="enforce GitHub's rate limits")
    parser.add_argument(
        "--check", action="store_true", help="check requests and answers against GitHub's OpenAPI document"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

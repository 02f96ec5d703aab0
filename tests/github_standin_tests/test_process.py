"""A stand-in in a process of its own, as the demo starts it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.github_standin import Standin

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Receiver


def test_it_starts_serves_hooks_and_stops(tmp_path: Path, receiver: Receiver) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    command = [sys.executable, "-m", "tests.github_standin", "--listen", "127.0.0.1:0", "--check"]
    command += ["--state", str(tmp_path / "state"), "--webhook-url", receiver.url]
    command += ["--webhook-secret-file", str(tmp_path / "secret")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
            assert found is not None
            github = Standin(found[0])
            repository = github.repository("acme/app", permissions={"alice": "write"})
            pull = repository.open_pull("alice", files={"new.txt": ""})
            assert receiver.wait_for("pull_request.opened").signed_with("s3cret")
            assert github.find_repository("acme/app").pull(1).head_sha == pull.head_sha
            assert github.violations() == []
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0

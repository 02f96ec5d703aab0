from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.bench import excerpt_once
from tests.bench.excerpts import write_log

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 300_000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "step.log"
    write_log(path, SIZE)
    return path


def test_the_log_is_as_long_as_it_should_be(log: Path) -> None:
    assert SIZE <= log.stat().st_size < SIZE + 2_000


@pytest.mark.parametrize(
    ("what", "says"), [("excerpt", ["FAILED tests/test_total.py::test_total - assert 3 == 4"]), ("read", [])]
)
def test_a_pass_tells_what_it_took(
    log: Path,
    what: str,
    says: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["excerpt_once", what, str(log)])
    excerpt_once.main()

    told = json.loads(capsys.readouterr().out)
    assert [line for line in told["lines"] if line.startswith("FAILED")] == says
    assert told["count"] == log.read_bytes().count(b"\n")
    assert told["seconds"] > 0
    assert told["megabytes"] > 1

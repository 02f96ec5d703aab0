from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from tests.bench import webhook
from tests.bench.figures import Figure, NotMeasured, keep, percentile, table
from tests.bench.hmac_only import app

if TYPE_CHECKING:
    from pathlib import Path
    from wsgiref.types import WSGIEnvironment

FAST = Figure("first status, p50", 118.4, "ms", 150, {"a bare status": 5.283}, details={"pull_requests": 40})
SLOW = Figure("accepted", 331, "/s", 2470, {"verifying only": 6175}, at_least=True)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 20), (0.99, 40), (1.0, 40), (0.25, 10), (0.26, 20), (0.0, 10)]
)
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([30, 10, 40, 20], share) == expected


def test_nothing_measured_has_no_percentile() -> None:
    with pytest.raises(NotMeasured, match="not one value"):
        percentile([], 0.5)


def test_the_table_puts_value_goal_and_baseline_side_by_side() -> None:
    assert table([FAST, SLOW]).splitlines() == [
        "figure             value   goal         baseline",
        "-----------------  ------  -----------  -----------------------",
        "first status, p50  118 ms  ≤ 150 ms ✓   a bare status: 5.28 ms",
        "accepted           331 /s  ≥ 2470 /s ✗  verifying only: 6175 /s",
    ]


def test_results_are_kept_with_what_is_missing(tmp_path: Path) -> None:
    keep(tmp_path / "results.json", [FAST], machine={"cores": 2}, missing={"demo": "no network"})

    kept = json.loads((tmp_path / "results.json").read_text())
    (row,) = kept["figures"]
    assert (row["figure"], row["value"], row["goal"], row["met"]) == ("first status, p50", 118.4, 150, True)
    assert row["baseline"] == {"a bare status": 5.283}
    assert (kept["machine"], kept["missing"]) == ({"cores": 2}, {"demo": "no network"})


def test_the_load_is_of_the_size_of_a_pull_request() -> None:
    content = webhook.body()
    assert len(content) == webhook.BYTES
    assert json.loads(content)["action"] == "assigned"


@pytest.mark.parametrize(("secret", "status"), [(True, "202 Accepted"), (False, "401 Unauthorized")])
def test_the_baseline_does_verify(*, secret: bool, status: str) -> None:
    content = webhook.body()
    signature = webhook.headers("an id", content)["X-Hub-Signature-256"] if secret else "sha256=00"
    environ: WSGIEnvironment = {
        "CONTENT_LENGTH": str(len(content)),
        "HTTP_X_HUB_SIGNATURE_256": signature,
        "wsgi.input": io.BytesIO(content),
    }
    answered: list[str] = []
    app(environ, lambda text, *_: answered.append(text))  # type: ignore[arg-type] # no write() is needed
    assert answered == [status]

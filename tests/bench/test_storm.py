from __future__ import annotations

import json
from collections import Counter

from tests.bench.storm import EACH, mixed

OPENED = [
    {"action": "opened", "number": number, "pull_request": {"head": {"sha": f"{number}" * 40}}}
    for number in (1, 2, 3)
]


def test_each_pull_request_is_opened_first_and_all_come_in_turns() -> None:
    sent = [json.loads(body) for body in mixed(OPENED)]
    assert [each["number"] for each in sent] == [1, 2, 3] * EACH
    assert [each["action"] for each in sent[:6]] == ["opened"] * 3 + ["labeled"] * 3


def test_pushes_and_labels_come_among_what_means_nothing() -> None:
    actions = Counter(json.loads(body)["action"] for body in mixed(OPENED[:1]))
    assert actions == {"opened": 1, "synchronize": 4, "labeled": 5, "assigned": 5, "review_requested": 5}

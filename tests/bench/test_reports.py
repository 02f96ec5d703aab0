from __future__ import annotations

import pytest

from tests.bench.reports import beginnings


@pytest.mark.parametrize(
    ("path", "about"),
    [
        ("/app", set()),
        ("/app/installations/1/access_tokens", set()),
        ("/repos/acme/app/pulls/12/files", {"/pulls/12", "/pulls/12/files"}),
        ("/repos/acme/app/issues/1", {"/issues/1"}),
        ("/repos/acme/app/statuses/abc", {"/statuses/abc"}),
    ],
)
def test_what_a_request_is_about_is_told_by_the_beginnings_of_its_path(path: str, about: set[str]) -> None:
    assert beginnings(path) == about

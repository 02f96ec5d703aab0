"""GitHub's contexts ignore letter case, so pipelines' names must differ by more than that."""

from __future__ import annotations

import pytest

from bot.policy.configuration import ConfigurationError, parse


@pytest.mark.parametrize(
    "yaml",
    [
        pytest.param("pipelines: {unit: {dag: a}, Unit: {dag: b}}", id="two of one context"),
        pytest.param("pipelines: {Config: {dag: a}}", id="the context of the file itself"),
        pytest.param("pipelines: {ALL: {dag: a}}", id="what /test all means"),
    ],
)
def test_names_that_share_a_context_are_refused(yaml: str) -> None:
    with pytest.raises(ConfigurationError):
        parse(yaml.encode())

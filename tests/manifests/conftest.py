"""Every test that asks for `shown` sees the base and each overlay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.manifests.rendered import FOLDERS, manifests

if TYPE_CHECKING:
    from tests.manifests.rendered import Manifests


@pytest.fixture(params=sorted(FOLDERS))
def shown(request: pytest.FixtureRequest) -> Manifests:
    """One kustomization, rendered."""
    return manifests(request.param)

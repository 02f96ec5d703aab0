"""Whether the place of artifacts is there, looked at without writing."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import fsspec
import pytest

from bot.adapters.artifacts.doctor import ArtifactsDoctor
from bot.errors import ArtifactsUnavailable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_folder(tmp_path: Path, form: str) -> None:
    assert ArtifactsDoctor(form.format(tmp_path)).look() == ""
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "is not here" in ArtifactsDoctor(str(tmp_path / "none")).look()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_we_may_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root, who may everything

    assert "may not read and write" in ArtifactsDoctor(str(tmp_path)).look()


def test_a_bucket() -> None:
    bucket = f"bucket-{uuid.uuid4().hex}"
    fsspec.filesystem("memory").mkdir(f"/{bucket}")

    assert ArtifactsDoctor(f"memory://{bucket}").look() == ""


@pytest.mark.parametrize("url", ["memory://no-such-bucket/preflight", "nosuchstore://user:hunter2@bucket/x"])
def test_what_can_not_be_looked_at_says_why_without_a_password(url: str) -> None:
    with pytest.raises(ArtifactsUnavailable) as caught:
        ArtifactsDoctor(url).look()

    assert "can't look at" in str(caught.value)
    assert "hunter2" not in str(caught.value)

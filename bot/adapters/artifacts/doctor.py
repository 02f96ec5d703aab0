"""Whether the place where artifacts are kept is there: the port of `bot doctor`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import fsspec

from bot.adapters.artifacts.store import LOCAL
from bot.errors import ArtifactsUnavailable

_LONGEST_REASON = 300


class ArtifactsDoctor:
    """Fulfils ArtifactLook for the root that `url` names. Nothing is written."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._shown = re.sub(r"//[^/@]*@", "//", url)  # a password may stand in it

    def look(self) -> str:
        """Look at the root; what is amiss with it, "" if nothing is."""
        try:
            files, root = fsspec.core.url_to_fs(self._url, use_listings_cache=False)
            return self._amiss(files, root)
        except Exception as error:  # each object store has exceptions of its own
            why = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
            raise ArtifactsUnavailable(f"can't look at {self._shown}: {why}") from error

    def _amiss(self, files: Any, root: str) -> str:  # noqa: ANN401 - fsspec has no annotations
        protocols = {files.protocol} if isinstance(files.protocol, str) else {*files.protocol}
        if not protocols & LOCAL:
            try:
                files.ls(root, detail=False)
            except FileNotFoundError:  # nothing was put there yet, or there is no such bucket
                files.ls(root.strip("/").partition("/")[0], detail=False)
            return ""
        folder = Path(root)
        if not folder.is_dir():
            return f"the folder {folder} is not here: Airflow's steps make it where they run"
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return f"we may not read and write the folder {folder}"
        return ""

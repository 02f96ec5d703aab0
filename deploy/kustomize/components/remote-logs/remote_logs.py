"""Keeps logs of tasks in a bucket: for Airflow's `[logging] logging_config_class`.

Airflow's own way needs a provider's package for each cloud. This one writes to whatever fsspec knows, with
what the image has for artifacts (gcsfs, s3fs), and finds credentials as those do. The URL is Airflow's
`[logging] remote_base_log_folder`. What goes wrong here fails no task: its log stays where it was written.
"""
# ruff: noqa: INP001 - one file, mounted into Airflow's folder of such modules

import contextlib
import functools
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airflow.config_templates.airflow_local_settings import (  # type: ignore[import-not-found]  # not in .venv
    DEFAULT_LOGGING_CONFIG,
)
from airflow.configuration import conf  # type: ignore[import-not-found]  # likewise
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

log = logging.getLogger(__name__)


class BucketLogs:
    """What Airflow calls a RemoteLogIO: uploads the log of a task that ended, reads it for the api-server."""

    processors = ()

    def __init__(self, url: str, local: Path) -> None:
        self.url = url.rstrip("/")
        self.local = local

    @functools.cached_property
    def _place(self) -> tuple[AbstractFileSystem, str]:
        """Connect when it is needed first: Airflow forks before that, which connections don't survive."""
        files, root = url_to_fs(self.url)
        return files, root.rstrip("/")

    def upload(self, path: os.PathLike[str] | str, ti: object = None) -> None:  # noqa: ARG002 - Airflow's protocol
        """Copy a log into the bucket; `path` is below the folder of logs."""
        relative = Path(path).relative_to(self.local) if Path(path).is_absolute() else Path(path)
        try:
            files, root = self._place
            target = f"{root}/{relative.as_posix()}"
            with contextlib.suppress(OSError):
                files.makedirs(target.rpartition("/")[0], exist_ok=True)
            files.put_file(str(self.local / relative), target)
        except Exception as error:  # noqa: BLE001 - whatever a cloud's library raises
            log.warning("the log %s could not be copied to %s: %s", relative, self.url, error)

    def stream(self, relative_path: str, ti: object) -> tuple[list[str], list[Iterator[str]]]:  # noqa: ARG002 - likewise
        """Say where the log is, and read it line by line; nothing where the bucket has none."""
        try:
            files, root = self._place
            target = f"{root}/{relative_path}"
            if not files.exists(target):
                return [], []
            return [f"{self.url}/{relative_path}"], [_lines(files, target)]
        except Exception as error:  # noqa: BLE001 - likewise; people see it above the log
            return [f"{self.url}: {error}"], []

    def read(self, relative_path: str, ti: object) -> tuple[list[str], list[str] | None]:
        """Do the same at once, as Airflow's older readers want it."""
        sources, streams = self.stream(relative_path, ti)
        return sources, ["\n".join(lines) for lines in streams] or None


def _lines(files: AbstractFileSystem, target: str) -> Iterator[str]:
    with files.open(target, "rt", encoding="utf-8", errors="replace") as file:
        for line in file:
            yield line.rstrip("\n")


LOGGING_CONFIG: dict[str, Any] = DEFAULT_LOGGING_CONFIG
REMOTE_TASK_LOG = BucketLogs(
    conf.get_mandatory_value("logging", "remote_base_log_folder"),
    Path(conf.get_mandatory_value("logging", "base_log_folder")),
)

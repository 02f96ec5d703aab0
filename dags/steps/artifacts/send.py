"""Puts files of a folder into a storage, several at once, for so long and no longer."""

import contextlib
import re
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from steps.folders import Entry, open_below
from steps.storage import Storage

_PARALLEL = 4
_TRIED = 8
_PASSWORD = re.compile(r"//[^/\s@]*@")


def without_password(text: str) -> str:
    """Return what may be shown of a URL, or of words about one."""
    return _PASSWORD.sub("//", text)[:500]


def send(folder: Path, wanted: Mapping[str, Entry], storage: Storage, seconds: float) -> dict[str, str]:
    """Put files where they are wanted; returns for each that was tried why it could not be ("" if it was)."""
    refusals = _Refusals()

    def put(target: str, entry: Entry) -> str:
        if refusals.hopeless:
            return "not stored"
        try:
            with open_below(folder, entry.path) as content:
                storage.put(target, content, entry.size)
        except Exception as error:  # noqa: BLE001 - of whatever library knows the URL
            print(f"{entry.path} could not be stored: {without_password(repr(error))}")
            refusals.count()
            return f"not stored ({type(error).__name__})"
        refusals.over()
        return ""

    pool = ThreadPoolExecutor(_PARALLEL)
    waiting = {pool.submit(put, target, entry): target for target, entry in wanted.items()}
    stored: dict[str, str] = {}
    with contextlib.suppress(TimeoutError):
        for done in as_completed(waiting, seconds):
            stored[waiting[done]] = done.result()
    pool.shutdown(wait=False, cancel_futures=True)
    return stored


class _Refusals:
    """Counts what a storage refused before it took anything: where nothing gets through, nothing will."""

    def __init__(self) -> None:
        self._refused = 0
        self._taken = False
        self._lock = threading.Lock()

    @property
    def hopeless(self) -> bool:
        """Whether there is no point in asking once more."""
        return self._refused >= _TRIED and not self._taken

    def count(self) -> None:
        """Remember one more refusal."""
        with self._lock:
            self._refused += 1

    def over(self) -> None:
        """Remember that something got through."""
        self._taken = True

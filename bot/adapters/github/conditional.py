"""Answers to reads with their ETags: GitHub's "not modified" costs nothing of the hour's requests."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from cachetools import LRUCache

if TYPE_CHECKING:
    from collections.abc import Mapping

BYTES_KEPT = 16 * 1024 * 1024
LARGEST_KEPT = 2 * 1024 * 1024
"""Bytes of one answer: a larger one would drive out too many others."""

SIZE_OF_AN_ENTRY = 2048
"""Bytes of all but the body: addresses, headers, objects."""

Key = tuple[str, str, str]
"""With whose credentials it was asked, the address with its query, and the Accept header."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A successful answer; the names of its headers are in lower case."""

    etag: str
    headers: dict[str, str]
    body: str


class KeptAnswers:
    """The answers used last, bounded in bytes; for any number of threads and credentials.

    What is kept is never believed by itself: each time GitHub is asked whether it still holds.
    """

    def __init__(self, bytes_kept: int = BYTES_KEPT) -> None:
        self._answers: LRUCache[Key, KeptAnswer] = LRUCache(bytes_kept, getsizeof=_size)
        self._lock = threading.Lock()

    def get(self, key: Key) -> KeptAnswer | None:
        """What was answered last, if it is still there."""
        with self._lock:
            return self._answers.get(key)

    def put(self, key: Key, status: int, headers: Mapping[str, str], body: str) -> None:
        """Keep an answer that can be asked about again; forget the one before it."""
        answer = KeptAnswer(headers.get("etag", ""), dict(headers), body)
        keep = answer.etag and status == HTTPStatus.OK and _size(answer) <= LARGEST_KEPT
        with self._lock:
            self._answers.pop(key, None)
            if keep and _size(answer) <= self._answers.maxsize:
                self._answers[key] = answer


def _size(answer: KeptAnswer) -> int:
    return SIZE_OF_AN_ENTRY + sys.getsizeof(answer.body)

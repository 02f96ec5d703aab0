"""A cache that asks once, however many threads want the same thing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, MutableMapping

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")


class SharedCache(Generic[Key, Value]):
    """Keeps what was fetched in `store`, which decides how much and for how long.

    While one thread fetches a key, others who want it wait for that answer. An error is not kept: it is the
    fetching thread's alone, and the next one in the queue tries.
    """

    def __init__(self, store: MutableMapping[Key, Value]) -> None:
        self._store = store
        self._fetching: set[Key] = set()
        self._condition = threading.Condition()

    def get(self, key: Key, fetch: Callable[[], Value]) -> Value:
        """The kept value, or what `fetch` returns now."""
        with self._condition:
            self._condition.wait_for(lambda: key not in self._fetching)
            try:
                return self._store[key]
            except KeyError:
                self._fetching.add(key)
        try:
            value = fetch()
            self.keep(key, value)
            return value
        finally:
            with self._condition:
                self._fetching.discard(key)
                self._condition.notify_all()

    def known(self, key: Key) -> Value | None:
        """The kept value, if there is one."""
        with self._condition:
            return self._store.get(key)

    def clear(self) -> None:
        """Fetch everything anew the next time."""
        with self._condition:
            self._store.clear()

    def keep(self, key: Key, value: Value) -> None:
        """Replace what is kept."""
        with self._condition:
            try:
                self._store[key] = value
            except ValueError:  # larger than the whole store
                return

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
        self._forgotten = 0
        self._condition = threading.Condition()

    def get(self, key: Key, fetch: Callable[[], Value]) -> Value:
        """The kept value, or what `fetch` returns now."""
        with self._condition:
            self._condition.wait_for(lambda: key not in self._fetching)
            try:
                return self._store[key]
            except KeyError:
                self._fetching.add(key)
                forgotten = self._forgotten
        try:
            value = fetch()
            with self._condition:
                # What was forgotten meanwhile may be what this answer says: it serves its asker only.
                if forgotten == self._forgotten:
                    self.keep(key, value)
            return value
        finally:
            with self._condition:
                self._fetching.discard(key)
                self._condition.notify_all()

    def anew(self, key: Key, fetch: Callable[[], Value]) -> Value:
        """What `fetch` returns now, to be kept; nobody waits for anybody."""
        with self._condition:
            forgotten = self._forgotten
        value = fetch()
        with self._condition:
            if forgotten == self._forgotten:
                self.keep(key, value)
        return value

    def known(self, key: Key) -> Value | None:
        """The kept value, if there is one."""
        with self._condition:
            return self._store.get(key)

    def clear(self) -> None:
        """Fetch everything anew the next time."""
        self.forget(lambda _: True)

    def forget(self, which: Callable[[Key], bool]) -> None:
        """Fetch the keys that `which` picks anew the next time."""
        with self._condition:
            self._forgotten += 1
            for key in [key for key in self._store if which(key)]:
                self._store.pop(key, None)  # it may run out in this very moment

    def keep(self, key: Key, value: Value) -> None:
        """Replace what is kept."""
        with self._condition:
            try:
                self._store[key] = value
            except ValueError:  # larger than the whole store
                return

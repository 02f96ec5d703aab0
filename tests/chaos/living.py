"""Pull requests live: each in a thread, so many at once, as their plans say. What was done is remembered."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.chaos.history import Done
from tests.chaos.lives import HEAD, Base, Close, Draft, Label, Open, Push, Reopen, Say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.chaos.lives import Act, Life, What
    from tests.chaos.world import Home, World
    from tests.github_standin import Pull

_CALM_SECONDS = 10.0
_LOOK_SECONDS = 0.2


class Living:
    """One pull request while it lives."""

    def __init__(self, world: World, life: Life, began: float) -> None:
        self.world = world
        self.life = life
        self.home: Home = world.homes[life.home]
        self.done: list[Done] = []
        self._began = began
        self._pull: Pull | None = None
        self._head = ""

    @property
    def pull(self) -> Pull:
        """The pull request, once it is open."""
        assert self._pull is not None
        return self._pull

    @property
    def heads(self) -> list[str]:
        """All that it had, the last one last."""
        return list(dict.fromkeys(done.head for done in self.done))

    @property
    def where(self) -> str:
        """How people name it."""
        return f"{self.home.full_name}#{self.pull.number}"

    def live(self, stopped: threading.Event, did: Callable[[], None]) -> None:
        """All acts, each after its pause."""
        for act in self.life.acts:
            if stopped.wait(act.pause):
                return
            self._calm_down(act, stopped)
            comment_id = self._do(act.what)
            self.done.append(Done(act.what, time.monotonic() - self._began, self._head, comment_id))
            did()

    def _calm_down(self, act: Act, stopped: threading.Event) -> None:
        """Wait until nothing runs for it, though not for ever: something may hang."""
        until = time.monotonic() + (_CALM_SECONDS if act.calm else 0.0)
        while time.monotonic() < until and self._runs() and not stopped.wait(_LOOK_SECONDS):
            pass

    def _runs(self) -> bool:
        ours = self._prefix()
        runs = list(self.world.fake.runs.items())
        return any(ref.dag_run_id.startswith(ours) and not run.state.finished for ref, run in runs)

    def _prefix(self) -> str:
        owner, _, name = self.home.full_name.partition("/")
        return f"preflight~chaos~{owner}~{name}~{self.pull.number}~"

    def _do(self, what: What) -> int:
        """Do it; a comment's id."""
        author = self.life.author
        match what:
            case Open():
                self._open(what)
            case Push():
                self._head = self.pull.push(author, self._files(what.touches))
                self.world.places.pushed(self.life.number, self._head)
            case Say():
                body = what.body.replace(HEAD, self._head[:16])
                return self.pull.comment(what.by, body).id
            case Label():
                (self.pull.label if what.on else self.pull.unlabel)("lead", what.name)
            case Base():
                self.pull.edit(author, base=what.branch)
            case Draft():
                (self.pull.draft if what.on else self.pull.ready)(author)
            case Close():
                self.pull.close(author)
            case Reopen():
                self.pull.reopen(author)
        return 0

    def _open(self, what: Open) -> None:
        self._pull = self.home.repository.open_pull(
            self.life.author,
            branch=f"life-{self.life.number}",
            files=self._files(what.touches),
            base=what.base,
            draft=what.draft,
            fork=not self.life.trusted,
        )
        self._head = self._pull.head_sha
        self.world.places.opened(self.home.full_name, self._pull.number, self.life.number, self._head)

    def _files(self, touches: Sequence[str]) -> dict[str, str]:
        return {file: f"life {self.life.number}, act {len(self.done)}\n" for file in touches}


class Progress:
    """How many acts have happened, for those who wait for some of them."""

    def __init__(self) -> None:
        self.acts = 0
        self._changed = threading.Condition()
        self._over = False

    def did(self) -> None:
        """One more."""
        with self._changed:
            self.acts += 1
            self._changed.notify_all()

    def end(self) -> None:
        """No more will come."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def wait_for(self, acts: int) -> None:
        """Return once so many have happened, or no more will."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self.acts >= acts)


def live_all(livings: Sequence[Living], at_once: int, progress: Progress, stopped: threading.Event) -> None:
    """Let all live, so many at once; an act that can't be done ends it all."""
    with ThreadPoolExecutor(at_once, thread_name_prefix="life") as pool:
        lives = [pool.submit(living.live, stopped, progress.did) for living in livings]
        try:
            for life in lives:
                life.result()
        except BaseException:
            stopped.set()
            raise
        finally:
            progress.end()

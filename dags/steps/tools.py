"""Programs of others that steps need (gcloud, kubectl, helm, docker ...): run, heard, and asked again.

Always by an argv list, never through a shell. In a dry run each is printed instead, ready to copy.
"""

import os
import random
import shlex
import shutil
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from steps.child import Ended, hear
from steps.errors import StepFailed, TryAgain
from steps.lines import Lines
from steps.try_again import is_temporary

_LAST_LINES = 30
_MAX_REASON = 600
_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 30.0
KEPT_CHARACTERS = 1_000_000
"""Of what a program prints so much is returned at most: the end."""
MAX_ANSWER = 64 * 1024**2
"""Bytes; a longer answer is an error."""


class ToolError(StepFailed):
    """A program failed for good; the message is what it said last."""

    def __init__(self, argv: tuple[str, ...], exit_code: int, said: str) -> None:
        last = " ".join(said.split())[-_MAX_REASON:] or _how(exit_code)
        super().__init__(f"{shlex.join(argv[:3])}: {last}")
        self.argv = argv
        self.exit_code = exit_code
        self.said = said
        """The end of what it printed, both streams."""


class Tools:
    """Runs programs, in the environment that the step was given; in a dry run prints them."""

    def __init__(
        self,
        *,
        dryrun: bool = False,
        environ: Mapping[str, str] | None = None,
        tries: int = 4,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.dryrun = dryrun
        self.environ = dict(os.environ if environ is None else environ)
        """What programs see; commands may add to it, such as KUBECONFIG. Never printed."""
        self._tries = tries
        self._pause = pause

    def has(self, program: str) -> bool:
        """Whether it is on PATH."""
        return shutil.which(program, path=self.environ.get("PATH")) is not None

    def run(
        self,
        *argv: str,
        cwd: Path | None = None,
        stdin: str = "",
        timeout: float | None = None,
        hide_stdin: bool = False,
        temporary: Callable[[str], bool] = is_temporary,
    ) -> str:
        """Run a program; what it prints is printed as it comes, and its end returned (nothing in a dry run).

        It is asked again, a few times, where its answer says that this may help: `temporary` tells, by the
        end of what it printed. `hide_stdin`: what it reads is a secret, which a dry run doesn't show.

        Raises:
            TryAgain: it still said so at the last try, or took longer than `timeout` seconds.
            ToolError: it failed for good.
            StepFailed: it is not there.
        """
        if self.dryrun:
            print(_copyable(argv, cwd, "(a secret)" if hide_stdin else stdin))
            return ""
        return self._repeat(argv, lambda: self._heard(argv, cwd, stdin, timeout), temporary)

    def ask(self, *argv: str, cwd: Path | None = None, stdin: str = "", timeout: float | None = None) -> str:
        """Run a program for its answer: standard output, returned and not printed (nothing in a dry run).

        Raises what `run` raises, and StepFailed when the answer is longer than MAX_ANSWER.
        """
        if self.dryrun:
            print(_copyable(argv, cwd, stdin))
            return ""
        return self._repeat(argv, lambda: self._answered(argv, cwd, stdin, timeout))

    def _repeat(
        self,
        argv: tuple[str, ...],
        once: Callable[[], str],
        temporary: Callable[[str], bool] = is_temporary,
    ) -> str:
        if not self.has(argv[0]):
            raise StepFailed(f"{argv[0]} is not on PATH: it is needed for `{shlex.join(argv[:3])}`")
        for number in range(1, self._tries):
            try:
                return once()
            except ToolError as error:
                if not temporary(error.said):
                    raise
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (number - 1)) * random.uniform(0.5, 1)  # noqa: S311 - spreads tries
                print(f"{error}\nThis may pass: in {pause:.0f}s comes try {number + 1} of {self._tries}")
                self._pause(pause)
        try:
            return once()
        except ToolError as error:
            if temporary(error.said):
                raise TryAgain(str(error)) from None
            raise

    def _heard(self, argv: tuple[str, ...], cwd: Path | None, stdin: str, timeout: float | None) -> str:
        lines, end = Lines(), _End()

        def say(chunk: bytes) -> None:
            for line in lines.feed(chunk):
                print(line)
                end.add(line)

        ended = hear(argv, cwd=cwd, env=self.environ, stdin=stdin.encode(), timeout=timeout, on_output=say)
        for line in lines.end():
            print(line)
            end.add(line)
        _judge(argv, ended, timeout, end.text)
        return end.text

    def _answered(self, argv: tuple[str, ...], cwd: Path | None, stdin: str, timeout: float | None) -> str:
        answer, complaints, lines = bytearray(), _End(), Lines()

        def keep(chunk: bytes) -> None:
            answer.extend(chunk)
            if len(answer) > MAX_ANSWER:
                raise StepFailed(f"{shlex.join(argv[:3])} answers with more than {MAX_ANSWER // 1024**2} MB")

        def complain(chunk: bytes) -> None:
            for line in lines.feed(chunk):
                complaints.add(line)

        ended = hear(
            argv,
            cwd=cwd,
            env=self.environ,
            stdin=stdin.encode(),
            timeout=timeout,
            on_output=keep,
            on_error=complain,
        )
        for line in lines.end():
            complaints.add(line)
        text = answer.decode("utf-8", "backslashreplace")
        _judge(argv, ended, timeout, text[-KEPT_CHARACTERS:] + complaints.text)
        return text


class _End:
    """The last lines of what a program prints."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0

    def add(self, line: str) -> None:
        self._lines.append(line)
        self._size += len(line) + 1
        while self._size > KEPT_CHARACTERS:
            self._size -= len(self._lines.popleft()) + 1

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._lines)


def _judge(argv: tuple[str, ...], ended: Ended, timeout: float | None, said: str) -> None:
    """Raise when the program failed."""
    if ended.timed_out:
        raise TryAgain(f"{shlex.join(argv[:3])} took longer than {timeout:g}s")
    if ended.exit_code:
        raise ToolError(argv, ended.exit_code, "\n".join(said.splitlines()[-_LAST_LINES:]))


def _how(exit_code: int) -> str:
    """Return how a program ended that did not say why."""
    try:
        return f"exit code {exit_code}" if exit_code >= 0 else f"killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"killed by signal {-exit_code}"


def _copyable(argv: tuple[str, ...], cwd: Path | None, stdin: str) -> str:
    """Return what does the same in a shell."""
    command = shlex.join(argv)
    if stdin:
        end = "EOF"
        while end in stdin.splitlines():
            end += "_"
        command += f" <<'{end}'\n{stdin}{'' if stdin.endswith(chr(10)) else chr(10)}{end}"
    if cwd is None:
        return command
    return f"(cd {shlex.quote(str(cwd))} && {command}{chr(10) if stdin else ''})"

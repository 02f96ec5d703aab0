"""How much of the machine one step may take, from Airflow's environment; and the part that rlimits do."""

import resource
import signal
from collections.abc import Mapping
from dataclasses import dataclass, fields

from steps.limits import in_words
from steps.memory import memory_bytes

_GIGABYTE = 1024**3
_OPEN_FILES = 65_536
_BEYOND = 8  # of `processes`: the rlimit is only the wall behind the count that the keeper makes


@dataclass(frozen=True)
class StepLimits:
    """Zero is no limit."""

    cpu_seconds: int = 86_400
    """Of one process."""
    memory_bytes: int = 0
    """Of all processes together; and what one may ask for."""
    processes: int = 4096
    """Threads count as well."""
    file_bytes: int = 10 * _GIGABYTE
    """Of one file that is written."""
    disk_bytes: int = 10 * _GIGABYTE
    """Of $HOME and $ARTIFACTS together."""
    log_bytes: int = 64 * 1024**2
    """Of output. What is more is left out, but for its end; the step goes on."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "StepLimits":
        """Read PREFLIGHT_STEP_CPU_SECONDS and so on; what is no number counts as not set.

        Memory that is not set is three quarters of what the machine, or its control group, has.
        """
        given = {field.name: environ.get(f"PREFLIGHT_STEP_{field.name.upper()}", "") for field in fields(cls)}
        numbers = {name: int(text) for name, text in given.items() if text.isascii() and text.isdigit()}
        return cls(**{"memory_bytes": memory_bytes() * 3 // 4} | numbers)

    def options(self) -> list[str]:
        """Return them as options of `steps.keeper`; output is not its business."""
        names = (field.name for field in fields(self) if field.name != "log_bytes")
        return [f"--{name.replace('_', '-')}={getattr(self, name)}" for name in names]

    def apply(self, running: int = 0) -> None:
        """Limit this process and what it starts, when the user has `running` processes already.

        RLIMIT_DATA counts private memory that can be written, so not what Java, Node or Go only reserve, on
        which RLIMIT_AS would break them (getrlimit(2), since Linux 4.7).
        """
        wanted = {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_NOFILE: _OPEN_FILES,
            resource.RLIMIT_CPU: self.cpu_seconds or None,
            resource.RLIMIT_FSIZE: self.file_bytes or None,
            resource.RLIMIT_DATA: self.memory_bytes or None,
            resource.RLIMIT_NPROC: running + self.processes * _BEYOND if self.processes else None,
        }
        for kind, most in wanted.items():
            if most is not None:
                _lower(kind, most)

    def broken_by(self, exit_code: int) -> str:
        """Return the limit that a process ran into which ended like that (-N and 128+N: by signal N)."""
        if exit_code in {-signal.SIGXCPU, 128 + signal.SIGXCPU}:
            return f"used more than {self.cpu_seconds} s of CPU time"
        if exit_code in {-signal.SIGXFSZ, 128 + signal.SIGXFSZ}:
            return f"wrote a file of more than {in_words(self.file_bytes)}"
        return ""


def _lower(kind: int, most: int) -> None:
    """Set both limits, the soft one a second (or so) earlier where a signal says that it was reached."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    if kind == resource.RLIMIT_CPU:  # at the soft limit comes SIGXCPU, at the hard one SIGKILL
        resource.setrlimit(kind, (most, most + 5 if hard == resource.RLIM_INFINITY else hard))
    else:
        resource.setrlimit(kind, (most, most))

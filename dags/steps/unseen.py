"""Starts the command of a step's pod with Airflow's token out of sight: the pod template's `command`.

The KubernetesExecutor hands a task over as `python -m airflow.sdk.execution_time.execute_workload` with
`--json-string JSON`, in which is a token that speaks for the task; and any process may read the arguments of
any other (/proc/PID/cmdline). So the JSON goes into a pipe, which is empty once Airflow has read it, and the
command is told to read that: `--json-path /dev/fd/N`. It takes this process' place, whose arguments are gone
with it.

Use: python -I unseen.py COMMAND...
"""

import fcntl
import os
import sys
from collections.abc import Sequence

_OPTION, _INSTEAD = "--json-string", "--json-path"


def unseen(argv: Sequence[str]) -> list[str]:
    """Return the command with its JSON in an open pipe, which it inherits.

    Raises:
        OSError: the pipe can't hold it.
    """
    if _OPTION not in argv[:-1]:
        return list(argv)
    at = argv.index(_OPTION)
    hear, tell = os.pipe()
    said = argv[at + 1].encode()
    os.set_blocking(tell, False)
    fcntl.fcntl(tell, fcntl.F_SETPIPE_SZ, max(len(said), 1))
    with os.fdopen(tell, "wb") as pipe:
        pipe.write(said)
    os.set_inheritable(hear, True)  # noqa: FBT003 - it has no name there
    return [*argv[:at], _INSTEAD, f"/dev/fd/{hear}", *argv[at + 2 :]]


def main() -> None:
    """Become the command."""
    argv = unseen(sys.argv[1:])
    os.execvp(argv[0], argv)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()

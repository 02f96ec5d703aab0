"""What a process gives up for good, by prctl(2) and capset(2). Elsewhere than on Linux: nothing."""

import contextlib
import ctypes
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_MOST_CAPABILITIES = 64


def keep_to_itself() -> None:
    """Let no other process of our user read our environment, memory or open files below /proc.

    What we fork inherits it, what we exec does not (PR_SET_DUMPABLE in prctl(2), and proc(5)).
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Become the parent of what our descendants leave behind when they end."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(number: int) -> None:
    """Get that signal when the thread that started us ends, even by SIGKILL."""
    _prctl(_PR_SET_PDEATHSIG, number)


def drop_privileges() -> None:
    """Give up all capabilities, and that a program started later gets any: sudo and ping, for instance.

    So even root may not look into a process of root's that kept its own (ptrace(2), access mode checking).
    """
    if sys.platform != "linux":
        return
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(_MOST_CAPABILITIES):  # who is not root may not, and has none to lose
        if not _prctl(_PR_CAPBSET_DROP, capability):
            break
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capabilities can't be dropped")


def _prctl(option: int, argument: int) -> bool:
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "linux":
            unused = ctypes.c_ulong(0)
            done = ctypes.CDLL(None, use_errno=True).prctl(
                option, ctypes.c_ulong(argument), unused, unused, unused
            )
            return int(done) == 0
    return False

"""The kernel's Landlock: what a process and all that it starts may do with files, without any privilege.

It is the second best, where no sandbox can be made (in most containers): other processes can't be read or
signalled, files can't be read where they are hidden nor written but where they may. Names stay visible, and
/tmp is nobody's: all steps would share it. See https://docs.kernel.org/userspace-api/landlock.html.
"""

import contextlib
import ctypes
import os
import stat
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_EXECUTE, WRITE_FILE, _READ_FILE = 1 << 0, 1 << 1, 1 << 2
_REMOVE_AND_MAKE = 0b1_1111_1111 << 4  # REMOVE_DIR, REMOVE_FILE, MAKE_CHAR ... MAKE_SYM
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_OF_FILES = _EXECUTE | WRITE_FILE | _READ_FILE | _TRUNCATE
_READ = _EXECUTE | _READ_FILE
_WRITE = _READ | WRITE_FILE | _REMOVE_AND_MAKE | _REFER | _TRUNCATE
_SCOPES = 0b11  # abstract sockets and signals: only those of the same domain
_LEAST = 2
"""The first version that lets files be moved from one folder to another (Linux 5.19)."""
_WHOLE = 3
"""The first one that knows of truncation (Linux 6.2): with less a hidden file can be emptied."""
_WITH_SCOPES = 6
_DEVICES = "/dev"
_SHARED = tuple(
    f"{_DEVICES}/{name}"
    for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm")
)
"""What all may write; of devices nothing else, such as disks, may even be read."""
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - where other steps have their homes, and people what is theirs

Rules = Mapping[str, int]
"""What is allowed, by path: Landlock only ever allows."""


def version() -> int:
    """Return what the kernel offers; 0 for nothing."""
    if sys.platform != "linux":
        return 0
    return max(
        int(_libc().syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_long(0), ctypes.c_long(_VERSION))),
        0,
    )


def works() -> bool:
    """Whether the kernel offers enough of it for code of people who are trusted."""
    return version() >= _LEAST


def is_whole() -> bool:
    """Whether it offers all that strangers need be kept from."""
    return version() >= _WHOLE


def rules(*, writable: Collection[Path], readable: Collection[Path], hidden: Collection[Path]) -> Rules:
    """Return what is allowed so that all but `hidden` can be read, and little be written."""
    if not hidden:
        return {}
    secret = {os.path.realpath(path) for path in (_DEVICES, *_TEMPORARY, *map(str, hidden))}
    own = {os.path.realpath(path): _WRITE for path in writable}
    seen = dict.fromkeys(_around(secret, "/"), _READ)
    shared = {path: _WRITE for path in _SHARED if _is_outside(path, secret)}
    return seen | shared | {os.path.realpath(path): _READ for path in readable} | own


def _is_outside(path: str, secret: Collection[str]) -> bool:
    return path not in secret and not any(found.startswith(f"{path}/") for found in secret)


def _around(secret: Collection[str], folder: str) -> Iterator[str]:
    """Yield the fewest paths below `folder` that hold all that is not secret."""
    inner = folder.rstrip("/") + "/"
    if not any(path.startswith(inner) for path in secret):
        yield folder
        return
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 - paths stay text here
            path = inner + name
            if path not in secret and not os.path.islink(path):  # noqa: PTH114 - likewise
                yield from _around(secret, path)


def restrict(allowed: Rules) -> None:
    """Restrict this process for good; it must have given up new privileges before.

    Raises:
        OSError: the kernel refuses.
    """
    handled = _WRITE if is_whole() else _WRITE & ~_TRUNCATE
    scopes = _SCOPES if version() >= _WITH_SCOPES else 0
    attributes = (ctypes.c_uint64 * 3)(handled, 0, scopes)
    size = 24 if scopes else 8
    ruleset = _call(_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        for path, access in allowed.items():
            _allow(ruleset, path, access & handled)
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(opened).st_mode):
                access &= _OF_FILES
            beneath = access.to_bytes(8, sys.byteorder) + opened.to_bytes(4, sys.byteorder)  # packed
            _call(_ADD_RULE, ruleset, _PATH_BENEATH, beneath, 0)
        finally:
            os.close(opened)


def _call(number: int, *arguments: object) -> int:
    whole = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = int(_libc().syscall(ctypes.c_long(number), *whole))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"Landlock: {os.strerror(error)}")
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)

"""No sockets that have a name (AF_UNIX) for a process and all that it starts, by a seccomp filter.

Landlock hides files but not who listens at a socket: a database that trusts its machine's users, Docker, an
SSH agent. Pairs of sockets stay, by which asyncio and subprocesses talk; one of datagrams can still send to a
listener of datagrams, such as the system's log. See seccomp(2).
"""

import ctypes
import errno
import os
import platform
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

_PR_SET_SECCOMP = 22
_FILTER_MODE = 2
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL, _AT_LEAST = 0x15, 0x35  # BPF_JMP | BPF_K, with BPF_JEQ and BPF_JGE
_RETURN = 0x06  # BPF_RET | BPF_K
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, little-endian
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_IO_URING_SETUP = 425
"""Through io_uring a socket can be made and connected unseen by any filter."""
_X32 = 0x40000000


@dataclass(frozen=True)
class _Machine:
    architecture: int
    """AUDIT_ARCH_... of linux/audit.h."""
    socket: int
    """The number of socket(2)."""


_MACHINES: Mapping[str, _Machine] = MappingProxyType(
    {"x86_64": _Machine(0xC000003E, 41), "aarch64": _Machine(0xC00000B7, 198)}
)


def can_be_refused() -> bool:
    """Whether we know how on this machine."""
    return sys.platform == "linux" and platform.machine() in _MACHINES


def refuse() -> None:
    """Make socket(AF_UNIX) fail for good, as where there is no such thing.

    The process must have given up new privileges. Calls of other architectures fail, too, so 32-bit programs:
    their numbers differ.

    Raises:
        OSError: the kernel refuses.
    """
    code = b"".join(_program(_MACHINES[platform.machine()]))
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER_MODE), program, 0, 0):
        error = ctypes.get_errno()
        raise OSError(error, f"seccomp: {os.strerror(error)}")


def _program(machine: _Machine) -> Iterator[bytes]:
    """Yield the instructions; a jump says how many to skip if so, and if not."""
    yield _instruction(_LOAD, _ARCHITECTURE)
    yield _instruction(_EQUAL, machine.architecture, otherwise=7)
    yield _instruction(_LOAD, _NUMBER)
    yield _instruction(_AT_LEAST, _X32, then=5)
    yield _instruction(_EQUAL, _IO_URING_SETUP, then=4)
    yield _instruction(_EQUAL, machine.socket, otherwise=2)
    yield _instruction(_LOAD, _FIRST_ARGUMENT)
    yield _instruction(_EQUAL, int(socket.AF_UNIX), then=2)
    yield _instruction(_RETURN, _ALLOW)
    yield _instruction(_RETURN, _ERROR | errno.ENOSYS)
    yield _instruction(_RETURN, _ERROR | errno.EAFNOSUPPORT)


def _instruction(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)

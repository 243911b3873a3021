"""Calls of the Linux kernel for which Python 3.11 has no name. Each raises OSError where the kernel refuses."""

import ctypes
import errno
import os
import platform
from functools import cache
from typing import Any

NEWNS, NEWUTS, NEWIPC = 0x00020000, 0x04000000, 0x08000000  # namespaces of mounts, of the host's name, of memory
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000  # of users, of processes, of the network

NOSUID, NODEV, NOEXEC, BIND, RECURSIVE, PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18  # of a mount
_DETACH = 2

# A system call's number on each processor that we know; None where it has none.
_PROCESSORS = ("x86_64", "aarch64")
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "add_key": (248, 217),
    "bpf": (321, 280),
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fanotify_init": (300, 262),
    "fork": (57, None),
    "fsopen": (430, 430),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount_setattr": (442, 442),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vfork": (58, None),
}


def is_known() -> bool:
    """Whether this is Linux on a processor whose system calls are listed here."""
    return platform.system() == "Linux" and platform.machine() in _PROCESSORS


def number(name: str) -> int | None:
    """The number of a system call on this processor; None where it has none."""
    return _NUMBERS[name][_PROCESSORS.index(platform.machine())]


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> int:
    """Call a function of the C library, or where it has none of that name the kernel itself."""
    if hasattr(_libc(), name):
        result = getattr(_libc(), name)(*arguments)
    else:
        result = _libc().syscall(ctypes.c_long(number(name)), *arguments)
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def unshare(namespaces: int) -> None:
    """Give this process namespaces of its own; in those of processes only its next child will live."""
    _call("unshare", namespaces)


def setns(descriptor: int, namespaces: int) -> None:
    """Go back into the namespaces of the process behind a descriptor of :func:`pidfd`."""
    _call("setns", descriptor, namespaces)


def pidfd(process: int) -> int:
    """A descriptor of a process, which becomes readable when it ends."""
    return _call("pidfd_open", ctypes.c_long(process), ctypes.c_long(0))


def memory_file(name: str) -> int:
    """A descriptor of an empty file that has no place in any folder."""
    return _call("memfd_create", name.encode(), 1)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount a file system, or with :data:`BIND` what lies at ``source``."""
    words = [word.encode() if word else None for word in (source, target, kind)]
    _call("mount", *words, ctypes.c_ulong(flags), options.encode() or None)


def make_read_only(target: str, with_devices: bool = False) -> None:
    """Nothing below ``target``, mounts in it included, can be written, be a device or give its caller more rights."""
    attributes = 1 | NOSUID | (0 if with_devices else NODEV)
    fields = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)  # what to set, what to clear, propagation, user namespace
    here, recursively = ctypes.c_long(-100), ctypes.c_long(0x8000)
    _call("mount_setattr", here, target.encode(), recursively, fields, ctypes.c_size_t(ctypes.sizeof(fields)))


def change_root(new: str) -> None:
    """Make the mount at ``new`` the root, and forget the old one and everything in it."""
    os.chdir(new)
    pivot_root(".", ".")  # the old root now lies upon the new one
    _call("umount2", b".", _DETACH)
    os.chdir("/")


def pivot_root(new: str, old: str) -> None:
    """Make the mount at ``new`` the root, and find the old one at ``old``."""
    _call("pivot_root", new.encode(), old.encode())


def prctl(option: int, *arguments: Any) -> None:
    """Set something of this process."""
    numbers = [one if isinstance(one, ctypes.c_void_p) else ctypes.c_ulong(one) for one in arguments]
    _call("prctl", option, *numbers, *[ctypes.c_ulong(0)] * (4 - len(numbers)))


def die_with_parent() -> None:
    """Be killed when the thread ends that made this process."""
    prctl(1, 9)


def forbid_new_privileges() -> None:
    """No program that this process starts can have more rights than it."""
    prctl(38, 1)


def bound_capabilities() -> None:
    """No program that this process starts can get a right of a superuser. Takes such a right."""
    for capability in range(64):
        try:
            prctl(24, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:  # there are no more
                return
            raise


def drop_capabilities() -> None:
    """Give up every right of a superuser."""
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    _call("capset", header, nothing)

"""What code of a student may not ask of the kernel, whatever else holds it back.

The filter is written in the kernel's own small language: load a word of the call, compare, skip, return. It cannot be
taken off, and what this process starts inherits it.
"""

import ctypes
import errno
import platform

from course_tools.grading.walls import linux

_FORBIDDEN = (
    # Another process or program. A thread is allowed, and ends with its process.
    *("fork", "vfork", "execve", "execveat"),
    # A network, and with it a way to hand over descriptors.
    *("socket", "socketpair"),
    # Memory that no limit of a process counts, or that outlives it.
    *("memfd_create", "memfd_secret", "shmget", "semget", "msgget", "mq_open"),
    # Namespaces, in which anybody would be a superuser; and the file systems that one mounts there.
    *("unshare", "setns", "open_tree", "fsopen", "mount_setattr", "pivot_root"),
    # Other processes' memory and descriptors, and the keys of who started us.
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_open", "pidfd_getfd"),
    *("add_key", "request_key", "keyctl", "name_to_handle_at"),
    # Large parts of the kernel that no answer needs.
    *("bpf", "io_uring_setup", "perf_event_open", "userfaultfd", "fanotify_init", "personality"),
)
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _KIND, _FIRST_ARGUMENT = 0, 4, 16  # where they stand in what the filter looks at
_OTHER_NUMBERS = 0x40000000  # on x86-64: the same calls, counted anew
_THREAD = 0x00010000  # the flag of a clone that makes a thread


class _Step(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def install() -> None:
    """Forbid it to this process from now on. A forbidden call raises PermissionError. Raises OSError where refused."""
    steps = _steps()
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    linux.forbid_new_privileges()  # without this only a superuser may install a filter
    linux.prctl(22, 2, ctypes.cast(ctypes.pointer(program), ctypes.c_void_p))


def _steps() -> list[tuple[int, int, int, int]]:
    """The program: (what to do, steps to skip if so, steps to skip if not, a number)."""
    refuse = (_RETURN, 0, 0, _REFUSE | errno.EPERM)
    forbidden = [number for name in _FORBIDDEN if (number := linux.number(name)) is not None]
    return [
        (_LOAD, 0, 0, _KIND),
        (_EQUAL, 1, 0, _ARCHITECTURE[platform.machine()]),
        (_RETURN, 0, 0, _KILL),  # a call of another architecture, with other numbers
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _OTHER_NUMBERS),
        refuse,
        *[step for number in forbidden for step in ((_EQUAL, 0, 1, number), refuse)],
        # clone3 has its flags in memory, where a filter cannot look: the C library falls back to clone.
        (_EQUAL, 0, 1, linux.number("clone3")),
        (_RETURN, 0, 0, _REFUSE | errno.ENOSYS),
        (_EQUAL, 0, 3, linux.number("clone")),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_HAS_BITS, 1, 0, _THREAD),
        refuse,
        (_RETURN, 0, 0, _ALLOW),
    ]

"""The process in the sandbox that has torch in memory, and forks a fresh child for each part of an answer.

:mod:`course_tools.grading.sandbox` starts it through bubblewrap, with a socket as its standard input. Through the
socket come, for each part, two limits and two descriptors: of a file with the request, and of an empty one for the
reply. A child reads the one and writes the other; this process sees neither, so a later child cannot find in its memory
what an earlier one received or returned. It sends back how the child ended. It runs no student's code, and holds
neither the reference nor the seed.

bubblewrap confines a program as it starts, and a program that starts takes seconds to import torch. So what a running
process needs for each of its children is done here: a namespace of processes, an empty scratch folder with a limit on
the number of files (bubblewrap's has none), limits, and libseccomp's filter on system calls.
"""

import ctypes
import dataclasses
import errno
import json
import math
import os
import random
import resource
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

LIMITS = struct.Struct("!dd")  # seconds of processor time, seconds by the clock
SCRATCH = "/scratch"  # the one folder that can be written: empty for each part, held in memory
MEMORY = 2**30  # bytes that a student's code may have besides what Python and torch take
DISK = 32 * 2**20  # bytes of its scratch folder, and
FILES = 256  # how many files it may have there
REPLY = 16 * 2**20  # bytes of a reply, and of any other file
THREADS = 64
DESCRIPTORS = 128

_TEMPORARY = ("/proc", "/sys")  # torch chooses its kernels by what it reads there; a student's code sees neither
_BEGUN = b"begun"
_NEWNS, _NEWIPC, _NEWPID = 0x00020000, 0x08000000, 0x20000000  # namespaces of mounts, shared memory, processes
_NOSUID, _NODEV, _NOEXEC, _DETACH = 2, 4, 8, 2

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
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_BAD_ARCHITECTURE, _MASKED_EQUAL, _CLONE_THREAD = 2, 7, 0x00010000


def main(user: int) -> None:
    """Import torch, report over the socket, and serve until it is closed. Students' code runs as ``user``."""
    control = socket.socket(fileno=os.dup(0))
    try:
        _lower("NOFILE", DESCRIPTORS)
        environment = dict(os.environ)
        _warm_up()
        os.environ.clear()  # of what packages have set, such as folders with a user's name
        os.environ.update(environment)
        memory = MEMORY + int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        for folder in _TEMPORARY:
            _call("umount2", folder.encode(), _DETACH)
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)  # nobody reads it from here on
    except Exception as error:
        _send(control, problem=f"{type(error).__name__}: {error}")
        return
    _send(control, problem=None)
    while True:
        limits, files, _, _ = socket.recv_fds(control, LIMITS.size, 2)
        if not limits:
            return
        try:
            outcome = _attended(user, memory, *LIMITS.unpack(limits), *files)
        except OSError as error:
            outcome = {"problem": str(error)}
        _send(control, **outcome)
        for file in files:
            os.close(file)


def _warm_up() -> None:
    """Do now what else the first answer would wait for. No gradient: after that, torch computes none in a child."""
    import numpy.random  # noqa: F401
    import torch

    import checks.logits
    import checks.script
    import checks.worker  # noqa: F401

    libseccomp()
    torch.set_num_threads(1)
    with torch.no_grad():
        torch.nn.Conv2d(3, 4, 3, padding=1)(torch.zeros(2, 3, 8, 8)).flatten(1) @ torch.zeros(256, 2)
    torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1).step()


def _send(control: socket.socket, **content: Any) -> None:
    control.send(json.dumps(content).encode())


def _attended(*arguments: Any) -> dict[str, Any]:
    """:func:`_outcome`, from a process of its own: only its child, and not this one's next, gets a new namespace."""
    reading, writing = os.pipe()
    attendant = os.fork()
    if not attendant:
        try:
            try:
                outcome = _outcome(*arguments)
            except OSError as error:
                outcome = {"problem": str(error)}
            os.write(writing, json.dumps(outcome).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        outcome = pipe.read()
    os.waitpid(attendant, 0)
    return json.loads(outcome or '{"problem": "the process that watches over an answer ended"}')


def _outcome(user: int, memory: int, seconds: float, patience: float, request: int, reply: int) -> dict[str, Any]:
    """How a child's answer ended; or under ``problem`` why none could be given, for no fault of the student's."""
    reading, begin = os.pipe()
    _call("unshare", _NEWPID)
    child = os.fork()
    if not child:
        _answer(user, memory, seconds, request, reply, begin)
    os.close(begin)
    late = False

    def expire(*_: object) -> None:
        nonlocal late
        late = True
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, patience)
    _, status, used = os.wait4(child, 0)  # returns when everything in the child's namespace has ended, too
    signal.setitimer(signal.ITIMER_REAL, 0)
    with os.fdopen(reading, "rb") as pipe:
        begun = pipe.read()
    if begun != _BEGUN:
        return {"problem": begun.decode(errors="replace") or "its process ended before it began"}
    # The kernel counts its limit in ticks: on a busy machine it kills a child that has used up much less than that.
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    late = late or (killed and used.ru_utime + used.ru_stime > 0.5 * seconds)
    return {"problem": None, "status": os.waitstatus_to_exitcode(status), "late": late}


def _answer(user: int, memory: int, seconds: float, request: int, reply: int, begin: int) -> NoReturn:
    """The child's whole life."""
    begun = False
    try:
        reply, request, begin = _keep(reply, request, begin)
        confine(user, seconds, memory)
        content = _read(request)
        os.close(request)
        os.write(begin, _BEGUN)  # from here on, what goes wrong is the student's
        os.close(begin)
        begun = True
        with os.fdopen(reply, "wb") as file:
            file.write(_reply(content))
        os._exit(0)
    except BaseException as error:
        if not begun:
            os.write(begin, f"{type(error).__name__}: {error}".encode()[:1000])
    finally:
        os._exit(1)


def _keep(*descriptors: int) -> list[int]:
    """Close all but these, and lead the standard streams nowhere. Returns the new numbers, from 3 on."""
    high = [os.dup2(file, DESCRIPTORS - 1 - i, inheritable=False) for i, file in enumerate(descriptors)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    kept = [os.dup2(file, 3 + i, inheritable=False) for i, file in enumerate(high)]
    os.closerange(3 + len(kept), DESCRIPTORS)
    return kept


def confine(user: int, seconds: float, memory: int) -> None:
    """Take from this process, the first of its PID namespace, whatever a student's code must not have.

    Raises: OSError where the kernel refuses. Then no student's code may run.
    """
    os.setsid()  # else a signal to its group would reach its parent
    _call("unshare", _NEWNS | _NEWIPC)
    options = f"mode=700,uid={user},gid={user},size={DISK},nr_inodes={FILES}".encode()
    _call("mount", b"tmpfs", SCRATCH.encode(), b"tmpfs", ctypes.c_ulong(_NOSUID | _NODEV | _NOEXEC), options)
    if os.getuid() != user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    os.chdir(SCRATCH)
    _call("capset", (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())  # no rights of a superuser
    most = {"CPU": math.ceil(seconds), "AS": memory, "NPROC": THREADS, "FSIZE": REPLY, "CORE": 0, "MEMLOCK": 0}
    for name, number in most.items():
        _lower(name, number)
    filter_calls()


def _lower(name: str, most: int) -> None:
    limited = getattr(resource, f"RLIMIT_{name}")
    hard = resource.getrlimit(limited)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(limited, (most, most))


class _Comparison(ctypes.Structure):
    """libseccomp's ``scmp_arg_cmp``: an argument's number, an operator, and its two operands."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def libseccomp() -> ctypes.CDLL:
    """The library. Raises OSError where it is not installed."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    return library


def filter_calls() -> None:
    """Forbid this process system calls that no answer needs: from now on they raise PermissionError.

    The filter cannot be taken off, and what this process starts inherits it. Raises OSError where it is refused.
    """
    library = libseccomp()
    context = ctypes.c_void_p(library.seccomp_init(_ALLOW))

    def add(name: str, error: int, *comparisons: _Comparison) -> None:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number != -1:  # a call that this libseccomp has no name for
            array = (_Comparison * len(comparisons))(*comparisons)
            _check(library.seccomp_rule_add_array(context, _REFUSE | error, number, len(comparisons), array))

    # The numbers of another architecture on the same processor.
    _check(library.seccomp_attr_set(context, _BAD_ARCHITECTURE, ctypes.c_uint32(_REFUSE | errno.EPERM)))
    for name in _FORBIDDEN:
        add(name, errno.EPERM)
    add("clone", errno.EPERM, _Comparison(0, _MASKED_EQUAL, _CLONE_THREAD, 0))
    # clone3 has its flags in memory, where a filter cannot look: the C library falls back to clone.
    add("clone3", errno.ENOSYS)
    _check(library.seccomp_load(context))
    library.seccomp_release(context)


def _check(result: int) -> None:
    if result < 0:
        raise OSError(-result, f"seccomp: {os.strerror(-result)}")


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library for which Python 3.11 has no name. Raises OSError where it fails."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def _read(file: int) -> Any:
    from checks import messages

    return messages.unpack(os.pread(file, os.fstat(file).st_size, 0), text=messages.MAXIMUM)  # the judge wrote it


def contents(folder: Path, name: str) -> dict[str, Any]:
    """What a file holds: ``cells`` of ``answers.py``, or the ``refusal``; of others, what its reader returns."""
    from checks import logits, script

    if name == script.LOGITS:
        return logits.handed_in(folder)
    try:
        return {"cells": [dataclasses.asdict(cell) for cell in script.read_script(folder)]}
    except script.CourseError as error:
        return {"refusal": str(error)}


def _reply(request: dict[str, Any]) -> bytes:
    """Load the cells, and put the questions where there are any; or read files. All is gone with this process."""
    import numpy

    from checks import messages, worker

    if "files" in request:
        for name, content in request["files"].items():
            Path(name).write_bytes(content.numpy().tobytes())
        return messages.pack(contents(Path(), request["read"]))
    sys.meta_path.insert(0, worker.NoCourse())
    random.seed(0)
    numpy.random.seed(0)
    answers = worker.Answers()
    problems = [answers.load(source, line) for source, line in request["cells"]]
    if "key" not in request:
        return messages.pack({"problem": problems[-1] if problems else None, "loaded": not any(problems)})
    replies = answers.answer(request["key"], request["questions"], request["seed"])
    try:
        return messages.pack({"replies": replies})
    except Exception as error:  # such as a tensor that claims more elements than there is memory
        return messages.pack({"replies": [{"problem": worker.problem(error)}]})


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""Keeps a student's code apart from everything else, by means of the Linux kernel alone.

Two steps. :func:`enter` takes a process into namespaces of its own, where it is the first process: when it ends,
everything in there ends. Its children, one for each part, go through :func:`keep` and :func:`confine` before they run a
student's code: again namespaces of their own, no rights, limits, and a filter on what they may ask of the kernel.
"""

import math
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from course_tools.grading.walls import linux, seccomp, visible

MEMORY = 2**30  # bytes that a student's code may have beside what Python and torch take
DISK = 32 * 2**20  # bytes of its scratch folder, and
FILES = 256  # how many files it may have there
REPLY = 16 * 2**20  # bytes of a reply, and of any other file
THREADS = 64
DESCRIPTORS = 128
_NOBODY = 65534


@dataclass(frozen=True)
class Owner:
    """As whom a student's code runs: a user's number, and whether it has to be taken on."""

    number: int
    changes: bool


def enter() -> Owner:
    """Go on in a child that is the first process of its own namespaces; this one waits for it and ends with it.

    Returns: as whom what is confined should run.
    Raises: OSError where the kernel gives no namespaces to this user.
    """
    _lower("NOFILE", DESCRIPTORS)
    Path("/proc/self/oom_score_adj").write_text("1000")  # where memory is short, this goes first, and not the judge
    namespaces = linux.NEWNS | linux.NEWPID | linux.NEWNET | linux.NEWIPC | linux.NEWUTS
    owner = _unused_user()
    try:
        linux.unshare(namespaces)
    except PermissionError:  # no superuser: be one in a namespace of users
        owner = Owner(_NOBODY, changes=False)
        user, group = os.getuid(), os.getgid()
        linux.unshare(namespaces | linux.NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{_NOBODY} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{_NOBODY} {group} 1")
    socket.sethostname("sandbox")
    child = os.fork()
    if child:
        os.closerange(0, 3)  # who holds the other end of these should see the child go
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
    linux.die_with_parent()
    return owner


def _unused_user() -> Owner:
    """One that no user and no other sandbox of this machine is: limits on processes count by user."""
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    first, _, count = max(ranges)
    if count < 2**15:  # such as in a container that has one user
        return Owner(os.getuid(), changes=False)
    return Owner(first + count - 3 - os.getpid() % (count // 2), changes=True)


def keep(*descriptors: int) -> list[int]:
    """Close all but these; what is printed and what is read from the keyboard is nothing. Returns the new numbers."""
    high = [os.dup2(one, DESCRIPTORS - 1 - i, inheritable=False) for i, one in enumerate(descriptors)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    kept = [os.dup2(one, 3 + i, inheritable=False) for i, one in enumerate(high)]
    os.closerange(3 + len(kept), DESCRIPTORS)
    return kept


def confine(owner: Owner, seconds: float, memory: int) -> None:
    """Take from this process whatever a student's code must not have. It is a fresh child in its own PID namespace.

    Args:
        owner: what :func:`enter` returned.
        seconds: of processor time, rounded up.
        memory: bytes of address space that the process may have in all.

    Raises: OSError where something is refused. Then no student's code may run.
    """
    os.setsid()  # else a signal to its group would reach its parent
    linux.unshare(linux.NEWNS | linux.NEWIPC)  # in the network's there is nothing that could be left behind
    rights = f"mode=700,uid={owner.number},gid={owner.number},size={DISK},nr_inodes={FILES}"
    linux.mount("tmpfs", visible.SCRATCH, "tmpfs", linux.NOSUID | linux.NODEV | linux.NOEXEC, rights)
    os.chdir(visible.SCRATCH)
    linux.bound_capabilities()
    if owner.changes:
        os.setgroups([])
        os.setresgid(*[owner.number] * 3)
        os.setresuid(*[owner.number] * 3)
    linux.drop_capabilities()
    _limit(seconds, memory)
    seccomp.install()


def _limit(seconds: float, memory: int) -> None:
    _lower("CPU", math.ceil(seconds))
    _lower("AS", memory)
    _lower("NPROC", THREADS)
    _lower("FSIZE", REPLY)
    _lower("CORE", 0)
    _lower("MEMLOCK", 0)


def _lower(name: str, most: int) -> None:
    import resource  # Windows has none, and should be able to say that it has no sandbox

    what = getattr(resource, f"RLIMIT_{name}")
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))

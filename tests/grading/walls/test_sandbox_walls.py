"""The filter on system calls is one wall of several: what holds where it is not there."""

import contextlib
import os
import socket
import sys
from pathlib import Path

import pytest
from altered import LUKEWARM, altered

from course_tools.grading.walls import sandbox


@pytest.fixture(scope="module")
def told():
    """``told(code)``: what a child finds out without a filter. Whatever it does, nothing is left of it."""
    with altered(LUKEWARM, "seccomp.install = lambda: None") as zygote:
        zygote.ask({"cells": []}, 10)
        family = set(descendants(zygote.process.pid))
        assert len(family) == 1

        def of(code):
            code = f"import ctypes, os, socket, sys, time\n{code}\nraise ValueError(found)"
            problem = zygote.runner().load(code, 1, 10)
            assert problem["type"] == "ValueError", problem
            assert set(descendants(zygote.process.pid)) == family
            return problem["text"]

        yield of


def descendants(process):
    with contextlib.suppress(OSError):
        for child in map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()):
            yield child
            yield from descendants(child)


REFUSED = """
def refused(act):
    try:
        act()
    except OSError as error:
        return error.strerror or str(error)
    return "done"
"""


def test_a_fork_bomb_is_bounded_and_nothing_is_left_of_it(told):
    code = """
found = 0
for _ in range(500):
    try:
        child = os.fork()
    except OSError:
        break
    if not child:
        os.setsid()
        time.sleep(600)
    found += 1
"""
    assert 0 < int(told(code)) <= sandbox.THREADS


def test_a_daemon_does_not_outlive_its_question(told):
    code = """
if not os.fork():
    os.setsid()
    if not os.fork():
        while True:
            time.sleep(0.01)
    os._exit(0)
time.sleep(0.05)
found = "started"
"""
    assert told(code) == "started"


def test_signals_reach_nobody(told):
    code = """
assert os.getpid() == 1  # everybody is this sandbox; without one, it would be the whole machine
for target in (-1, 0):
    for number in (15, 9):
        try:
            os.kill(target, number)
        except OSError:
            pass
found = os.getppid(), os.getpid()
"""
    assert told(code) == "(0, 1)"


def test_there_is_no_network(told, tmp_path):
    address = f"\0{tmp_path}"  # an abstract one, which needs no file
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(address)
        local.listen()
        code = f"""{REFUSED}
found = [
    refused(lambda: socket.create_connection(("127.0.0.1", {server.getsockname()[1]}), 1)),
    refused(lambda: socket.create_connection(("1.1.1.1", 53), 1)),
    refused(lambda: socket.socket(socket.AF_UNIX).connect({address!r})),
    socket.if_nameindex(),
]
"""
        unreachable = "Network is unreachable"
        assert eval(told(code)) == [unreachable, unreachable, "Connection refused", [(1, "lo")]]


def test_shared_memory_does_not_outlive_its_question(told):
    code = """
libc = ctypes.CDLL(None)
found = libc.shmget(4242, 4096, 0o600) == -1, libc.shmget(4242, 4096, 0o1600) >= 0
"""
    assert [told(code), told(code)] == ["(True, True)"] * 2


def test_no_program_can_be_started(told):
    code = f"""{REFUSED}
found = [refused(lambda: os.execv(path, ["x"])) for path in ("/bin/sh", {sys.executable!r}, "/usr/bin/env")]
"""
    assert eval(told(code)) == ["No such file or directory"] * 3


def test_nothing_can_be_mounted(told):
    code = f"""{REFUSED}
libc = ctypes.CDLL(None, use_errno=True)
def mount(*words):
    if libc.mount(*words, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
found = [
    refused(lambda: mount(b"none", b".", b"proc", 0)),
    refused(lambda: mount(b"none", b".", b"tmpfs", 0)),
    refused(lambda: mount(None, b"/", None, 32)),
    refused(lambda: os.chroot(".")),
    refused(lambda: os.setuid(0)),
]
"""
    assert set(eval(told(code))) <= {"Operation not permitted", "Invalid argument"}


def test_a_superuser_of_its_own_namespace_sees_no_more(told):
    code = f"""{REFUSED}
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *words):
    if getattr(libc, name)(*words) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
user = refused(lambda: call("unshare", 0x10000000 | 0x20000))
found = [
    refused(lambda: call("mount", b"none", b".", b"proc", 0, None)),
    refused(lambda: call("mount", None, b"/", None, 32 | 4096, None)),
    refused(lambda: call("umount2", b"/dev/null", 2)),
    refused(lambda: open(os.__file__, "a")),
    os.path.exists({str(Path(__file__).parent)!r}),
]
"""
    assert not {"done", True} & set(eval(told(code)))


def test_writing_is_to_the_scratch_folder_alone_and_bounded(told):
    code = f"""{REFUSED}
def fill():
    for number in range(100):
        with open(str(number), "wb") as file:
            file.write(bytes(2**22))
found = [refused(fill), refused(lambda: open({os.__file__!r}, "a")), refused(lambda: open("/x", "w"))]
"""
    full, *refusals = eval(told(code))
    assert full == "No space left on device" and set(refusals) <= {"Permission denied", "Read-only file system"}

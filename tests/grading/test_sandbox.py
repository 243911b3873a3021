"""What a student's code has around it, what becomes of it, and what happens where there can be no sandbox."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running_here import descendants

import course_lib
from checks import messages
from checks.process import WorkerGone
from course_lib.errors import CourseError
from course_tools.grading import fork_server, sandbox

pytestmark = pytest.mark.usefixtures("bubblewrap")

PACKAGE = Path(course_lib.__file__).parent
COLD = "fork_server._warm_up = lambda: None"  # starts at once, where no answer is wanted
LUKEWARM = "fork_server._warm_up = lambda: __import__('checks.worker')"  # torch, and no more
NO_FILTER = "fork_server.filter_calls = lambda: None"


def altered(*changes):
    """A fork server before which ``changes``, in Python, are run."""

    class Altered(sandbox.ForkServer):
        program = ("-c", program_of(*changes))

    return Altered()


def program_of(*changes):
    folder = str(Path(fork_server.__file__).parent)
    start = f"import sys\nsys.path.insert(0, {folder!r})\nimport fork_server"
    return "\n".join([start, *changes, "fork_server.main(int(sys.argv[1]))"])


def found(server, code, seconds=10):
    """What code in a child finds out: it names it ``found``."""
    code = f"import ctypes, os, resource, socket, sys, time\n{code}\nraise ValueError(found)"
    problem = server.runner().load(code, 1, seconds)
    assert problem["type"] == "ValueError", problem
    return problem["text"]


@pytest.fixture(scope="module")
def server(bubblewrap):
    with sandbox.ForkServer() as server:
        yield server


# What is there


def test_files_are_those_of_python_and_of_what_answers_may_import(server):
    tops = {Path(path).parts[1] for path in (*sandbox.packages(), sys.base_prefix)}
    system = {"dev", "etc", "lib", "lib64", "proc", "scratch", "sys", "usr"}
    assert set(eval(found(server, "found = os.listdir('/')"))) <= {*tops, *system}
    beside = eval(found(server, f"found = os.listdir({str(PACKAGE.parent)!r})"))
    assert set(beside) <= {"assignments", "course_lib", "course_tools", ".venv"}
    code = "folder = {!r}\nfound = [name for name in os.listdir(folder)]"
    assert found(server, code.format(str(Path(fork_server.__file__).parent))) == "['fork_server.py']"
    for folder, names in {"/dev": {*sandbox._DEVICES}, "/etc": {"ld.so.cache"}, "/usr": {"lib", "lib64"}}.items():
        assert set(eval(found(server, f"found = os.listdir({folder!r})"))) <= names | {Path(sys.base_prefix).name}
    assert found(server, "found = os.listdir('/proc'), os.listdir('/sys'), os.listdir('.')") == "([], [], [])"


def test_installed_packages_are_those_that_the_course_requires(server):
    there, not_there = {"torch", "numpy", "safetensors"}, {"pip", "pytest", "_pytest", "joblib", "jupytext"}
    code = "import torch; installed = os.listdir(os.path.dirname(torch.__path__[0]))"
    assert eval(found(server, f"{code}\nfound = set(installed) & {there | not_there!r}")) == there


def test_the_standard_library_and_torch_can_be_imported(server):
    names = "bz2 csv ctypes decimal fractions hashlib itertools json lzma math random re sqlite3 ssl statistics zlib"
    names += " numpy.fft numpy.linalg numpy.random torch.nn.utils torch.utils.data torch.optim.lr_scheduler unittest"
    code = f"import importlib\nfor name in {names.split()}: importlib.import_module(name)\nfound = 'all'"
    assert found(server, code) == "all"


def test_torch_chooses_the_kernels_that_the_judge_has(server):
    code = "import torch; found = torch.backends.cpu.get_cpu_capability()"
    own = subprocess.run([sys.executable, "-c", f"{code}; print(found)"], capture_output=True, text=True, check=True)
    assert found(server, code) == own.stdout.strip()


def test_the_process_has_no_rights_and_a_user_of_its_own(server):
    capget = {"x86_64": 125, "aarch64": 90}[os.uname().machine]
    code = f"""
libc = ctypes.CDLL(None)
libc.syscall({capget}, (ctypes.c_uint32 * 2)(0x20080522, 0), sets := (ctypes.c_uint32 * 6)())
found = os.getpid(), os.getppid(), sum(sets), libc.prctl(39, 0, 0, 0, 0), libc.prctl(21, 0, 0, 0, 0), os.getgroups()
"""
    # The first of its namespace, without rights, new privileges or groups, and with a filter.
    assert found(server, code) in ("(1, 0, 0, 1, 2, [])", "(1, 0, 0, 1, 2, [65534])")
    user = int(found(server, "found = os.getuid()"))
    assert user not in (0, os.getuid()) and found(server, "found = os.getgid()") == str(user)


def test_limits(server):
    code = "found = [resource.getrlimit(getattr(resource, 'RLIMIT_' + name)) for name in {!r}]"
    names = ("CPU", "NPROC", "FSIZE", "NOFILE", "CORE")
    most = (7, fork_server.THREADS, fork_server.REPLY, fork_server.DESCRIPTORS, 0)
    assert eval(found(server, code.format(names), seconds=6.5)) == [(limit, limit) for limit in most]
    memory = eval(found(server, code.format(("AS",))))[0][1]
    assert fork_server.MEMORY < memory < fork_server.MEMORY + 2**36  # besides torch's, which depends on its build
    assert found(server, "found = open('/dev/zero').read(1), os.statvfs('.').f_files") == "('\\x00', 256)"


def test_environment_and_descriptors(server):
    environment = eval(found(server, "found = sorted(os.environ)"))
    assert set(environment) <= {*sandbox.environment(), "LC_CTYPE", "PWD"}
    code = """
found = []
for number in range(1000):
    try:
        found.append((number, os.fstat(number).st_size))
    except OSError:
        pass
"""
    assert found(server, code) == "[(0, 0), (1, 0), (2, 0), (3, 0)]"


# What becomes of answers


def test_cells_are_loaded_in_order_and_only_those_that_load(server):
    runner = server.runner()
    assert runner.load("x = 1", 1, 10) is None
    assert runner.load("y = x / 0", 5, 10) == {"type": "ZeroDivisionError", "text": "division by zero", "line": 5}
    assert runner.load("assert x == 1 and 'y' not in globals()", 1, 10) is None
    assert server.runner().load("x", 1, 10)["type"] == "NameError"
    assert runner.answer("output_size", [], 0, 10)[0]["problem"]["type"] == "missing"
    runner.load("def output_size(size, layers): return size + len(layers)", 1, 10)
    questions = [{"size": 3, "layers": []}, {"size": 4, "layers": [1]}, {"size": None, "layers": []}]
    first, second, third = runner.answer("output_size", questions, 0, 10)
    assert (first, second) == ({"value": 3}, {"value": 5}) and third["problem"]["type"] == "TypeError"


@pytest.mark.parametrize(("spent", "seconds", "timed_out"), [(1.4, 2.5, True), (0, 5, False)])
def test_a_kill_in_the_second_half_of_the_time_counts_as_the_limit(server, spent, seconds, timed_out):
    """On a busy machine the kernel, which counts ticks, kills early: as if the answer had lowered its own limit."""
    code = f"""
import resource, time
while time.process_time() < {spent}:
    pass
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
while True:
    pass
"""
    with pytest.raises(WorkerGone) as gone:
        server.runner().load(code, 1, seconds)
    assert gone.value.timed_out is timed_out


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(process):
    """Whether a process ends: soon, and a test has time."""
    for _ in range(600):
        if not is_alive(process):
            return True
        time.sleep(0.1)
    return False


def child_of(process):
    """Its first child, when it has one."""
    for _ in range(600):
        if child := next(descendants(process), None):
            return child
        time.sleep(0.1)
    pytest.fail(f"{process} has no child")


def test_a_server_that_died_is_started_anew_and_the_same_code_and_seed_give_the_same_reply(server):
    code = """
import random, numpy, torch
def output_size(size, layers):
    print(hash("x"))
    return [random.random(), numpy.random.rand(), torch.rand(3), hash("x"), (torch.rand(99, 99) @ torch.rand(99)).sum()]
"""

    def reply(runner):
        return messages.pack(runner.answer("output_size", [{"size": 1, "layers": []}] * 2, 5, 10))

    runners = [server.runner(), server.runner()]
    assert [runner.load(code, 1, 10) for runner in runners] == [None, None]
    replies = [reply(runner) for runner in runners]
    first = child_of(server.process.pid)
    os.kill(first, signal.SIGKILL)
    replies.append(reply(runners[0]))
    assert gone(first) and child_of(server.process.pid) != first
    assert replies[0] == replies[1] == replies[2]


def test_a_sandbox_that_is_closed_is_gone_even_if_it_stands_still():
    with altered(COLD) as server:
        server.start()
        inner = child_of(server.process.pid)
        assert is_alive(inner)
        os.kill(inner, signal.SIGSTOP)
    assert gone(inner)


def test_a_sandbox_ends_with_its_judge():
    code = f"""
from course_tools.grading import sandbox
server = sandbox.ForkServer()
server.program = ("-c", {program_of(LUKEWARM)!r})
server.run({{"cells": []}}, 60)
print(server.process.pid, flush=True)
server.run({{"cells": [("import time; time.sleep(600)", 1)]}}, 600)
"""
    judge = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        outer = int(judge.stdout.readline())
        family = [outer]
        for _ in range(3):  # the fork server, the process that watches over the answer, the answer
            family.append(child_of(family[-1]))
    finally:
        judge.kill()
        judge.wait()
        judge.stdout.close()
    assert all(map(gone, family))


# Where there can be none


def test_a_machine_passes_the_check_where_every_package_can_be_read(server, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "ForkServer", lambda: contextlib.nullcontext(server))
        sandbox.check()
    shown = [path for path in sandbox.packages() if Path(path).name != "torch"]
    cold = altered(COLD)
    monkeypatch.setattr(sandbox, "packages", lambda: shown)
    monkeypatch.setattr(sandbox, "ForkServer", lambda: cold)
    with pytest.raises(CourseError, match="No module named 'torch'"):
        sandbox.check()


REFUSE = "def refuse(*_): raise OSError('not this')\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (f"{REFUSE}fork_server._call = refuse", "not this"),  # namespaces and mounts
        (f"{REFUSE}fork_server.filter_calls = refuse", "not this"),
        ("raise SystemExit", "the fork server ended"),
        ("fork_server.confine = lambda *_: fork_server.os._exit(0)", "ended before it began"),
    ],
)
def test_where_there_can_be_no_sandbox_nothing_is_run(change, reason, tmp_path):
    with altered(COLD, change) as server, pytest.raises(CourseError, match=reason) as refused:
        server.runner().load(f"open({str(tmp_path / 'ran')!r}, 'w')", 1, 10)
    assert "--i-trust-this-code" in str(refused.value) and "\n" not in str(refused.value)
    assert server.process is None and not (tmp_path / "ran").exists()


def test_bubblewrap_that_is_missing_or_refuses_is_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CourseError, match=r"^bubblewrap is missing.*apt install bubblewrap"):
        sandbox.check()
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho bwrap: setting up uid map: Permission denied >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    with pytest.raises(CourseError, match=r"on this machine: bwrap: setting up uid map: Permission denied\. .*sysctl"):
        sandbox.check()


# What holds where the filter on system calls does not


@pytest.fixture(scope="module")
def unfiltered(bubblewrap):
    """``unfiltered(code)``: what a child finds out without a filter. Whatever it does, nothing is left of it."""
    with altered(LUKEWARM, NO_FILTER) as server:
        server.run({"cells": []}, 10)
        family = set(descendants(server.process.pid))
        assert len(family) == 1

        def of(code):
            text = found(server, code)
            assert set(descendants(server.process.pid)) == family
            return text

        yield of


REFUSED = """
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *words):
    if getattr(libc, name)(*words) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def refused(act):
    try:
        act()
    except OSError as error:
        return error.strerror or str(error)
    return "done"
"""


def test_a_fork_bomb_of_daemons_is_bounded_and_nothing_is_left_of_it(unfiltered):
    code = """
found = 0
for _ in range(500):
    try:
        child = os.fork()
    except OSError:
        break
    if not child:
        try:
            os.setsid()
            time.sleep(0 if os.fork() else 600)
        finally:
            os._exit(0)
    found += 1
"""
    assert 0 < int(unfiltered(code)) <= fork_server.THREADS


def test_signals_reach_nobody(unfiltered):
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
    assert unfiltered(code) == "(0, 1)"


def test_there_is_no_network(unfiltered, tmp_path):
    address = f"\0{tmp_path}"  # an abstract one, which needs no file
    with socket.create_server(("127.0.0.1", 0)) as port, socket.socket(socket.AF_UNIX) as local:
        local.bind(address)
        local.listen()
        code = f"""{REFUSED}
found = [
    refused(lambda: socket.create_connection(("127.0.0.1", {port.getsockname()[1]}), 1)),
    refused(lambda: socket.create_connection(("1.1.1.1", 53), 1)),
    refused(lambda: socket.socket(socket.AF_UNIX).connect({address!r})),
    socket.if_nameindex(),
]
"""
        unreachable, refused = {"Network is unreachable", "Connection refused"}, "Connection refused"
        first, second, third, interfaces = eval(unfiltered(code))
        assert {first, second} <= unreachable and third == refused and interfaces == [(1, "lo")]


def test_shared_memory_does_not_outlive_its_question(unfiltered):
    code = """
libc = ctypes.CDLL(None)
found = libc.shmget(4242, 4096, 0o600) == -1, libc.shmget(4242, 4096, 0o1600) >= 0
"""
    assert [unfiltered(code), unfiltered(code)] == ["(True, True)"] * 2


@pytest.mark.parametrize("own_namespace", [False, True])
def test_nothing_can_be_mounted_changed_or_taken_on(unfiltered, own_namespace):
    code = f"""{REFUSED}
if {own_namespace}:
    refused(lambda: call("unshare", 0x10000000 | 0x20000))
found = [
    refused(lambda: call("mount", b"none", b".", b"proc", 0, None)),
    refused(lambda: call("mount", None, b"/", None, 32 | 4096, None)),
    refused(lambda: call("umount2", b"/dev/null", 2)),
    refused(lambda: open(os.__file__, "a")),
    refused(lambda: open("/x", "w")),
    refused(lambda: os.execv("/bin/sh", ["sh"])),
    refused(lambda: os.execv("/usr/bin/env", ["env"])),
    "done" if os.path.exists({str(Path(__file__).parent)!r}) else "",
    "" if {own_namespace} else refused(lambda: os.chroot(".")) or refused(lambda: os.setuid(0)),
]
"""
    assert "done" not in eval(unfiltered(code))


def test_the_scratch_folder_is_bounded_and_empty_again(unfiltered):
    code = f"""{REFUSED}
def fill():
    for number in range(100):
        with open(str(number), "wb") as file:
            file.write(bytes(2**22))
found = [os.listdir("."), refused(fill)]
"""
    assert [eval(unfiltered(code)) for _ in range(2)] == [[[], "No space left on device"]] * 2

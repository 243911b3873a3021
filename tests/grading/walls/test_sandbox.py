"""What a student's code has around it, what becomes of it, and what happens where there can be no sandbox."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from altered import COLD, LUKEWARM, altered, code_of

import course_lib
from checks import messages
from checks.process import WorkerGone
from course_lib.errors import CourseError
from course_tools.grading.walls import linux, sandbox, sandboxed, visible

PACKAGE = Path(course_lib.__file__).parent


@pytest.fixture(scope="module")
def zygote():
    with sandboxed.Zygote() as zygote:
        yield zygote


def told(zygote, code, seconds=10):
    """What code in a child finds out: it names it ``found``."""
    code = f"import ctypes, os, resource, sys, time\n{code}\nraise ValueError(found)"
    problem = zygote.runner().load(code, 1, seconds)
    assert problem["type"] == "ValueError", problem
    return problem["text"]


def test_the_file_system_is_empty_but_for_python_and_what_answers_may_import(zygote):
    code = "found = sorted(os.listdir('/'))"
    tops = {Path(path).parts[1] for path in (*visible.installed(), str(PACKAGE))}
    assert set(eval(told(zygote, code))) <= {*tops, "dev", visible.SCRATCH[1:]}
    root, assignment = PACKAGE.parent, PACKAGE.parent / "assignments" / "cifar10"
    assert set(eval(told(zygote, f"found = os.listdir({str(root)!r})"))) <= {"assignments", "course_tools", ".venv"}
    assert eval(told(zygote, f"found = os.listdir({str(assignment)!r})")) == ["checks"]
    assert told(zygote, "found = sorted(os.listdir('/dev'))") == "['null', 'random', 'urandom', 'zero']"
    assert told(zygote, "found = os.path.exists('/proc'), os.listdir('.')") == "(False, [])"


def test_only_packages_that_answers_need_are_installed_there(zygote):
    code = "import torch; found = ' '.join(sorted(os.listdir(os.path.dirname(torch.__path__[0]))))"
    packages = told(zygote, code).split()
    assert {"torch", "numpy", "safetensors"} <= set(packages)
    assert not {"pip", "pytest", "_pytest", "joblib", "jupytext", "papermill"} & set(packages)


def test_all_that_an_answer_may_import_can_be_imported(zygote):
    names = "bz2 csv ctypes decimal fractions hashlib itertools json lzma math random re sqlite3 ssl statistics zlib"
    names += " numpy.fft numpy.linalg numpy.random torch.nn.utils torch.utils.data torch.optim.lr_scheduler unittest"
    code = f"import importlib\nfor name in {names.split()}: importlib.import_module(name)\nfound = 'all'"
    assert told(zygote, code) == "all"


def test_the_process_has_no_rights_and_no_way_back(zygote):
    code = """
libc = ctypes.CDLL(None)
libc.syscall(126, (ctypes.c_uint32 * 2)(0x20080522, 0), sets := (ctypes.c_uint32 * 6)())
bounds = sum(libc.prctl(23, one, 0, 0, 0) for one in range(41))
found = os.getpid(), os.getppid(), sum(sets), bounds, libc.prctl(39, 0, 0, 0, 0), libc.prctl(21, 0, 0, 0, 0)
"""
    numbers = {"x86_64": 125, "aarch64": 90}  # capget
    code = code.replace("126", str(numbers[os.uname().machine]))
    assert told(zygote, code) == "(1, 0, 0, 0, 1, 2)"  # first of its namespace, nothing, no new privileges, a filter
    user = int(told(zygote, "found = os.getuid()"))
    assert user not in (0, os.getuid()) and told(zygote, "found = os.getgid()") == str(user)


def test_limits(zygote):
    code = "found = [resource.getrlimit(getattr(resource, 'RLIMIT_' + name)) for name in {!r}]"
    names = ("CPU", "NPROC", "FSIZE", "NOFILE", "CORE")
    most = (7, sandbox.THREADS, sandbox.REPLY, sandbox.DESCRIPTORS, 0)
    assert eval(told(zygote, code.format(names), seconds=6.5)) == [(one, one) for one in most]
    memory = eval(told(zygote, code.format(("AS",))))[0][1]
    assert sandbox.MEMORY < memory < sandbox.MEMORY + 2**36  # beside what torch takes, which depends on its build


def test_the_environment_and_descriptors(zygote, monkeypatch):
    environment = eval(told(zygote, "found = sorted(os.environ)"))
    assert set(environment) <= {*sandboxed._environment(), "LC_CTYPE"}
    code = """
found = []
for number in range(1000):
    try:
        found.append((number, os.fstat(number).st_size))
    except OSError:
        pass
"""
    assert told(zygote, code) == "[(0, 0), (1, 0), (2, 0), (3, 0)]"


def test_cells_are_loaded_in_order_and_only_those_that_load(zygote):
    runner = zygote.runner()
    assert runner.load("x = 1", 1, 10) is None
    assert runner.load("y = x / 0", 5, 10) == {"type": "ZeroDivisionError", "text": "division by zero", "line": 5}
    assert runner.load("assert x == 1 and 'y' not in globals()", 1, 10) is None
    assert zygote.runner().load("x", 1, 10)["type"] == "NameError"


def test_an_answer(zygote):
    runner = zygote.runner()
    assert runner.answer("output_size", [], 0, 10)[0]["problem"]["type"] == "missing"
    runner.load("def output_size(size, layers): return size + len(layers)", 1, 10)
    questions = [{"size": 3, "layers": []}, {"size": 4, "layers": [1]}, {"size": None, "layers": []}]
    first, second, third = runner.answer("output_size", questions, 0, 10)
    assert (first, second) == ({"value": 3}, {"value": 5}) and third["problem"]["type"] == "TypeError"


def test_a_kill_in_the_second_half_of_the_time_is_taken_for_the_limit(zygote):
    """On a busy machine the kernel, which counts ticks, kills early: as if the answer had lowered its own limit."""
    code = """
import resource, time
while time.process_time() < {}:
    pass
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
while True:
    pass
"""
    for spent, seconds, timed_out in ((1.4, 2.5, True), (0, 5, False)):
        with pytest.raises(WorkerGone) as gone:
            zygote.runner().load(code.format(spent), 1, seconds)
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
        if children := Path(f"/proc/{process}/task/{process}/children").read_text().split():
            return int(children[0])
        time.sleep(0.1)
    pytest.fail(f"{process} has no child")


def test_a_zygote_that_died_is_started_anew_and_the_same_code_and_seed_give_the_same_reply(zygote):
    code = """
import random, numpy, torch
def output_size(size, layers):
    print(hash("x"))
    return [random.random(), numpy.random.rand(), torch.rand(3), hash("x"), (torch.rand(99, 99) @ torch.rand(99)).sum()]
"""

    def reply(runner):
        return messages.pack(runner.answer("output_size", [{"size": 1, "layers": []}] * 2, 5, 10))

    runners = [zygote.runner(), zygote.runner()]
    assert [runner.load(code, 1, 10) for runner in runners] == [None, None]
    replies = [reply(runner) for runner in runners]
    first = child_of(zygote.process.pid)
    os.kill(first, signal.SIGKILL)
    replies.append(reply(runners[0]))
    assert gone(first) and child_of(zygote.process.pid) != first
    assert replies[0] == replies[1] == replies[2]


def test_a_zygote_that_is_closed_is_gone():
    with altered(COLD) as zygote:
        zygote._start()
        inner = child_of(zygote.process.pid)
        assert is_alive(inner)
    assert gone(inner)


def test_a_zygote_ends_with_its_judge():
    code = f"""
from course_tools.grading.walls import sandboxed
zygote = sandboxed.Zygote()
zygote.command = (*zygote.command[:1], "-c", {code_of(LUKEWARM)!r})
zygote.ask({{"cells": []}}, 60)
print(zygote.process.pid, flush=True)
zygote.ask({{"cells": [("import time; time.sleep(600)", 1)]}}, 600)
"""
    judge = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        outer = int(judge.stdout.readline())
        inner = child_of(outer)
        asleep = child_of(inner)
    finally:
        judge.kill()
        judge.wait()
        judge.stdout.close()
    assert gone(asleep) and gone(inner) and gone(outer)


def test_a_zygote_that_stands_still_is_killed(monkeypatch):
    monkeypatch.setattr(sandboxed, "_GRACE", 0.1)
    with altered(COLD) as zygote:
        zygote._start()
        inner = child_of(zygote.process.pid)
        os.kill(inner, signal.SIGSTOP)
    assert gone(inner)


def test_a_machine_that_can_do_it_passes_the_check(zygote, monkeypatch):
    monkeypatch.setattr(sandboxed, "Zygote", lambda: contextlib.nullcontext(zygote))
    sandboxed.check()


def test_a_machine_whose_packages_cannot_be_read_does_not(monkeypatch):
    change = (
        "installed = visible.installed\nvisible.installed = lambda: [one for one in installed() if 'torch' not in one]"
    )
    without_torch = altered(LUKEWARM, change)
    monkeypatch.setattr(sandboxed, "Zygote", lambda: without_torch)
    with pytest.raises(CourseError, match=r"cannot import wave, .*No module named 'torch.nn.utils.prune'"):
        sandboxed.check()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("def refuse(*_): raise PermissionError('no unshare')\nlinux.unshare = refuse", "no unshare"),
        ("def refuse(*_): raise OSError('no mounts')\nvisible.show_only = refuse", "no mounts"),
        ("def refuse(*_): raise OSError('no limits')\nsandbox._limit = refuse", "no limits"),
        ("def refuse(*_): raise OSError('no filter')\nseccomp.install = refuse", "no filter"),
        ("raise SystemExit", "the process that makes the sandboxes ended"),
        ("import os\nsandbox.confine = lambda *_: os._exit(0)", "ended before it began"),
    ],
)
def test_where_there_can_be_no_sandbox_nothing_is_run(change, said, tmp_path):
    with altered(COLD, change) as zygote, pytest.raises(CourseError, match=said) as refused:
        zygote.runner().load(f"open({str(tmp_path / 'ran')!r}, 'w')", 1, 10)
    assert "--i-trust-this-code" in str(refused.value) and "\n" not in str(refused.value)
    assert zygote.process is None and not (tmp_path / "ran").exists()


@pytest.mark.parametrize("where", [("Darwin", "arm64"), ("Windows", "AMD64"), ("Linux", "riscv64")])
def test_another_system_refuses(monkeypatch, where):
    monkeypatch.setattr(linux.platform, "system", lambda: where[0])
    monkeypatch.setattr(linux.platform, "machine", lambda: where[1])
    with pytest.raises(CourseError, match="needs Linux, on an x86-64 or ARM"):
        sandboxed.check()


def test_a_kernel_without_namespaces_refuses():
    """As in a container: this process gives up the right to make any, and then asks."""
    code = """
import os
from pathlib import Path
from course_lib.errors import CourseError
from course_tools.grading.walls import linux, sandboxed
user, group = os.getuid(), os.getgid()
linux.unshare(linux.NEWUSER)
Path("/proc/self/setgroups").write_text("deny")
Path("/proc/self/uid_map").write_text(f"0 {user} 1")
Path("/proc/self/gid_map").write_text(f"0 {group} 1")
Path("/proc/sys/user/max_user_namespaces").write_text("0")
linux.forbid_new_privileges()
linux.drop_capabilities()
try:
    sandboxed.check()
except CourseError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.stdout.startswith("Students' code cannot be kept apart on this machine"), said
    assert "unshare" in said.stdout and "sysctl" in said.stdout

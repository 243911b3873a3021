"""A sandbox for code that is not trusted: bubblewrap around a process that forks a child for each part of an answer.

This is the judge's end. What a child replies is read here, as data, from a file that it could fill with anything. How
it ended comes from :mod:`course_tools.grading.fork_server`, in which no student's code runs.
"""

import importlib.metadata
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import course_lib
from checks import messages
from checks.process import ENDED, NO_REPLY, TOO_LONG, WorkerGone
from course_lib import errors
from course_lib.errors import CourseError
from course_tools.grading import fork_server
from course_tools.grading.fork_server import LIMITS, REPLY, SCRATCH

_START = 300.0  # seconds in which the fork server imports torch, on a machine that is busy
_PATIENCE = 3  # an answer may take this many times its limit by the clock: other work may be going on
_GRACE = 60.0  # seconds after that in which the fork server should have ended a child
_NOBODY = 65534
_USERS = range(61_184, 65_520)  # systemd's for users that come and go: no account has one of these
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")  # the libraries that Python needs
_LIBRARY = Path(course_lib.__file__).parent  # only its errors are shown: what else it computes would be answers
_DEVICES = ("null", "zero", "random", "urandom")
_RARE = "wave, numpy.polynomial, torch.nn.utils.prune"  # what nothing has imported before
_NOTHING: dict[str, Any] = {"cells": []}  # a request that no student has a part in
_READING = 10.0  # seconds in which a file that a student wrote should be read
# Where memory is short, the sandbox ends first, and not the judge.
_EXPENDABLE = ("sh", "-c", 'echo 1000 2>/dev/null >/proc/self/oom_score_adj; exec "$@"', "sh")


def check() -> None:
    """Raise CourseError where this machine cannot keep students' code apart: what is missing, and what can be done."""
    with ForkServer() as server:
        problem = server.runner().load(f"import {_RARE}", 1, 30)
    if problem:
        raise _refusal(f"in the sandbox, Python cannot import {_RARE} ({problem['text']}); may every user read them?")


class ForkServer:
    """A sandbox with a process that forks a child for each part, from its first use until it is closed.

    One for each process that judges: it serves one request at a time, and any number of submissions.
    """

    program = (fork_server.__file__,)

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> "ForkServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def runner(self) -> "Sandboxed":
        """A runner for one submission: what :func:`checks.marking.mark` takes as ``start``."""
        return Sandboxed(self)

    def close(self) -> str:
        """End the sandbox and everything in it. Returns the last line that it wrote to its standard error."""
        if self.process is None:
            return ""
        self.process.kill()
        written = self.process.communicate()[1].decode(errors="replace").strip()
        self._control.close()
        self.process = self._control = None
        return written.rpartition("\n")[2]

    def run(self, request: dict[str, Any], seconds: float, text: int = messages.TEXT) -> Any:
        """What a child replies to a request: any value that can travel, with so many bytes of text at most.

        Raises: WorkerGone where it gives none; CourseError where no child can be made, for no fault of the student's.
        """
        message = messages.pack(request)
        outcome, blob = self._exchange(message, seconds)
        if outcome["problem"] is not None:  # try once more, from a fresh start
            self.close()
            outcome, blob = self._exchange(message, seconds)
        if outcome["problem"] is not None:
            self.close()
            if request != _NOTHING:
                self.run(_NOTHING, seconds)
                raise WorkerGone(ENDED)  # the sandbox works, but not with this request
            raise _refusal(outcome["problem"])
        if outcome["late"]:
            raise WorkerGone(TOO_LONG.format(seconds), timed_out=True)
        if len(blob) >= REPLY:
            raise WorkerGone(f"its reply is larger than {REPLY // 2**20} MB.")
        if outcome["status"] or not blob:
            raise WorkerGone(ENDED)
        try:
            return messages.unpack(blob, text)
        except messages.MessageError:
            raise WorkerGone(NO_REPLY) from None

    def read(self, copy: Path, name: str) -> dict[str, Any]:
        """:func:`fork_server.contents`, in a child, for a text can be made that takes hours or all memory to parse.

        Raises: WorkerGone where it cannot be read, CourseError as :meth:`run` does.
        """
        files = {name: np.fromfile(copy / name, np.uint8)} if (copy / name).exists() else {}
        return self.run({"files": files, "read": name}, _READING, messages.MAXIMUM)

    def _exchange(self, request: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        if self.process is None:
            self.start()
        question, reply = os.memfd_create("request"), os.memfd_create("reply")
        try:
            os.write(question, request)
            try:
                socket.send_fds(self._control, [LIMITS.pack(seconds, _PATIENCE * seconds)], [question, reply])
            except OSError:
                return {"problem": "the fork server ended"}, b""
            return self._receive(_PATIENCE * seconds + _GRACE), os.pread(reply, REPLY, 0)
        except BaseException:  # such as Ctrl-C: what comes later would be taken for the next answer's end
            self.close()
            raise
        finally:
            os.close(question)
            os.close(reply)

    def start(self) -> None:
        """Start the sandbox. Raises CourseError where there is none on this machine."""
        bwrap = shutil.which("bwrap")
        if not bwrap:
            raise CourseError(
                "bubblewrap is missing, which keeps students' code apart: apt install bubblewrap (Linux only). "
                "Only for code that you trust: --i-trust-this-code."
            )
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [*_EXPENDABLE, bwrap, *_options(self.program)],
                cwd="/",
                env=environment(),
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the judge
            )
        problem = self._receive(_START)["problem"]
        if problem:
            raise _refusal(self.close() or problem)

    def _receive(self, patience: float) -> dict[str, Any]:
        self._control.settimeout(patience)
        try:
            content = self._control.recv(2**16)
        except OSError:
            content = b""
        return json.loads(content) if content else {"problem": "the fork server ended, or stands still"}


def _refusal(problem: str) -> CourseError:
    return CourseError(
        f"Students' code cannot be kept apart on this machine: {' '.join(problem.split())}. It takes Linux with "
        "bubblewrap and libseccomp (apt install bubblewrap libseccomp2), and either a superuser or user namespaces (on "
        "Ubuntu: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0). Only for code that you trust: "
        "--i-trust-this-code."
    )


def _options(program: tuple[str, ...]) -> list[str]:
    """bubblewrap's words to run a Python program with no network, no rights, and only files that it needs."""
    root = os.getuid() == 0
    user = _USERS[os.getpid() % len(_USERS)] if root else _NOBODY  # limits on processes count by user
    python = os.path.realpath(sys._base_executable)
    return [
        *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--hostname", "sandbox"),
        *([] if root else ["--unshare-user", "--uid", f"{user}", "--gid", f"{user}"]),
        # The fork server needs these for its children's own namespaces; a student's code has none of them.
        *("--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"),
        *(["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_KILL"] if root else []),
        *("--as-pid-1", "--die-with-parent", "--new-session", "--chdir", "/"),
        *_visible(python),
        *("--tmpfs", SCRATCH, "--remount-ro", "/"),
        *(python, "-P", "-S", *program, f"{user}"),
    ]


def _visible(python: str) -> Iterator[str]:
    """bubblewrap's words for all that the sandbox can see: read-only, each where it lies."""
    library = Path(sys.base_prefix, "lib")
    binds = [*_SYSTEM, str(library), python, fork_server.__file__, course_lib.__file__, errors.__file__]
    sites = [
        site for folder in (Path("/usr/lib"), Path("/usr/lib64"), library) for site in folder.glob("python*/*-packages")
    ]
    devices = [f"/dev/{name}" for name in _DEVICES]
    parents = {parent for path in (*binds, *packages(), *devices) for parent in Path(path).parents[:-1]}
    for folder in sorted(parents):  # else bubblewrap makes them for their owner alone
        yield from ("--dir", str(folder))
    for path in (*binds, "/proc", "/sys"):
        yield from ("--ro-bind-try", path, path)
    for site in sites:  # of other packages, only some are shown
        yield from ("--tmpfs", str(site))
    for path in packages():
        yield from ("--ro-bind", path, path)
    for path in devices:
        yield from ("--dev-bind", path, path)


@cache
def packages() -> list[str]:
    """The worker's package, and the files and folders of all that it requires, directly or not; not the library."""
    waiting, paths = ["torch", "numpy", "safetensors"], {str(Path(messages.__file__).parent)}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # one that this system does not need
            continue
        waiting += [re.split(r"[^\w.-]", words)[0] for words in distribution.requires or () if "extra ==" not in words]
        tops = {file.parts[0] for file in distribution.files or (Path(name),)} - {"..", "__pycache__"}
        paths |= {str(path) for top in tops if (path := Path(distribution.locate_file(top))).exists()}
    return sorted(paths)


def environment() -> dict[str, str]:
    """All that a student's code finds of the environment."""
    kept = {"LD_LIBRARY_PATH": os.environ["LD_LIBRARY_PATH"]} if "LD_LIBRARY_PATH" in os.environ else {}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    folders = dict.fromkeys(("HOME", "TMPDIR", "TORCHINDUCTOR_CACHE_DIR"), SCRATCH)
    path = os.pathsep.join(dict.fromkeys(str(Path(path).parent) for path in (*packages(), _LIBRARY)))
    python = {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **threads, **folders, **python, "PATH": os.defpath, "LANG": "C.UTF-8"}


class Sandboxed:
    """Runs a student's cells. Each request goes to a child of its own, which loads the cells that did load before."""

    def __init__(self, server: ForkServer):
        self._server = server
        self._cells: list[tuple[str, int]] = []

    def load_all(self, cells: list[tuple[str, int]], seconds: float) -> bool:
        """Try all cells in one child. Returns whether each of them loads. Raises WorkerGone."""
        if loaded := _field(self._server.run({"cells": cells}, seconds), "loaded") is True:
            self._cells = cells
        return loaded

    def load(self, source: str, line: int, seconds: float) -> dict[str, Any] | None:
        """Try one cell, after those before. Returns its problem, or None. Raises WorkerGone."""
        cells = [*self._cells, (source, line)]
        problem = _field(self._server.run({"cells": cells}, seconds), "problem")
        if problem is None:
            self._cells = cells
        elif not isinstance(problem, dict) or not problem:
            raise WorkerGone(NO_REPLY)
        return problem

    def answer(self, key: str, questions: list[dict[str, Any]], seed: int, seconds: float) -> list[dict[str, Any]]:
        """Put the questions of one part. Returns the replies, as :meth:`worker.Answers.answer`. Raises WorkerGone."""
        request = {"cells": self._cells, "key": key, "questions": questions, "seed": seed}
        return _field(self._server.run(request, seconds), "replies")

    def stop(self) -> None:
        """Nothing of the student's is left running; the fork server serves the next one."""


def _field(reply: Any, name: str) -> Any:
    if not isinstance(reply, dict) or name not in reply:
        raise WorkerGone(NO_REPLY)
    return reply[name]

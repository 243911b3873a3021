"""The judge's end of the sandbox: a zygote, and runners that have it run a student's cells.

What a child replies is read here, as data, from a file that it could fill with anything. What the zygote says of it is
trusted: no student's code runs there.
"""

import contextlib
import json
import os
import site
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import course_lib
from checks import messages
from checks.process import ENDED, NO_REPLY, TOO_LONG, WorkerGone
from course_lib.errors import CourseError
from course_tools.grading.walls import linux
from course_tools.grading.walls.sandbox import REPLY
from course_tools.grading.walls.visible import SCRATCH
from course_tools.grading.walls.zygote import LIMITS

_START = 300.0  # seconds in which a zygote imports torch, on a machine that is busy
_PATIENCE = 3  # an answer may take this many times its limit by the clock: other work may be going on
_GRACE = 60.0  # seconds after that in which a zygote should have ended a child
_RARE = "wave, numpy.polynomial, torch.nn.utils.prune"  # what nothing has imported before
_KEPT = ("LD_LIBRARY_PATH",)  # without it some Pythons do not start


def check() -> None:
    """Raise CourseError where this machine cannot keep students' code apart: what is missing, and what can be done."""
    with Zygote() as zygote:
        problem = zygote.runner().load(f"import {_RARE}", 1, 30)
    if problem:
        raise _refusal(f"in the sandbox, Python cannot import {_RARE} ({problem['text']}); may every user read them?")


class Zygote:
    """A process that makes a child for each part, from its first use until it is closed; see :mod:`.zygote`.

    One for each process or thread that judges: it serves one question at a time, and any number of submissions.
    """

    command = (sys.executable, "-m", "course_tools.grading.walls.zygote")

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> "Zygote":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def runner(self) -> "Sandboxed":
        """A runner for one submission: what :func:`checks.marking.mark` takes as ``start``."""
        return Sandboxed(self)

    def close(self) -> None:
        """End the process and all its children."""
        if self.process is not None:
            self._control.close()
            try:
                self.process.wait(timeout=_GRACE)  # it ends by itself when the socket is closed
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = self._control = None

    def ask(self, request: dict[str, Any], seconds: float) -> Any:
        """What a child replies to a request: any value that can travel.

        Raises: WorkerGone where it gives none; CourseError where no child can be made, for no fault of the student's.
        """
        outcome, blob = self._exchange(messages.pack(request), seconds)
        if outcome["problem"] is not None:  # try once more, from a fresh start
            self.close()
            outcome, blob = self._exchange(messages.pack(request), seconds)
        if outcome["problem"] is not None:
            self.close()
            raise _refusal(outcome["problem"])
        if outcome["late"]:
            raise WorkerGone(TOO_LONG.format(seconds), timed_out=True)
        if len(blob) >= REPLY:
            raise WorkerGone(f"its reply is larger than {REPLY // 2**20} MB.")
        if outcome["status"] or not blob:
            raise WorkerGone(ENDED)
        try:
            return messages.unpack(blob)
        except messages.MessageError:
            raise WorkerGone(NO_REPLY) from None

    def _exchange(self, request: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        if self.process is None:
            self._start()
        asked, replied = linux.memory_file("request"), linux.memory_file("reply")
        try:
            with open(asked, "wb", closefd=False) as file:
                file.write(request)
            limits = LIMITS.pack(seconds, _PATIENCE * seconds)
            with contextlib.suppress(OSError):  # the zygote has gone: what it tells is nothing, then
                socket.send_fds(self._control, [limits], [asked, replied])
            return self._told(_PATIENCE * seconds + _GRACE), os.pread(replied, REPLY, 0)
        except BaseException:  # such as Ctrl-C: what is told later would be taken for the next answer's end
            self.close()
            raise
        finally:
            os.close(asked)
            os.close(replied)

    def _start(self) -> None:
        if not linux.is_known():
            raise _refusal("it needs Linux, on an x86-64 or ARM processor of 64 bits")
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                self.command,
                cwd=Path(course_lib.__file__).parents[1],
                env=_environment(),
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the judge
            )
        if problem := self._told(_START)["problem"]:
            self.close()
            raise _refusal(problem)

    def _told(self, patience: float) -> dict[str, Any]:
        self._control.settimeout(patience)
        try:
            said = self._control.recv(2**16)
        except OSError:
            said = b""
        return json.loads(said) if said else {"problem": "the process that makes the sandboxes ended, or stands still"}


def _refusal(problem: str) -> CourseError:
    return CourseError(
        f"Students' code cannot be kept apart on this machine: {problem}. It takes Linux 5.12 or newer, and either a "
        "superuser who may make namespaces or user namespaces that anybody may make (on Ubuntu: sudo sysctl "
        "kernel.apparmor_restrict_unprivileged_userns=0). Only for code that you trust: --i-trust-this-code."
    )


def _environment() -> dict[str, str]:
    """All that a student's code finds of the environment."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if site.ENABLE_USER_SITE:
        kept["PYTHONUSERBASE"] = site.getuserbase()  # where it would not be found: home is elsewhere
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    home = dict.fromkeys(("HOME", "TMPDIR"), SCRATCH)
    return {**kept, **threads, **home, "PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}


class Sandboxed:
    """Runs a student's cells. Each request goes to a child of its own, which loads the cells that did load before."""

    def __init__(self, zygote: Zygote):
        self._zygote = zygote
        self._cells: list[tuple[str, int]] = []

    def load(self, source: str, line: int, seconds: float) -> dict[str, Any] | None:
        """Try one cell, after those before. Returns its problem, or None. Raises WorkerGone."""
        cells = [*self._cells, (source, line)]
        reply = self._zygote.ask({"cells": cells}, seconds)
        problem = _one(reply, "problem")
        if problem is None:
            self._cells = cells
        elif not isinstance(problem, dict) or not problem:
            raise WorkerGone(NO_REPLY)
        return problem

    def answer(self, key: str, questions: list[dict[str, Any]], seed: int, seconds: float) -> list[dict[str, Any]]:
        """Put the questions of one part. Returns the replies, as :meth:`worker.Answers.answer`. Raises WorkerGone."""
        request = {"cells": self._cells, "key": key, "questions": questions, "seed": seed}
        return _one(self._zygote.ask(request, seconds), "replies")

    def stop(self) -> None:
        """Nothing of the student's is left running; the zygote serves the next one."""


def _one(reply: Any, wanted: str) -> Any:
    if not isinstance(reply, dict) or wanted not in reply:
        raise WorkerGone(NO_REPLY)
    return reply[wanted]

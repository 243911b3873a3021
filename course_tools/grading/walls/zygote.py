"""The parent of all processes that run students' code: has torch in memory, so that each of them starts at once.

Run as ``python -m course_tools.grading.walls.zygote``, with a socket as its standard input. Through it come, for each
part that is asked, two limits and two descriptors: of a file with the request, and of an empty one for the reply. A
child of its own reads the one and writes the other. This process sees neither, so a later child cannot find in its
memory what an earlier one was asked or said. It answers how the child ended. It runs no student's code, and knows no
reference and no seed.
"""

import importlib
import json
import os
import random
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from course_tools.grading.walls import linux, sandbox, visible

LIMITS = struct.Struct("!dd")  # seconds of processor time, seconds by the clock
_BEGUN = b"begun"
# Of the standard library, what needs libraries of the system: it is loaded while they can be seen.
_NEED_LIBRARIES = ("bz2", "ctypes", "decimal", "hashlib", "lzma", "sqlite3", "ssl", "uuid", "xml.parsers.expat", "zlib")


def main() -> None:
    """Go into the sandbox, import torch, say so, and serve until the socket is closed."""
    control = socket.socket(fileno=os.dup(0))
    try:
        owner = sandbox.enter()
        environment = dict(os.environ)
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = "/tmp"  # else torch makes a folder there for what it will never compile
        _warm_up()
        os.environ.clear()  # of what was set by packages, such as folders with a user's name
        os.environ.update(environment)
        memory = sandbox.MEMORY + _address_space()
        visible.show_only(visible.installed())
    except Exception as error:
        _tell(control, problem=f"{type(error).__name__}: {error}")
        return
    _tell(control, problem=None)
    Zygote(control, owner, memory).serve()


def _warm_up() -> None:
    """Do now what else the first answer would wait for. No gradient: after that, torch computes none in a child."""
    for name in _NEED_LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)
    import numpy.random  # noqa: F401
    import torch

    import checks.worker  # noqa: F401

    torch.set_num_threads(1)
    with torch.no_grad():
        torch.nn.Conv2d(3, 4, 3, padding=1)(torch.zeros(2, 3, 8, 8)).flatten(1) @ torch.zeros(256, 2)
    torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1).step()


def _address_space() -> int:
    """Bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _tell(control: socket.socket, **content: Any) -> None:
    with suppress(OSError):  # whoever asked is gone, and the next look at the socket says so
        control.send(json.dumps(content).encode())


class Zygote:
    """Makes a child for each part, and ends it."""

    def __init__(self, control: socket.socket, owner: sandbox.Owner, memory: int):
        self.control, self.owner, self.memory = control, owner, memory
        self.myself = linux.pidfd(os.getpid())

    def serve(self) -> None:
        """Answer until the socket is closed."""
        while True:
            limits, files, _, _ = socket.recv_fds(self.control, LIMITS.size, 2)
            if not limits:
                return
            try:
                outcome = self._outcome(*LIMITS.unpack(limits), *files)
            except OSError as error:
                outcome = {"problem": str(error)}
            finally:
                for file in files:
                    os.close(file)
            _tell(self.control, **outcome)

    def _outcome(self, seconds: float, patience: float, request: int, reply: int) -> dict[str, Any]:
        """Let a child answer. ``problem`` says why none could, for no fault of the student's; else how it ended."""
        reading, begin = os.pipe()
        with os.fdopen(reading, "rb") as begun:
            try:
                child = self._fork(seconds, request, reply, begin)
            finally:
                os.close(begin)
            late = not self._wait(child, patience)
            os.kill(child, signal.SIGKILL)
            _, status, used = os.wait4(child, 0)  # returns when all that the child may have started has ended, too
            said = begun.read()
        if said != _BEGUN:
            return {"problem": said.decode(errors="replace") or "its process ended before it began"}
        # The kernel counts its limit in ticks: on a busy machine it kills a child that has used up much less than that.
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        spent = used.ru_utime + used.ru_stime
        return {
            "problem": None,
            "status": os.waitstatus_to_exitcode(status),
            "late": late or (killed and spent > 0.5 * seconds),
        }

    def _fork(self, seconds: float, request: int, reply: int, begin: int) -> int:
        linux.unshare(linux.NEWPID)
        child = os.fork()
        if not child:
            self._answer(seconds, request, reply, begin)
        linux.setns(self.myself, linux.NEWPID)
        return child

    def _wait(self, child: int, patience: float) -> bool:
        """Whether the child ended in time. Ends this process, and so the child, where the judge has gone."""
        end = linux.pidfd(child)
        try:
            watched = select.poll()
            watched.register(end, select.POLLIN)
            watched.register(self.control, 0)  # a hang-up is always told
            ready = dict(watched.poll(patience * 1000))
        finally:
            os.close(end)
        if self.control.fileno() in ready:
            os._exit(0)
        return end in ready

    def _answer(self, seconds: float, request: int, reply: int, begin: int) -> NoReturn:
        """The child's whole life."""
        began = False
        try:
            reply, request, begin = sandbox.keep(reply, request, begin)
            sandbox.confine(self.owner, seconds, self.memory)
            asked = _read(request)
            os.close(request)
            os.write(begin, _BEGUN)  # from here on, what goes wrong is the student's
            os.close(begin)
            began = True
            _write(reply, _reply(asked))
            os._exit(0)
        except BaseException as error:
            if not began:
                os.write(begin, f"{type(error).__name__}: {error}".encode()[:1000])
        finally:
            os._exit(1)


def _read(file: int) -> Any:
    from checks import messages

    return messages.unpack(os.pread(file, os.fstat(file).st_size, 0))


def _reply(asked: dict[str, Any]) -> bytes:
    """Load the cells, and put the questions where there are any. What was loaded is gone with this process."""
    import numpy

    from checks import messages, worker

    sys.meta_path.insert(0, worker.NoCourse())
    random.seed(0)
    numpy.random.seed(0)
    answers, problem = worker.Answers(), None
    for source, line in asked["cells"]:
        problem = answers.load(source, line)
    if "key" not in asked:
        return messages.pack({"problem": problem})
    replies = answers.answer(asked["key"], asked["questions"], asked["seed"])
    try:
        return messages.pack({"replies": replies})
    except Exception as error:  # such as a tensor that says it has more elements than there is memory
        return messages.pack({"replies": [{"problem": worker.problem(error)}]})


def _write(file: int, blob: bytes) -> None:
    while blob:
        blob = blob[os.write(file, blob) :]


if __name__ == "__main__":
    main()

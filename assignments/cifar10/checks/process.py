"""Starts a worker, sends it requests, and ends it when it takes too long."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from checks import messages, worker

PATIENCE = 6 if worker.CAN_COUNT else 2  # seconds on the wall for one of processor time
STARTING = 60.0  # seconds that Python and torch may take to start, and to end
OUT_OF_TIME = -getattr(signal, "SIGPROF", 0) or None  # how a process ends that has used up its processor time
TOO_LONG = "it took longer than {:g} seconds. Is there a loop that never ends?"
ENDED = "it ended Python, by an exit or a crash. An answer should return or raise."
NO_REPLY = "what came back is no reply."


class WorkerGone(Exception):
    """The worker gave no reply. The text says why, for the student; ``timed_out`` is True where it took too long."""

    def __init__(self, text: str, timed_out: bool = False):
        super().__init__(text)
        self.timed_out = timed_out


class Worker:
    """One process that runs a student's cells.

    It limits its own processor time, so no answer fails because a machine is busy. The clock on the wall ends what
    waits for ever, and everything on systems without that limit.
    """

    def __init__(self) -> None:
        paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]  # the first is where this package lies
        self._process = subprocess.Popen(
            [sys.executable, "-m", "checks.worker"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._replies: queue.Queue[Any] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._wait("ready", STARTING)

    def load(self, source: str, line: int, seconds: float) -> dict[str, Any] | None:
        """Run one cell. Returns its problem, or None. Raises WorkerGone."""
        return self._send({"do": "load", "source": source, "line": line, "seconds": seconds}, "problem")

    def answer(self, key: str, questions: list[dict[str, Any]], seed: int, seconds: float) -> list[dict[str, Any]]:
        """Call a part's function with its questions: see :meth:`worker.Answers.answer`. Raises WorkerGone."""
        request = {"do": "answer", "key": key, "questions": questions, "seed": seed, "seconds": seconds}
        return self._send(request, "replies")

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was still to be sent goes nowhere
                stream.close()

    def _send(self, request: dict[str, Any], wanted: str) -> Any:
        try:
            worker.send(self._process.stdin, request)
        except OSError:
            raise WorkerGone(ENDED) from None
        return self._wait(wanted, request["seconds"])

    def _wait(self, wanted: str, seconds: float) -> Any:
        try:
            reply = self._replies.get(timeout=PATIENCE * seconds)
        except queue.Empty:
            raise WorkerGone(TOO_LONG.format(seconds), timed_out=True) from None
        if reply is None and self._process.wait(timeout=STARTING) == OUT_OF_TIME:
            raise WorkerGone(TOO_LONG.format(seconds), timed_out=True)
        if reply is None:
            raise WorkerGone(ENDED)
        if not isinstance(reply, dict) or wanted not in reply:
            raise WorkerGone(NO_REPLY)
        return reply[wanted]

    def _listen(self) -> None:
        reply: Any = True
        while reply is not None:
            try:
                reply = worker.receive(self._process.stdout.read)
            except messages.MessageError:
                reply = {}
            except (OSError, ValueError):  # the stream was closed
                reply = None
            self._replies.put(reply)

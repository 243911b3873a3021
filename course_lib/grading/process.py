"""The judge's end of a worker: start it, ask it, and give it up when it takes too long or dies."""

import contextlib
import queue
import subprocess
import sys
import threading
from typing import Any

from course_lib.grading import messages, worker

TOO_LONG = "it took longer than {:g} seconds. Is there a loop that never ends?"
ENDED = "it ended Python, by an exit or a crash. An answer should return or raise."
NO_REPLY = "what came back is no reply."


class WorkerGone(Exception):
    """The worker gave no reply. The text says why, for the student; ``timed_out`` is True where it took too long."""

    def __init__(self, text: str, timed_out: bool = False):
        super().__init__(text)
        self.timed_out = timed_out


class Worker:
    """One process that runs a student's cells."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "course_lib.grading.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._replies: queue.Queue[Any] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def load(self, source: str, line: int, seconds: float) -> dict[str, Any] | None:
        """Run one cell. Returns its problem, or None. Raises WorkerGone."""
        return self._ask({"do": "load", "source": source, "line": line}, "problem", seconds)

    def answer(self, key: str, questions: list[dict[str, Any]], seed: int, seconds: float) -> list[dict[str, Any]]:
        """Put the questions of one part. Returns the replies, as :meth:`worker.Answers.answer`. Raises WorkerGone."""
        return self._ask({"do": "answer", "key": key, "questions": questions, "seed": seed}, "replies", seconds)

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was still to be sent goes nowhere
                stream.close()

    def _ask(self, request: dict[str, Any], wanted: str, seconds: float) -> Any:
        with contextlib.suppress(OSError):  # the process is gone: the empty reply will say so
            worker.send(self._process.stdin, request)
        try:
            reply = self._replies.get(timeout=seconds)
        except queue.Empty:
            raise WorkerGone(TOO_LONG.format(seconds), timed_out=True) from None
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

"""Runs a student's cells and returns data: ``python -m checks.worker``.

It reads requests from standard input and writes replies to what was standard output; what the student's code prints
goes nowhere. A request or a reply is its length, eight bytes, and then a message. No right answer is in this process.
"""

import importlib.abc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

import torch

from checks import messages
from checks.tasks import PARTS

CAN_COUNT = hasattr(signal, "setitimer")  # processor time, not the clock's; Windows has no such timer


class Answers:
    """The namespace in which answer cells run."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "answers"}

    def load(self, source: str, line: int) -> dict[str, Any] | None:
        """Run one cell whose source begins at ``line`` of the script. Returns the problem, if there is one."""
        try:
            exec(compile("\n" * (line - 1) + source, "answers.py", "exec"), self.names)
        except BaseException as error:
            return problem(error)
        return None

    def answer(self, key: str, questions: list[dict[str, Any]], seed: int = 0) -> list[dict[str, Any]]:
        """Call a part's function with its questions. A reply is ``{"value": …}``, or the last ``{"problem": …}``."""
        part = PARTS[key]
        if part.function not in self.names:
            return [{"problem": {"type": "missing", "text": part.function, "line": None}}]
        replies: list[dict[str, Any]] = []
        for question in questions:
            torch.manual_seed(seed)
            try:
                value = part.answer(self.names[part.function], question)
                replies.append({"value": messages.unpack(messages.pack(value))})  # as it is now: it may still change
            except BaseException as error:
                return [*replies, {"problem": problem(error)}]
        return replies


def problem(error: BaseException) -> dict[str, Any]:
    """An exception as data: its type, its text, and the last line of the student's code in its traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == "answers.py"]
    try:
        text = str(error)[:400]
    except BaseException:  # an exception of the student's own may have any __str__
        text = ""
    return {"type": type(error).__name__[:80], "text": text, "line": lines[-1] if lines else None}


class NoCourse(importlib.abc.MetaPathFinder):
    """Refuses imports of the course's library and of what marks the answers."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if (package := fullname.partition(".")[0]) in ("course_lib", "checks"):
            raise ImportError(f"answers may not import {package}")


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Reply to requests until there are none."""
    answers = Answers()
    send(replies, {"ready": True})
    while request := receive(requests.read):
        if CAN_COUNT:  # end this process after so much processor time, from now on
            signal.setitimer(signal.ITIMER_PROF, request["seconds"])
        if request["do"] == "load":
            content = {"problem": answers.load(request["source"], request["line"])}
        else:
            content = {"replies": answers.answer(request["key"], request["questions"], request["seed"])}
        send(replies, content)


def send(stream: BinaryIO, content: Any) -> None:
    """Write one message, its length in front."""
    blob = messages.pack(content)
    stream.write(len(blob).to_bytes(8, "big") + blob)
    stream.flush()


def receive(read: Callable[[int], bytes]) -> Any:
    """Read one message; None at the end of the stream. Raises MessageError for what is no message, or too large."""
    size = int.from_bytes(read(8), "big")
    if size > messages.MAXIMUM:
        raise messages.MessageError(f"a message of {size:,} bytes, and {messages.MAXIMUM:,} are the most")
    return messages.unpack(read(size)) if size else None


def main() -> None:
    """Keep the two streams, give the student's code empty ones, serve."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    torch.set_num_threads(1)
    sys.meta_path.insert(0, NoCourse())
    serve(requests, replies)


if __name__ == "__main__":
    main()

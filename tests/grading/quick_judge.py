"""Stands for a judge in processes of its own, which need no torch for it."""

import os
import time
from types import SimpleNamespace


def judge(exam, job):
    """The marks of a submission. One that is called deadly ends its process, and any other waits for that once."""
    begun = exam.master / "begun"
    if job.name == "deadly":
        while not begun.exists():
            time.sleep(0.01)
        os._exit(1)
    if not begun.exists():
        begun.touch()
        time.sleep(60)
    return job.name, SimpleNamespace(hints={"output_size": None}, failure="", late=())

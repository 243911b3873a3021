"""Stands for a judge in processes of its own, which need no torch for it."""

import os
from types import SimpleNamespace


def judge(bench, job):
    """The marks of a submission, unless it is called deadly: that one ends the process."""
    if job.name == "deadly":
        os._exit(1)
    return job.name, SimpleNamespace(hints={"output_size": None}, failure="", late=())

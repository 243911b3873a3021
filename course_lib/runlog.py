"""Inputs and fingerprints of a chapter's run, for the pipeline: lines of JSON in the file that ``COURSE_RUNLOG`` names.

Where that variable is not set, as in a reader's own notebook, nothing is written.

========= =====================================================================================
kind      value
========= =====================================================================================
data      a data set that was loaded, such as ``mnist (full)``
weights   pretrained weights that were loaded, such as ``mobilenet-v2``
records   a file of published records that was read, such as ``study-mnist-six``
fit       the fingerprint of a training run: see :mod:`course_lib.training.fingerprint`
========= =====================================================================================
"""

import json
import os
from pathlib import Path
from typing import Any


def active() -> bool:
    """Whether this process writes a log."""
    return bool(os.environ.get("COURSE_RUNLOG"))


def wants_fingerprints() -> bool:
    """Whether training runs leave their fingerprint: in the quick profile."""
    return active() and os.environ.get("COURSE_PROFILE") == "quick"


def note(kind: str, value: Any) -> None:
    """Add one line, if this process writes a log and ``value`` is not None."""
    if active() and value is not None:
        with Path(os.environ["COURSE_RUNLOG"]).expanduser().open("a", encoding="utf-8") as log:
            log.write(json.dumps({kind: value}) + "\n")


def read(log: Path) -> dict[str, list]:
    """All values of each kind, in the order in which they were written; none where there is no log."""
    values: dict[str, list] = {"data": [], "weights": [], "records": [], "fit": []}
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            for kind, value in json.loads(line).items():
                values[kind].append(value)
    return values

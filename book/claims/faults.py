"""What the page on faults says of the recorded drill."""

import json

from course_lib.records.lines import results_folder
from course_tools.claims.ledger import claim


def drill():
    """The outcome that ``tests/faults/drill.py --write`` kept."""
    return json.loads((results_folder() / "fault-drill.json").read_text(encoding="utf-8"))


def total(count):
    return sum(step[count] for step in drill()["steps"].values())


@claim
def recorded_drills():
    """How many drills the record holds."""
    return drill()["drills"]


@claim
def recorded_kills():
    """How many kills came before the command's end."""
    return total("kills")


@claim
def recorded_losses():
    """How many drills ended otherwise than an undisturbed run."""
    return total("lost")

"""Train with checkpoints, get killed while writing one, resume; again and again. A program of ``test_checkpoints.py``.

This process imports torch and computes nothing: each attempt is a forked child.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path

import torch

from course_lib import data, models, training
from course_lib.training import checkpoints

KILLED_WRITES = (0, 3, 12, 1)  # of each attempt; at first no checkpoint is whole yet, and an epoch has 13 steps


def train(checkpoint: Path | None) -> dict:
    torch.set_num_threads(1)
    digits = data.load("mnist", size="sample")
    training.set_seed(3)
    model = models.mlp(hidden=(24,), dropout=0.3)
    train, val = digits.train.select(range(400)), digits.val.select(range(100))
    options = {"epochs": 3, "batch_size": 32, "schedule": training.one_cycle, "seed": 3, "device": "cpu"}
    history = training.fit(model, train, val, show=False, checkpoint=checkpoint, checkpoint_seconds=0, **options)
    rows = [[row.train_loss, row.train_accuracy, row.val_loss, row.learning_rate] for row in history.epochs]
    return {"weights": checkpoints.digest_of_weights(model), "history": rows}


def kill_in_write(number: int) -> None:
    """Let this process end in the middle of its write ``number``."""
    writes, save = [], torch.save

    def killed_save(state, file):
        writes.append(1)
        if len(writes) <= number:
            return save(state, file)
        file.write(b"half a checkpoint" * 100)
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    torch.save = killed_save


def attempt(checkpoint: Path | None, report: Path, killed_write: int | None = None) -> int:
    """Fork and train. Returns the child's exit status, or minus the number of the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            if killed_write is not None:
                kill_in_write(killed_write)
            report.write_text(json.dumps(train(checkpoint)))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    statuses = [attempt(None, folder / "whole.json")]
    statuses += [attempt(folder / "run.pt", folder / "resumed.json", number) for number in KILLED_WRITES]
    statuses += [attempt(folder / "run.pt", folder / "resumed.json")]
    if statuses != [0, *[-signal.SIGKILL] * len(KILLED_WRITES), 0]:
        sys.exit(f"the attempts ended with {statuses}")

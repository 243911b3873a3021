"""Train with checkpoints, get killed, resume; again and again. Run by ``test_checkpoints.py`` in a process of its own.

This process imports torch and computes nothing. Each attempt is a forked child that either trains to the end or sends
itself SIGKILL, in a step or half-way through a write of the checkpoint.
"""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

import torch

from course_lib import data, models, training
from course_lib.training import checkpoints


def train(checkpoint: Path | None) -> dict:
    torch.set_num_threads(1)
    digits = data.load("mnist", size="sample")
    training.set_seed(3)
    model = models.mlp(hidden=(24,), dropout=0.3)
    history = training.fit(
        model,
        digits.train.select(range(400)),
        digits.val.select(range(100)),
        epochs=3,
        batch_size=32,
        schedule=training.one_cycle,
        seed=3,
        device="cpu",
        checkpoint=checkpoint,
        checkpoint_seconds=0,  # after every step
        show=False,
    )
    rows = [[row.train_loss, row.train_accuracy, row.val_loss, row.learning_rate] for row in history.epochs]
    return {"weights": checkpoints.digest_of_weights(model), "history": rows}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at_call(number: int, function, dying):
    """A function that calls ``function`` the first ``number`` times and ``dying`` then."""
    calls = []

    def call(*args, **kwargs):
        calls.append(1)
        return function(*args, **kwargs) if len(calls) <= number else dying(*args)

    return call


def kill_at_step(number: int) -> None:
    torch.optim.Adam.step = kill_at_call(number, torch.optim.Adam.step, lambda *args: die())


def kill_in_write(number: int) -> None:
    def write_half(state, file):
        file.write(b"half a checkpoint" * 100)
        file.flush()
        die()

    torch.save = kill_at_call(number, torch.save, write_half)


# Calls from the start of each attempt: at first no checkpoint is whole yet; an epoch has 13 steps.
KILLS = [(kill_in_write, 0), (kill_at_step, 2), (kill_in_write, 3), (kill_at_step, 8), (kill_in_write, 1)]


def attempt(checkpoint: Path | None, report: Path, kill=lambda: None) -> int:
    """Fork and train. Returns the child's exit status, or minus the number of the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            kill()
            report.write_text(json.dumps(train(checkpoint)))
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path) -> None:
    statuses = [attempt(None, folder / "whole.json")]
    statuses += [attempt(folder / "run.pt", folder / "resumed.json", partial(kill, call)) for kill, call in KILLS]
    statuses += [attempt(folder / "run.pt", folder / "resumed.json")]
    if statuses != [0, *[-signal.SIGKILL] * len(KILLS), 0]:
        sys.exit(f"the attempts ended with {statuses}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

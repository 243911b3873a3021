import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from course_lib import models, training
from course_lib.data.augmentation import flip_and_crop
from course_lib.errors import CourseError


def network(seed=0):
    """Dropout draws from the random stream, batch norm has statistics beside its weights."""
    training.set_seed(seed)
    return nn.Sequential(models.mlp(hidden=(24,), dropout=0.3), nn.BatchNorm1d(10))


def fit(model, *splits, **options):
    return training.fit(model, *splits, **{"epochs": 2, "show": False, "device": "cpu", **options})


def same_state(model, other):
    return all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL and fork are POSIX")
def test_resume_is_bit_identical_after_kills(tmp_path):
    """Killed while it writes, a resumed run ends with the weights and numbers of an uninterrupted one."""
    script = Path(__file__).with_name("killed_run.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    whole, resumed = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("whole", "resumed"))
    assert resumed == whole
    assert list(tmp_path.glob(".*.part")) == [], "no half-written checkpoint is left"


class Stopped(Exception):
    pass


LIMIT, TAKEN = [None], []  # outside of the augmentation: what it holds inside would be part of the run's identity


def flip_and_crop_until_the_limit(images):
    if len(TAKEN) == LIMIT[0]:
        raise Stopped
    TAKEN.append(len(images))
    return flip_and_crop(images)


@pytest.mark.parametrize("steps", [1, 3, 4])
def test_resume_is_bit_identical_with_augmentation(few, tmp_path, steps):
    """Stopped within an epoch, at its end, and just behind it."""
    options = {"epochs": 3, "seed": 5, "checkpoint_seconds": 0}
    whole, stopped, resumed = network(), network(), network()
    expected = fit(whole, few, few, augment=flip_and_crop, checkpoint=tmp_path / "whole.pt", **options)
    TAKEN.clear()
    options |= {"augment": flip_and_crop_until_the_limit, "checkpoint": tmp_path / "run.pt"}
    LIMIT[0] = steps
    with pytest.raises(Stopped):
        fit(stopped, few, few, **options)
    LIMIT[0] = None
    history = fit(resumed, few, few, **options)
    assert len(TAKEN) == 9, "no step was taken twice"
    assert same_state(whole, resumed)
    for column in ("train_loss", "train_accuracy", "val_loss", "learning_rate"):
        assert [getattr(row, column) for row in history.epochs] == [getattr(row, column) for row in expected.epochs]


def test_checkpoints_within_an_epoch_follow_the_clock(few, tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr("course_lib.training.checkpoints.save_checkpoint", lambda path, state: saved.append(state))
    clock = itertools.count()  # a second between two looks at it
    monkeypatch.setattr("course_lib.training.checkpoints.time", SimpleNamespace(monotonic=lambda: next(clock)))
    for seconds, steps in ((100, [0, 0]), (2, [2, 0, 2, 0]), (0, [1, 2, 3, 0] * 2)):
        fit(network(), few, checkpoint=tmp_path / "run.pt", checkpoint_seconds=seconds)
        assert [state["step"] for state in saved] == steps
        saved.clear()


def test_a_finished_run_is_not_trained_again(few, tmp_path):
    first, second = network(), network()
    history = fit(first, few, few, checkpoint=tmp_path / "run.pt")
    assert fit(second, few, few, checkpoint=tmp_path / "run.pt").epochs == history.epochs
    assert same_state(first, second)


def test_refuses_a_checkpoint_of_another_run(few, tmp_path):
    path = tmp_path / "run.pt"
    fit(network(), few, checkpoint=path)
    content = path.read_bytes()
    for changes, named in (
        ({"epochs": 3}, "epochs"),
        ({"seed": 9, "optimizer": torch.optim.SGD}, "optimizer, seed"),
        ({"augment": flip_and_crop}, "augment"),
    ):
        with pytest.raises(CourseError, match=rf"another run \(different {named}\): give this run a path"):
            fit(network(), few, checkpoint=path, **changes)
    with pytest.raises(CourseError, match=r"different train, training images\)"):
        fit(network(), few.select(range(200)), checkpoint=path)
    with pytest.raises(CourseError, match=r"different training images\)"):
        fit(network(), replace(few, labels=few.labels.flip(0)), checkpoint=path)
    with pytest.raises(CourseError, match=r"different first weights\)"):
        fit(network(seed=1), few, checkpoint=path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half a zip"])
def test_refuses_what_is_no_checkpoint(few, tmp_path, content):
    (tmp_path / "run.pt").write_bytes(content)
    with pytest.raises(CourseError, match=r"run\.pt is no checkpoint of fit"):
        fit(network(), few, checkpoint=tmp_path / "run.pt")


def test_refuses_a_folder_that_cannot_be_written(few, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="cannot be written"):
        fit(network(), few, checkpoint=tmp_path / "file" / "run.pt")

from dataclasses import asdict

import pandas as pd
import pytest
import torch

from course_lib import models, transfer
from course_lib.transfer import cases
from course_lib.transfer.networks import BACKBONES


def changed(choices, other):
    return {name for name, value in asdict(choices).items() if value != asdict(other)[name]}


@pytest.mark.parametrize(
    ("bug", "right", "toggle"),
    [
        ("refilled images", "frozen backbone", "resize"),
        ("grey not repeated", "frozen backbone", "channels"),
        ("not normalised", "frozen backbone", "normalise"),
        ("everything at 0.001", "everything at a small rate", "learning_rate"),
        ("frozen too much", "nothing wrong", "trained"),
        ("statistics updated", "MobileNetV2, statistics kept", "freeze_batch_norm"),
    ],
)
def test_each_bug_is_one_changed_choice(bug, right, toggle):
    assert changed(transfer.LADDER[bug], transfer.WITHOUT_BUGS[right]) == {toggle}


def test_no_run_has_the_choices_of_another_and_all_backbones_exist():
    runs, grid = cases.runs(), transfer.GRID
    assert len(set(runs.values())) == len(runs) and len(set(grid.values())) == len(grid) == 16
    assert set(transfer.LADDER.values()) <= set(runs.values())
    every = runs | grid | transfer.CUT_RUNS
    assert {choices.backbone for choices in every.values()} <= {*BACKBONES, "none"}


def test_blocks_end_with_their_pool():
    with torch.device("meta"):
        layers = models.vgg16().features
    for name in ("vgg16 block 1", *transfer.CUTS):
        assert type(layers[BACKBONES[name].layers - 1]).__name__ == "MaxPool2d"


def test_grid_table():
    runs = pd.DataFrame(
        {
            "name": [transfer.cell_name("refilled", "head"), transfer.cell_name("refilled", "head"), "nothing wrong"],
            "accuracy": [0.25, 0.75, 1.0],
        }
    )
    table = transfer.grid_table(runs)
    assert table.shape == (4, 4) and table.loc["refilled", "head"] == 0.5
    assert table.isna().sum().sum() == 15

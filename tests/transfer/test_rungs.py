from dataclasses import asdict

import pandas as pd
import pytest
import torch

from course_lib import models, transfer
from course_lib.transfer import cases as rungs
from course_lib.transfer.networks import BACKBONES


def changed(one, other):
    return {name for name, value in asdict(one).items() if value != asdict(other)[name]}


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
    assert changed(transfer.LADDER[bug], transfer.MENDED[right]) == {toggle}


def test_the_ladder_in_its_order():
    assert list(transfer.LADDER) == [
        *("refilled images", "grey not repeated", "not normalised", "everything at 0.001", "frozen too much"),
        *("statistics updated", "too large a backbone", "no need to transfer"),
    ]
    assert {"right-sized backbone", "LeNet from scratch"} < set(transfer.MENDED)
    assert transfer.LADDER["everything at 0.001"].rate == 1e-3


def test_what_is_trained_for_the_ladder_has_no_choices_twice():
    runs = rungs.runs()
    assert len(set(runs.values())) == len(runs)
    assert set(transfer.LADDER.values()) <= set(runs.values())


def test_the_grid_crosses_inputs_with_modes():
    assert len(transfer.GRID) == len(set(transfer.GRID.values())) == 16
    wrong = transfer.GRID[transfer.cell_name("refilled", "all at 0.001")]
    assert changed(wrong, transfer.RIGHT) == {"resize", "trained", "learning_rate"}
    assert transfer.GRID[transfer.cell_name("right images", "last blocks")] == transfer.RIGHT


def test_the_right_sized_backbone_is_cheaper_and_all_names_are_backbones():
    from course_lib.transfer.networks import multiply_adds

    assert multiply_adds(rungs.RIGHT_SIZED) < multiply_adds(transfer.RIGHT) / 5
    assert multiply_adds(rungs.SCRATCH) < multiply_adds(rungs.RIGHT_SIZED) / 100
    every = rungs.runs() | transfer.GRID | transfer.CUT_RUNS
    assert {one.backbone for one in every.values()} <= {*BACKBONES, "none"}


def test_blocks_end_behind_their_pool():
    with torch.device("meta"):
        layers = models.vgg16().features
    for name in transfer.CUTS:
        assert type(layers[BACKBONES[name].layers - 1]).__name__ == "MaxPool2d"


def test_a_table_of_the_grid():
    runs = pd.DataFrame(
        {
            "name": [transfer.cell_name("refilled", "head"), transfer.cell_name("refilled", "head"), "nothing wrong"],
            "accuracy": [0.25, 0.75, 1.0],
        }
    )
    table = transfer.grid_table(runs)
    assert table.shape == (4, 4) and table.loc["refilled", "head"] == 0.5
    assert table.isna().sum().sum() == 15

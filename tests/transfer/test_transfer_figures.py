import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from course_lib import transfer
from course_lib.plots import ORANGE
from course_lib.transfer import Choices


@pytest.mark.parametrize(("side", "held", "lines"), [(112, 16, 15), (224, 64, 32 * 2 + 31)])
def test_a_batch_of_refilled_images_shows_where_digits_begin(digits, side, held, lines):
    # at 224 every second digit begins in the middle of a row: its border has two parts
    prepared = transfer.prepare(digits.train.select(range(100)), Choices(resize="refill", side=side))
    figure = transfer.batch_as_seen(prepared, 3, digit_side=28)
    assert f"{held} in each image" in figure.alt and "labelled" in figure.alt
    drawn = [line for line in figure.axes[0].lines if line.get_color() == ORANGE]
    assert len(drawn) == lines
    assert np.array_equal(figure.axes[1].images[0].get_array(), prepared.images[1].permute(1, 2, 0))


def test_channel_pictures(digits):
    prepared = transfer.prepare(digits.train.select(range(1)), Choices(channels="one"))
    figure = transfer.channel_pictures(prepared)
    assert "green 0 and blue 0" in figure.alt and figure.axes[2].get_title() == "blue: mean 0"


def test_pixels_beside_what_is_expected(digits):
    batches = {}
    for name, choices in {"right": Choices(), "raw": Choices(normalise=False)}.items():
        prepared = transfer.prepare(digits.train.select(range(5)), choices)
        batches[name] = prepared.normalize(prepared.images)
    figure = transfer.pixel_histogram(batches, (-2.12, 2.64))
    assert "right: from -2.12 to 2.64" in figure.alt and "raw: from 0.00 to 255.00" in figure.alt
    assert sum(bar.get_height() for bar in figure.axes[1].patches[1:]) == pytest.approx(1)


def test_movement_of_weights():
    figure = transfer.weight_movement({"0.001": {"a": 0.1, "b": 0.5}, "0.0001": {"a": 0.01, "b": 0.02}}, 0.1)
    assert "0.001: at most 50.0%" in figure.alt and "check allows 10.0%" in figure.alt
    assert [list(line.get_ydata()) for line in figure.axes[0].lines[:2]] == [[0.1, 0.5], [0.01, 0.02]]


@pytest.mark.parametrize(("kept", "drift"), [(True, "All stand still at 1."), (False, "They lie between")])
def test_drift_of_statistics(digits, small, kept, drift):
    choices = small(backbone="mobilenet-v2", trained="head", freeze_batch_norm=kept)
    begun = transfer.first_steps(digits.train, choices, steps=2, device="cpu")
    figure = transfer.statistics_drift(begun.before, begun.network)
    assert drift in figure.alt and "19 batch norms" in figure.alt
    network = transfer.build(small())
    with pytest.raises(ValueError, match="no batch norm"):
        transfer.statistics_drift(transfer.snapshot(network), network)


def test_dead_channels_are_no_part_of_the_drift():
    network = nn.BatchNorm2d(4)
    network.running_var = torch.tensor([0.0, 1e-20, 1.0, 2.0])
    before = transfer.snapshot(network)
    network.running_var *= 0.5
    figure = transfer.statistics_drift(before, network)
    assert list(figure.axes[0].lines[1].get_ydata()) == [0.5]


def test_ladder_errors():
    rungs = {"nothing wrong": [0.98, 0.96], "none misread": [1.0], "refilled images": [0.11]}
    figure = transfer.ladder_errors(rungs, bugs=["refilled images"])
    assert "nothing wrong: 3.0 %, 2 seeds; none misread: 0.0 %; refilled images (a bug): 89.0 %." in figure.alt
    drawn = [sorted(marks.get_offsets()[:, 0]) for marks in figure.axes[0].collections]
    assert drawn == [pytest.approx([2, 4]), [figure.axes[0].get_xlim()[0]], pytest.approx([89])]
    with pytest.raises(ValueError, match="at least one rung"):
        transfer.ladder_errors({})


def test_grid_heatmap():
    cells = pd.DataFrame(
        [[0.99, 0.1], [0.5, float("nan")]], index=["right images", "refilled"], columns=["head", "all"]
    )
    figure = transfer.grid_heatmap(cells)
    assert "right images: head 99.0 %, all 10.0 %" in figure.alt and "refilled: head 50.0 %, all not run" in figure.alt
    assert [text.get_text() for text in figure.axes[0].texts] == ["99.0", "10.0", "50.0"]


def test_cut_curve():
    figure = transfer.cut_curve({"early": 0.5, "middle": 0.98, "late": 0.95})
    assert "early: 50.0 %; middle: 98.0 %; late: 95.0 %" in figure.alt and figure.alt.endswith("Best: middle.")

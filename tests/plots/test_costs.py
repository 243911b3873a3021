import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from course_lib import plots
from course_lib.analysis import layer_table
from course_lib.plots.costs import _shares
from course_lib.plots.figure import BLUE, GREY, ORANGE
from course_lib.plots.volumes import CONVOLUTION, KIND_COLOURS, LINEAR, OTHER


@pytest.fixture(scope="module")
def tables(build):
    shapes = {"lenet5": (1, 28, 28), "minivgg": (1, 28, 28), "vgg16": (3, 224, 224), "resnet34": (3, 224, 224)}
    return {name: layer_table(build(name), shape) for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def costs():
    """Five models, two of them nearly at the same point."""
    return pd.DataFrame(
        {
            "accuracy": [0.981, 0.9905, 0.9942, 0.9944, 0.9936],
            "spread": [0.0008, 0.0007, 0.0005, 0.0004, float("nan")],
            "parameters": [535_818, 61_706, 29_773_354, 134_300_362, 21_300_000],
            "multiply_adds": [535_000, 417_000, 55_000_000, 15_500_000_000, 3_700_000_000],
            "seconds": [22, 25, 180, 3460, 2200],
        },
        index=["MLP", "LeNet-5", "MiniVGG", "VGG-16", "ResNet-34"],
    )


def test_bars_have_the_lengths_of_the_table(tables, overlapping):
    table = tables["vgg16"]
    rows = table[(table["parameters"] > 0) & (table.index != "total")]
    figure = plots.layer_bars(table)
    assert overlapping(figure) == []
    for axes, column in zip(figure.axes, ("parameters", "multiply-adds"), strict=True):
        assert [bar.get_width() for bar in axes.patches] == rows[column].tolist()
        assert max(text.get_window_extent().x1 for text in axes.texts) <= axes.bbox.x1
        colours = [KIND_COLOURS[CONVOLUTION if kind == "Conv2d" else LINEAR] for kind in rows["type"]]
        assert [bar.get_facecolor() for bar in axes.patches] == [to_rgba(colour) for colour in colours]
    assert next(label.get_text() for label in figure.axes[0].get_yticklabels()) == "features.0  Conv2d"
    assert " 103 M  74.3%" in [text.get_text() for text in figure.axes[0].texts]
    assert "linear layers 89.4%; most of all, 74.3%, in classifier.0 Linear" in figure.alt


def test_batch_norms_are_noted_where_they_are_small_else_one_row(tables, build):
    figure = plots.layer_bars(tables["resnet34"])
    assert len(figure.axes[0].patches) == 37, "36 convolutions, 3 of them on skips, and one linear layer"
    assert "Not shown: 36 BatchNorm2d, under 0.5%." in figure.alt
    assert "Not shown: 36 BatchNorm2d, under 0.5%." in figure.get_supxlabel()
    table = layer_table(build("resnet_small", width=1 / 16), (1, 28, 28))
    figure = plots.layer_bars(table)
    norms = table.loc[table["type"] == "BatchNorm2d", "parameters"]
    assert figure.axes[0].patches[-1].get_width() == norms.sum() > 0.005 * table.loc["total", "parameters"]
    assert (
        figure.axes[0].get_yticklabels()[-1].get_text() == f"{len(norms)} BatchNorm2d" and "Not shown" not in figure.alt
    )
    assert _shares(table, "parameters")[OTHER] == pytest.approx(norms.sum() / table.loc["total", "parameters"])


def test_shares_of_networks(tables, overlapping):
    figure = plots.share_bars(tables)
    convolutions, linear = figure.axes[0].patches[2:4]
    assert (convolutions.get_width(), linear.get_width()) == pytest.approx((102_176 / 29_773_354, 0.99657), abs=1e-5)
    assert linear.get_x() == convolutions.get_width()
    assert "minivgg 0.3% convolution and 99.7% linear of 29.8 M" in figure.alt
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(tables)
    assert overlapping(figure) == []
    for table in tables.values():
        for column in ("parameters", "multiply-adds"):
            assert sum(_shares(table, column).values()) == pytest.approx(1, abs=0.005)


def test_slices_of_the_pie(tables, overlapping):
    table = tables["vgg16"]
    figure = plots.parameter_pie(table)
    parts = [14_714_688, 102_764_544, 138_357_544 - 14_714_688 - 102_764_544]
    wedges = figure.axes[0].patches
    assert [wedge.theta2 - wedge.theta1 for wedge in wedges] == pytest.approx([360 * p / sum(parts) for p in parts])
    assert "convolutions 14.7 M, 10.6%; the first linear layer 103 M, 74.3%" in figure.alt
    assert overlapping(figure) == []
    assert "the linear layer 513 k, 2.4%" in plots.parameter_pie(tables["resnet34"]).alt


def test_accuracy_over_each_cost(costs, overlapping):
    figure = plots.accuracy_against_cost(costs)
    for axes, column in zip(figure.axes, ("parameters", "multiply_adds", "seconds"), strict=True):
        points = np.array([bars.lines[0].get_xydata()[0] for bars in axes.containers])
        assert points.tolist() == costs[[column, "accuracy"]].to_numpy().tolist()
        assert axes.get_xscale() == "log"
        tops = [bars.lines[2][0].get_segments()[0][1][1] for bars in axes.containers if bars.has_yerr]
        assert tops == pytest.approx((costs["accuracy"] + costs["spread"]).dropna().tolist())
    assert figure.alt.index("VGG-16 99.44% ± 0.04% with 134 M") < figure.alt.index("MLP 98.10% ± 0.08% with 536 k")
    assert "ResNet-34 99.36% with" in figure.alt, "one seed has no spread"
    looks = [
        [(bars.lines[0].get_color(), bars.lines[0].get_marker()) for bars in axes.containers] for axes in figure.axes
    ]
    assert looks[0] == looks[1] == looks[2] and len(set(looks[0])) == len(costs)
    assert [[text.get_text() for text in axes.texts] for axes in figure.axes] == [list(costs.index)] * 3
    assert overlapping(figure) == []


def test_seconds_that_are_missing_or_of_several_machines_are_not_drawn(costs):
    same, several = ["EPYC"] * len(costs), ["EPYC", *["Xeon"] * (len(costs) - 1)]
    assert len(plots.accuracy_against_cost(costs.assign(machine=same)).axes) == 3
    for undrawn in (costs.assign(machine=several), costs.drop(columns="seconds")):
        figure = plots.accuracy_against_cost(undrawn)
        assert [axes.get_xlabel() for axes in figure.axes] == ["parameters", "multiply-adds"]
        assert "seconds" not in figure.alt


@pytest.fixture
def loops():
    """Four loops; the third is slower than the second, the fourth faster than the third and slower than the second."""
    return pd.DataFrame(
        {
            "milliseconds": [120.0, 40.0, 60.0, 48.0],
            "least": [110.0, 39.0, 52.0, 47.5],
            "most": [190.0, 44.0, 61.0, 55.0],
            "share_of_roof": [0.123, 0.5, float("nan"), 1.0],
        },
        index=["the beginner's loop", "channels last", "compiled", "bfloat16"],
    )


def test_speed_ladder(loops, overlapping):
    before = loops.copy()
    figure = plots.speed_ladder(loops, title="milliseconds on a CPU")
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [120, 40, 60, 48]
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first bar is on top"
    assert [label.get_text() for label in axes.get_yticklabels()] == list(loops.index)
    colours = [bar.get_facecolor() for bar in axes.patches]
    assert colours == [to_rgba(colour) for colour in (GREY, BLUE, ORANGE, BLUE)], "slower than the one before is orange"
    segments = [segment.tolist() for segment in axes.containers[1].lines[2][0].get_segments()]
    ranges = zip(loops["least"], loops["most"], range(4), strict=True)
    assert segments == [[[least, place], [most, place]] for least, most, place in ranges]
    assert figure.alt == (
        "Bars of milliseconds on a CPU. the beginner's loop: 120 ms, ×1.00, 12.3% of the roof; "
        "channels last: 40 ms, ×3.00, 50.0% of the roof; compiled: 60 ms, ×2.00; bfloat16: 48 ms, ×2.50, "
        "100% of the roof."
    )
    assert overlapping(figure) == []
    ends = axes.transData.transform([(most, 0) for most in loops["most"]])[:, 0]
    extents = [text.get_window_extent() for text in axes.texts]
    assert all(extent.x0 > end for extent, end in zip(extents, ends, strict=True)), "texts are behind the ranges"
    assert max(extent.x1 for extent in extents) <= figure.bbox.x1
    pd.testing.assert_frame_equal(loops, before)


def test_refuses_a_speed_ladder_without_rows():
    with pytest.raises(ValueError, match=r"^a ladder needs at least one rung$"):
        plots.speed_ladder(pd.DataFrame({"milliseconds": []}))

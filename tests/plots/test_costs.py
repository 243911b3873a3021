import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from course_lib import plots
from course_lib.analysis import layer_table
from course_lib.plots.costs import _shares
from course_lib.plots.volumes import CONVOLUTION, KIND_COLOURS, LINEAR, OTHER


@pytest.fixture(scope="module")
def tables(build):
    shapes = {"lenet5": (1, 28, 28), "minivgg": (1, 28, 28), "vgg16": (3, 224, 224), "resnet34": (3, 224, 224)}
    return {name: layer_table(build(name), shape) for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def costs():
    """Five models, two of them nearly at one place."""
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


@pytest.fixture(scope="module")
def against_cost(costs):
    """The five models' accuracy against what they cost, drawn once."""
    return plots.accuracy_against_cost(costs)


def test_bars_are_as_long_as_the_table_says(tables):
    table = tables["vgg16"]
    rows = table[(table["parameters"] > 0) & (table.index != "total")]
    figure = plots.layer_bars(table)
    for axes, column in zip(figure.axes, ("parameters", "multiply-adds"), strict=True):
        assert [bar.get_width() for bar in axes.patches] == rows[column].tolist()
        colours = [KIND_COLOURS[CONVOLUTION if kind == "Conv2d" else LINEAR] for kind in rows["type"]]
        assert [bar.get_facecolor() for bar in axes.patches] == [to_rgba(colour) for colour in colours]
    assert next(label.get_text() for label in figure.axes[0].get_yticklabels()) == "features.0  Conv2d"
    assert " 103 M  74.3%" in [text.get_text() for text in figure.axes[0].texts]
    assert "linear layers 89.4%; most of all, 74.3%, in classifier.0 Linear" in figure.alt


@pytest.mark.parametrize("name", ["lenet5", "minivgg", "vgg16", "resnet34"])
def test_numbers_stay_inside_and_hide_nothing(tables, overlapping, name):
    figure = plots.layer_bars(tables[name])
    assert overlapping(figure) == []
    for axes in figure.axes:
        assert max(text.get_window_extent().x1 for text in axes.texts) <= axes.bbox.x1


def test_small_batch_norms_are_left_out_and_it_says_so(tables):
    figure = plots.layer_bars(tables["resnet34"])
    assert len(figure.axes[0].patches) == 37, "36 convolutions, 3 of them on skips, and one linear layer"
    assert "Not shown: 36 BatchNorm2d, under 0.5%." in figure.alt
    assert "Not shown: 36 BatchNorm2d, under 0.5%." in figure.get_supxlabel()


def test_large_batch_norms_have_one_row(build):
    table = layer_table(build("resnet_small", width=1 / 16), (1, 28, 28))
    figure = plots.layer_bars(table, columns=["parameters"])
    norms = table.loc[table["type"] == "BatchNorm2d", "parameters"]
    assert figure.axes[0].patches[-1].get_width() == norms.sum() > 0.005 * table.loc["total", "parameters"]
    assert figure.axes[0].get_yticklabels()[-1].get_text() == f"{len(norms)} BatchNorm2d"
    assert "Not shown" not in figure.alt


def test_minivggs_parameters_are_in_its_linear_layers(tables):
    figure = plots.share_bars({"MiniVGG": tables["minivgg"]})
    convolutions, linear = figure.axes[0].patches
    assert (convolutions.get_width(), linear.get_width()) == pytest.approx((102_176 / 29_773_354, 0.99657), abs=1e-5)
    assert linear.get_x() == convolutions.get_width()
    assert "parameters: MiniVGG 0.3% convolution and 99.7% linear of 29.8 M" in figure.alt


def test_shares_of_several_networks(tables, overlapping):
    figure = plots.share_bars(tables)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(tables)
    assert overlapping(figure) == []
    for table in tables.values():
        for column in ("parameters", "multiply-adds"):
            assert sum(_shares(table, column).values()) == pytest.approx(1, abs=0.005)


def test_what_is_neither_convolution_nor_linear_is_other(build):
    table = layer_table(build("resnet_small", width=1 / 16), (1, 28, 28))
    shares = _shares(table, "parameters")
    norms = table.loc[table["type"] == "BatchNorm2d", "parameters"].sum()
    assert shares[OTHER] == pytest.approx(norms / table.loc["total", "parameters"])


def test_the_pies_slices_are_the_tables_shares(tables, overlapping):
    table = tables["vgg16"]
    figure = plots.parameter_pie(table)
    parts = [14_714_688, 102_764_544, 138_357_544 - 14_714_688 - 102_764_544]
    wedges = figure.axes[0].patches
    assert [wedge.theta2 - wedge.theta1 for wedge in wedges] == pytest.approx([360 * p / sum(parts) for p in parts])
    assert "convolutions 14.7 M, 10.6%; the first linear layer 103 M, 74.3%" in figure.alt
    assert overlapping(figure) == []


def test_a_thin_slice_is_still_seen(tables):
    figure = plots.parameter_pie(tables["minivgg"])
    thin = figure.axes[0].patches[0]
    assert abs(thin.theta2 - thin.theta1) < 2 and thin.get_edgecolor() == thin.get_facecolor()
    assert "convolutions 102 k, 0.3%" in figure.alt


def test_one_linear_layer_has_one_slice(tables):
    figure = plots.parameter_pie(tables["resnet34"])
    assert len(figure.axes[0].patches) == 2 and "the linear layer 513 k, 2.4%" in figure.alt


def test_each_panel_shows_accuracy_over_its_cost(costs, against_cost):
    figure = against_cost
    for axes, column in zip(figure.axes, ("parameters", "multiply_adds", "seconds"), strict=True):
        points = np.array([bars.lines[0].get_xydata()[0] for bars in axes.containers])
        assert points.tolist() == costs[[column, "accuracy"]].to_numpy().tolist()
        assert axes.get_xscale() == "log"
        tops = [bars.lines[2][0].get_segments()[0][1][1] for bars in axes.containers if bars.has_yerr]
        assert tops == pytest.approx((costs["accuracy"] + costs["spread"]).dropna().tolist())
    assert figure.alt.index("VGG-16 99.44% ± 0.04% with 134 M") < figure.alt.index("MLP 98.10% ± 0.08% with 536 k")
    assert "ResNet-34 99.36% with" in figure.alt, "one seed has no spread"


def test_a_model_looks_the_same_in_each_panel(costs, against_cost):
    looks = [
        [(bars.lines[0].get_color(), bars.lines[0].get_marker()) for bars in axes.containers]
        for axes in against_cost.axes
    ]
    assert looks[0] == looks[1] == looks[2] and len(set(looks[0])) == len(costs)


def test_names_hide_nothing(costs, against_cost, overlapping):
    assert overlapping(against_cost) == []
    assert [[text.get_text() for text in axes.texts] for axes in against_cost.axes] == [list(costs.index)] * 3

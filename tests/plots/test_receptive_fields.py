import pandas as pd
import pytest
import torch
from matplotlib.patches import Rectangle

from course_lib import plots
from course_lib.analysis import receptive_field
from course_lib.plots.volumes import POOLING, kind_of


@pytest.fixture(scope="module")
def fields(build):
    return {name: receptive_field(build(name), (3, 224, 224)) for name in ("alexnet", "vgg16", "resnet18")}


def test_lines_run_through_the_receptive_fields(fields, overlapping):
    figure = plots.receptive_growth({"AlexNet": fields["alexnet"], "VGG-16": fields["vgg16"]}, image_side=224)
    axes = figure.axes[0]
    for line, name in zip(axes.lines, ("alexnet", "vgg16"), strict=False):
        assert line.get_xdata().tolist() == list(range(1, len(fields[name]) + 1))
        assert line.get_ydata().tolist() == fields[name]["receptive field"].tolist()
    assert axes.lines[-1].get_ydata() == [224, 224]
    assert "AlexNet ends at 195 pixels after 8 layers; VGG-16 ends at 212 pixels after 18 layers" in figure.alt
    assert "side of the image, 224 pixels" in figure.alt and overlapping(figure) == []


def test_pools_are_white(fields):
    figure = plots.receptive_growth({"VGG-16": fields["vgg16"]})
    (pools,) = figure.axes[0].collections
    kinds = [kind_of(layer) for layer in fields["vgg16"]["type"]]
    assert pools.get_offsets()[:, 0].tolist() == [depth for depth, kind in enumerate(kinds, 1) if kind == POOLING]
    assert pools.get_facecolor().tolist() == [[1, 1, 1, 1]]
    assert "side of the image" not in figure.alt


def test_convolutions_on_skips_are_left_out(fields):
    figure = plots.receptive_growth({"ResNet-18": fields["resnet18"]})
    sizes = figure.axes[0].lines[0].get_ydata().tolist()
    assert len(fields["resnet18"]) == 21 and len(sizes) == 18
    assert sizes == sorted(sizes)


def test_layers_with_an_infinite_field_have_no_point():
    frame = pd.DataFrame({"type": ["Conv2d", "AvgPool2d"], "receptive field": [3, None]}, index=["one", "two"])
    assert "ends at 3 pixels after 1 layer" in plots.receptive_growth({"it": frame}).alt


def test_window_comparison(overlapping):
    generator_state = torch.get_rng_state()
    figure = plots.window_comparison()
    assert torch.equal(torch.get_rng_state(), generator_state)
    assert "One window of 7×7: 49 weights, 1 ReLU for one pair of channels, the cells go from 7×7 to 1×1" in figure.alt
    assert "Three windows of 3×3: 27 weights, 3 ReLUs" in figure.alt
    assert "from 7×7 to 5×5 to 3×3 to 1×1" in figure.alt
    assert overlapping(figure) == []
    rectangles = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    cells = [patch for patch in rectangles if patch.get_fill() and patch.get_facecolor()[:3] == (1, 1, 1)]
    assert len(cells) == (49 + 1) + (49 + 25 + 9 + 1)
    assert [patch.get_width() for patch in rectangles if not patch.get_fill()] == [7, 3, 3, 3]
    computed = {(patch.get_x(), patch.get_y()) for patch in rectangles if patch.get_zorder() == 3.5}
    ends = [tuple(line.get_xydata()[-1]) for line in figure.axes[0].lines]
    assert len(computed) == 4 and len(ends) == 8 and set(ends[::2]) == computed, "each window ends in its cell"

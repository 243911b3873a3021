import pandas as pd
import pytest

from course_lib import plots
from course_lib.analysis import receptive_field
from course_lib.plots.volumes import POOLING, kind_of


@pytest.fixture(scope="module")
def fields(build):
    return {name: receptive_field(build(name), (3, 224, 224)) for name in ("alexnet", "vgg16", "resnet18")}


def test_lines_run_through_the_receptive_fields(fields):
    figure = plots.receptive_growth({"AlexNet": fields["alexnet"], "VGG-16": fields["vgg16"]}, image_side=224)
    axes = figure.axes[0]
    for line, name in zip(axes.lines, ("alexnet", "vgg16"), strict=False):
        assert line.get_xdata().tolist() == list(range(1, len(fields[name]) + 1))
        assert line.get_ydata().tolist() == fields[name]["receptive field"].tolist()
    assert axes.lines[-1].get_ydata() == [224, 224]
    assert "AlexNet ends at 195 pixels after 8 layers; VGG-16 ends at 212 pixels after 18 layers" in figure.alt
    assert "side of the image, 224 pixels" in figure.alt


def test_pools_are_white(fields):
    figure = plots.receptive_growth({"VGG-16": fields["vgg16"]})
    (pools,) = figure.axes[0].collections
    kinds = [kind_of(one) for one in fields["vgg16"]["type"]]
    assert pools.get_offsets()[:, 0].tolist() == [depth for depth, kind in enumerate(kinds, 1) if kind == POOLING]
    assert pools.get_facecolor().tolist() == [[1, 1, 1, 1]]
    assert "side of the image" not in figure.alt


def test_convolutions_on_skips_are_left_out(fields):
    figure = plots.receptive_growth({"ResNet-18": fields["resnet18"]})
    sizes = figure.axes[0].lines[0].get_ydata().tolist()
    assert len(fields["resnet18"]) == 21 and len(sizes) == 18
    assert sizes == sorted(sizes)


def test_layers_that_see_the_whole_image_have_no_point():
    frame = pd.DataFrame({"type": ["Conv2d", "AvgPool2d"], "receptive field": [3, None]}, index=["one", "two"])
    assert "ends at 3 pixels after 1 layer" in plots.receptive_growth({"it": frame}).alt


def test_words_hide_nothing(fields, overlapping):
    assert overlapping(plots.receptive_growth(fields, image_side=224)) == []


def test_vgg16_from_block_to_block(build, overlapping):
    figure = plots.channel_progression(build("vgg16"), (3, 224, 224))
    upper, lower = figure.axes
    assert [bar.get_height() for bar in upper.patches] == [224, 224, 112, 56, 28, 14, 7]
    assert [bar.get_height() for bar in lower.patches] == [3, 64, 128, 256, 512, 512, 512]
    assert [label.get_text() for label in lower.get_xticklabels()] == [
        *("image", "2 conv.", "pool\n2 conv.", "pool\n3 conv.", "pool\n3 conv.", "pool\n3 conv.", "pool")
    ]
    assert "the side of the maps goes from 224 to 7, the channels from 3 to 512" in figure.alt
    assert overlapping(figure) == []


def test_a_bottlenecks_width_is_that_of_its_widest_layer(build):
    _, lower = plots.channel_progression(build("resnet50"), (3, 224, 224)).axes
    assert [bar.get_height() for bar in lower.patches] == [3, 64, 256, 512, 1024, 2048, 2048]


def test_a_perceptron_makes_no_maps(build):
    with pytest.raises(ValueError, match="MLP has no convolution"):
        plots.channel_progression(build("mlp"), (1, 28, 28))

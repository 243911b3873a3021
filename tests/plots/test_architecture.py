import math
from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import pytest
from matplotlib.patches import PathPatch, Polygon

from course_lib import plots
from course_lib.plots.architecture import arrange
from course_lib.plots.volumes import LINEAR, chain_of_volumes

NETWORKS = {
    "lenet5": (1, 28, 28),
    "minivgg": (1, 28, 28),
    "resnet_small": (1, 28, 28),
    "alexnet": (3, 224, 224),
    "vgg16": (3, 224, 224),
    "vgg19": (3, 224, 224),
    "resnet18": (3, 224, 224),
    "resnet34": (3, 224, 224),
    "resnet50": (3, 224, 224),
}


@pytest.fixture(scope="module")
def drawn(build):
    """Each network's chain, layout and drawing, made once."""

    @cache
    def by_name(name):
        model, shape = build(name), NETWORKS[name]
        chain = chain_of_volumes(model, shape)
        return SimpleNamespace(chain=chain, layout=arrange(chain), figure=plots.architecture_drawing(model, shape))

    return by_name


@pytest.fixture(params=NETWORKS)
def drawing(request, drawn):
    return drawn(request.param)


def maps_and_bars(drawing):
    boxes = drawing.layout.boxes
    return [box for box in boxes if box.volume.kind != LINEAR], [box for box in boxes if box.volume.kind == LINEAR]


def arcs_of(drawing):
    return [patch for patch in drawing.figure.axes[0].patches if isinstance(patch, PathPatch)]


def test_sides_are_to_scale(drawing):
    maps, _ = maps_and_bars(drawing)
    scale = maps[0].height / maps[0].volume.height
    for box in maps:
        assert box.height == pytest.approx(max(0.05, scale * box.volume.height)), "0.05 inch is the least one sees"
        assert box.depth == pytest.approx(scale * box.volume.width)


def test_thickness_grows_with_the_root_of_the_channels(drawing):
    maps, _ = maps_and_bars(drawing)
    most = max(maps, key=lambda box: box.volume.channels)
    unit = most.thickness / math.sqrt(most.volume.channels)
    for box in maps:
        assert box.thickness == pytest.approx(max(0.03, unit * math.sqrt(box.volume.channels)))


def test_bars_grow_with_the_root_of_the_units(drawing):
    _, bars = maps_and_bars(drawing)
    for one, other in pairwise(bars):
        assert (one.height / other.height) ** 2 == pytest.approx(one.volume.channels / other.volume.channels)


def test_boxes_stand_side_by_side_and_blocks_apart(drawing):
    chain, layout = drawing.chain, drawing.layout
    gaps = [after.left - before.right for before, after in pairwise(layout.boxes)]
    starts = {group[0] for group in chain.groups()} | {
        place for place, volume in enumerate(chain.volumes) if volume.kind == LINEAR
    }
    within = [gap for place, gap in enumerate(gaps, start=1) if place not in starts]
    between = [gap for place, gap in enumerate(gaps, start=1) if place in starts]
    assert min(gaps) > 0
    assert max(within, default=0) < min(between)
    assert layout.width <= 7.3


def test_every_volume_and_every_skip_is_drawn(drawing):
    patches = drawing.figure.axes[0].patches
    assert len([patch for patch in patches if isinstance(patch, Polygon)]) == 3 * len(drawing.chain.volumes)
    dashed = [arc.get_linestyle() not in ("-", "solid") for arc in arcs_of(drawing)]
    assert dashed == [skip.projected for skip in drawing.chain.skips]


def test_arcs_clear_the_boxes_between(drawn):
    drawing = drawn("resnet34")
    boxes = drawing.layout.boxes
    for skip, arc in zip(drawing.chain.skips, arcs_of(drawing), strict=True):
        points = arc.get_path().vertices
        assert tuple(points[0]) == pytest.approx(boxes[skip.start].top)
        assert tuple(points[-1]) == pytest.approx(boxes[skip.end].top)
        assert points[1:3, 1].min() > max(box.top[1] for box in boxes[skip.start : skip.end + 1])


def test_words_are_large_and_hide_nothing(drawing, overlapping):
    assert overlapping(drawing.figure) == []
    axes = drawing.figure.axes[0]
    words = [text for text in axes.texts if text.get_text() in {text for _, _, text, _ in drawing.layout.texts}]
    assert all(axes.bbox.x0 <= word.get_window_extent().x0 for word in words), "nothing reaches over the left edge"
    assert all(word.get_window_extent().x1 <= axes.bbox.x1 for word in words)
    assert min(text.get_fontsize() for text in drawing.figure.axes[0].texts) >= 9
    assert drawing.figure.get_size_inches()[0] < 8


def test_the_alt_text_tells_the_path(drawn):
    alt = drawn("vgg16").figure.alt
    assert "an input of 3×224×224 passes 13 convolutions, 5 pools and 3 linear layers" in alt
    assert "64 of 224×224, then 128 of 112×112, then 256 of 56×56, then 512 of 28×28" in alt
    assert "4,096, 4,096 and 1,000 units" in alt
    alt = drawn("resnet50").figure.alt
    assert "256 of 56×56" in alt and "16 skips, 4 of them through a convolution" in alt


def test_it_draws_the_model_at_hand_not_the_papers(build):
    figure = plots.architecture_drawing(build("vgg8", width=0.5), (3, 32, 32))
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {"32", "64", "128", "256"} < texts and "512" not in texts


def test_a_perceptron_is_an_image_and_bars(build):
    figure = plots.architecture_drawing(build("mlp"), (1, 28, 28), title="A perceptron")
    assert "passes 3 linear layers. Bars show 512, 256 and 10 units." in figure.alt
    assert figure.axes[0].get_title() == "A perceptron"


def test_a_part_of_a_network_can_be_drawn(build):
    block = build("vgg16").features[10:17]
    figure = plots.architecture_drawing(block, (128, 56, 56), title="Block 3")
    assert figure.alt.startswith(
        "Block 3, drawn from left to right: an input of 128×56×56 passes 3 convolutions and 1 pool"
    )
    assert "linear" not in [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_an_image_that_does_not_fit_names_the_layer(build):
    with pytest.raises(ValueError, match=r"classifier\.1"):
        plots.architecture_drawing(build("lenet5"), (1, 32, 32))

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


def test_boxes_are_to_scale(drawing):
    maps, bars = maps_and_bars(drawing)
    scale = maps[0].height / maps[0].volume.height
    widest = max(maps, key=lambda box: box.volume.channels)
    unit = widest.thickness / math.sqrt(widest.volume.channels)
    for box in maps:
        assert box.height == pytest.approx(max(0.05, scale * box.volume.height))
        assert box.depth == pytest.approx(scale * box.volume.width)
        assert box.thickness == pytest.approx(max(0.03, unit * math.sqrt(box.volume.channels)))
    for bar, other in pairwise(bars):
        assert (bar.height / other.height) ** 2 == pytest.approx(bar.volume.channels / other.volume.channels)


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


def test_texts_are_large_and_inside_and_do_not_overlap(drawing, overlapping):
    assert overlapping(drawing.figure) == []
    axes, labels = drawing.figure.axes[0], {text for _, _, text, _ in drawing.layout.texts}
    extents = [text.get_window_extent() for text in axes.texts if text.get_text() in labels]
    assert all(axes.bbox.x0 <= extent.x0 and extent.x1 <= axes.bbox.x1 for extent in extents)
    assert min(text.get_fontsize() for text in axes.texts) >= 9
    assert drawing.figure.get_size_inches()[0] < 8

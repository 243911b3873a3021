from itertools import combinations

import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from course_lib import plots
from course_lib.plots.labels import label_points, percent, spoken


def boxes_of(labels, figure):
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    return [Text.get_window_extent(label, renderer) for label in labels]


def crowd(points, **options):
    figure, axes = plots.new_figure(width=4, height=3)
    axes.set(xlim=(0, 10), ylim=(0, 10))
    labels = label_points(axes, [f"network {place}" for place in range(len(points))], points, **options)
    return figure, axes, labels


def test_a_single_name_is_right_of_its_point():
    figure, axes, labels = crowd([(5, 5)])
    x, y = axes.transData.transform((5, 5))
    (box,) = boxes_of(labels, figure)
    assert x < box.x0 < x + 30 and box.y0 < y < box.y1
    assert not labels[0].arrow_patch.get_visible()


def test_crowded_names_overlap_neither_each_other_nor_points():
    points = [(5, 5), (5.3, 5.2), (4.8, 5.4), (5.1, 4.6)]
    figure, axes, labels = crowd(points)
    boxes = boxes_of(labels, figure)
    assert not any(Bbox.intersection(*pair) for pair in combinations(boxes, 2))
    assert not any(box.contains(*axes.transData.transform(point)) for box in boxes for point in points)


def test_names_stay_inside_the_axes():
    figure, axes, labels = crowd([(9.8, 9.8), (0.2, 0.2)])
    assert all(axes.bbox.contains(*corner) for box in boxes_of(labels, figure) for corner in box.corners())


def test_names_avoid_error_bars():
    figure, axes, labels = crowd([(5, 5), (7, 8)], spreads=[0.1, 4.0])
    low, high = axes.transData.transform([(7, 4), (7, 12)])
    bar = Bbox([[low[0] - 1, low[1]], [high[0] + 1, high[1]]])
    assert not any(Bbox.intersection(box, bar) for box in boxes_of(labels, figure))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.0 k"),
        (999_499, "999 k"),
        (999_501, "1.0 M"),
        (29_773_354, "29.8 M"),
        (99_960_000, "100 M"),
        (15_470_264_320, "15.5 G"),
        (2_000_000_000_000, "2,000 G"),
    ],
)
def test_counts_have_three_digits(number, words):
    assert spoken(number) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0%"),
        (0.00004, "<0.1%"),
        (0.0034, "0.3%"),
        (0.9991, "99.9%"),
        (0.99996, ">99.9%"),
        (1, "100%"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share, words):
    assert percent(share) == words

"""Fixtures for tests of figures: networks on the meta device, and a search for overlapping texts."""

from itertools import combinations

import pytest
import torch
from matplotlib.transforms import Bbox

from course_lib import models


@pytest.fixture(scope="session")
def build():
    """Builds a network by name on the meta device."""

    def by_name(name, **options):
        with torch.device("meta"):
            return getattr(models, name)(**options)

    return by_name


@pytest.fixture(scope="session")
def overlapping():
    """Finds pairs of overlapping texts in a figure, among titles, labels and legends."""

    def pairs(figure):
        figure.draw_without_rendering()
        renderer = figure.canvas.get_renderer()
        words = [*figure.texts]
        for holder in [*figure.axes, figure]:
            legend = holder.legends[0] if holder is figure and figure.legends else getattr(holder, "legend_", None)
            words += list(legend.get_texts()) if legend else []
        for axes in figure.axes:
            words += [*axes.texts, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
            words += axes.get_yticklabels() if axes.axison else []
        boxes = [(word.get_text(), _extent(word, renderer)) for word in words if word.get_text().strip()]
        assert len(boxes) > 1
        return [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if _overlap(a, b)]

    return pairs


def _extent(word, renderer) -> Bbox:
    from matplotlib.text import Text

    if hasattr(word, "update_positions"):
        word.update_positions(renderer)
    return Text.get_window_extent(word, renderer)


def _overlap(one: Bbox, other: Bbox) -> bool:
    both = Bbox.intersection(one, other)
    return both is not None and both.width > 1 and both.height > 2

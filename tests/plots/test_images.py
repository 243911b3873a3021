import pytest
import torch

from course_lib import plots


def test_each_filter_is_scaled_around_its_own_zero():
    weights = torch.zeros(2, 3, 4, 4)
    weights[0, 0, 0, 0], weights[0, 2, 1, 1] = 0.2, -0.1
    weights[1] = -5.0
    first, second = (axes.images[0].get_array() for axes in plots.filter_grid(weights).axes[:2])
    assert first[0, 0].tolist() == pytest.approx([1, 0.5, 0.5]), "the largest weight, in red"
    assert first[1, 1].tolist() == pytest.approx([0.5, 0.5, 0.25])
    assert first[3, 3].tolist() == pytest.approx([0.5, 0.5, 0.5]), "zero is mid-grey"
    assert second.min() == second.max() == 0


def test_the_alt_text_counts_grey_and_coloured_filters():
    grey, coloured = torch.randn(3, 1, 5, 5).expand(3, 3, 5, 5), torch.zeros(2, 3, 5, 5)
    coloured[:, 0] = 1.0
    alt = plots.filter_grid(torch.cat([grey, coloured])).alt
    assert "5 colour filters, 5 by 5" in alt and "3 are nearly grey" in alt and "2 prefer a colour" in alt


def test_one_channel_is_drawn_as_weights():
    figure = plots.filter_grid(torch.randn(6, 1, 5, 5))
    assert "6 maps of filter weights, 5 by 5" in figure.alt


def test_refuses_filters_of_deep_layers():
    with pytest.raises(ValueError, match="8×64×3×3 are no pictures"):
        plots.filter_grid(torch.zeros(8, 64, 3, 3))

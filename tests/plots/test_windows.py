import torch
from matplotlib.patches import Rectangle

from course_lib import plots


def test_one_window_against_three_that_see_the_same(overlapping):
    figure = plots.window_comparison()
    assert "One window of 7×7: 49 weights, 1 ReLU for one pair of channels, the cells go from 7×7 to 1×1" in figure.alt
    assert "Three windows of 3×3: 27 weights, 3 ReLUs" in figure.alt
    assert "from 7×7 to 5×5 to 3×3 to 1×1" in figure.alt
    assert overlapping(figure) == []


def test_every_cell_is_drawn_and_the_windows_have_their_sides():
    patches = [patch for patch in plots.window_comparison().axes[0].patches if isinstance(patch, Rectangle)]
    cells = [patch for patch in patches if patch.get_facecolor()[:3] == (1, 1, 1)]
    assert len([cell for cell in cells if cell.get_fill()]) == (49 + 1) + (49 + 25 + 9 + 1)
    assert [patch.get_width() for patch in patches if not patch.get_fill()] == [7, 3, 3, 3]


def test_each_window_ends_in_the_cell_that_it_makes():
    axes = plots.window_comparison().axes[0]
    made = {(patch.get_x(), patch.get_y()) for patch in axes.patches if patch.get_zorder() == 3.5}
    ends = [tuple(line.get_xydata()[-1]) for line in axes.lines]
    assert len(made) == 4 and len(ends) == 8
    assert set(ends[::2]) == made


def test_it_draws_no_random_numbers():
    before = torch.get_rng_state()
    plots.window_comparison()
    assert torch.equal(torch.get_rng_state(), before)

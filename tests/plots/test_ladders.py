import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from course_lib import plots
from course_lib.plots.figure import BLUE, GREY, ORANGE


@pytest.fixture
def rungs():
    """Four loops; the third is slower than the second, the fourth faster than the third and slower than the second."""
    return pd.DataFrame(
        {
            "milliseconds": [120.0, 40.0, 60.0, 48.0],
            "least": [110.0, 39.0, 52.0, 47.5],
            "most": [150.0, 44.0, 61.0, 55.0],
            "share_of_roof": [0.123, 0.5, float("nan"), 1.0],
        },
        index=["the beginner's loop", "channels last", "compiled", "bfloat16"],
    )


def words_of(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def colours_of(figure):
    return [bar.get_facecolor() for bar in figure.axes[0].patches]


def test_bars_are_as_long_as_the_milliseconds_and_stand_in_their_order(rungs):
    axes = plots.speed_ladder(rungs).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [120, 40, 60, 48]
    assert [bar.get_y() + bar.get_height() / 2 for bar in axes.patches] == pytest.approx([0, 1, 2, 3])
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first rung stands on top"
    assert [label.get_text() for label in axes.get_yticklabels()] == list(rungs.index)
    assert axes.get_yticks().tolist() == [0, 1, 2, 3]


def test_each_bar_says_its_time_its_speed_up_and_its_share(rungs):
    assert words_of(plots.speed_ladder(rungs)) == [
        "120 ms   ×1.00   12.3% of the roof",
        "40 ms   ×3.00   50.0% of the roof",
        "60 ms   ×2.00",
        "48 ms   ×2.50   100% of the roof",
    ]


def test_alt_text_says_all_numbers(rungs):
    assert plots.speed_ladder(rungs, title="milliseconds on a CPU").alt == (
        "Bars of milliseconds on a CPU. the beginner's loop: 120 ms, ×1.00, 12.3% of the roof; "
        "channels last: 40 ms, ×3.00, 50.0% of the roof; compiled: 60 ms, ×2.00; bfloat16: 48 ms, ×2.50, "
        "100% of the roof."
    )
    assert plots.speed_ladder(rungs).alt.startswith("Bars of milliseconds for 128 images. ")


def test_the_title_stands_below(rungs):
    assert plots.speed_ladder(rungs).axes[0].get_xlabel() == "milliseconds for 128 images"
    assert plots.speed_ladder(rungs, title="other").axes[0].get_xlabel() == "other"


def test_a_rung_that_is_slower_than_the_one_before_it_is_orange(rungs):
    """Not than the first, and not than the best: the last one is blue."""
    assert colours_of(plots.speed_ladder(rungs)) == [to_rgba(colour) for colour in (GREY, BLUE, ORANGE, BLUE)]


def test_a_rung_that_is_just_as_fast_is_not():
    rungs = pd.DataFrame({"milliseconds": [5, 5, 6]}, index=["one", "two", "three"])
    assert colours_of(plots.speed_ladder(rungs)) == [to_rgba(colour) for colour in (GREY, BLUE, ORANGE)]


def test_ranges_reach_from_the_least_to_the_most(rungs):
    (bars,) = plots.speed_ladder(rungs).axes[0].containers[1:]
    (reach,) = bars.lines[2]
    segments = [segment.tolist() for segment in reach.get_segments()]
    expected = zip(rungs["least"], rungs["most"], range(4), strict=True)
    assert segments == [[[least, place], [most, place]] for least, most, place in expected]


def test_a_median_outside_of_its_range_is_no_error(rungs):
    """Ranges and middle may come from other rounds."""
    rungs["least"], rungs["most"] = rungs["milliseconds"] + 1, rungs["milliseconds"] - 1
    (bars,) = plots.speed_ladder(rungs).axes[0].containers[1:]
    assert all(segment[0].tolist() == segment[1].tolist() for segment in bars.lines[2][0].get_segments())


@pytest.mark.parametrize(
    "missing", [["least", "most"], ["share_of_roof"], ["least", "most", "share_of_roof"], ["most"]]
)
def test_it_is_drawn_without_what_is_not_known(rungs, missing):
    figure = plots.speed_ladder(rungs.drop(columns=missing))
    assert len(figure.axes[0].containers) == (1 if "most" in missing else 2)
    assert ("of the roof" in figure.alt) is ("share_of_roof" not in missing)
    assert "channels last: 40 ms, ×3.00" in figure.alt and figure.to_png()


def test_a_single_rung():
    figure = plots.speed_ladder(pd.DataFrame({"milliseconds": [0.25]}, index=["only"]))
    assert figure.alt == "Bars of milliseconds for 128 images. only: 0.25 ms, ×1.00."
    assert colours_of(figure) == [to_rgba(GREY)]


@pytest.mark.parametrize("columns", [{}, {"milliseconds": []}])
def test_a_ladder_without_rungs_is_refused(columns):
    with pytest.raises(ValueError, match=r"^a ladder needs at least one rung$"):
        plots.speed_ladder(pd.DataFrame(columns))


def test_words_hide_nothing_and_stay_inside(rungs, overlapping):
    rungs.loc["the beginner's loop", "most"] = 190
    figure = plots.speed_ladder(rungs)
    assert overlapping(figure) == []
    axes = figure.axes[0]
    starts = [text.get_window_extent().x0 for text in axes.texts]
    ends = axes.transData.transform([(most, 0) for most in rungs["most"]])[:, 0]
    assert all(start > end for start, end in zip(starts, ends, strict=True)), "behind the range, not on it"
    assert max(text.get_window_extent().x1 for text in axes.texts) <= figure.bbox.x1


def test_the_table_stays_as_it_is(rungs):
    before = rungs.copy()
    plots.speed_ladder(rungs)
    pd.testing.assert_frame_equal(rungs, before)

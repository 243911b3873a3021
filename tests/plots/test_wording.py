import pytest

from course_lib.plots.labels import counted, listed, percent, spoken


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (640, "640"),
        (999, "999"),
        (1_000, "1.0 k"),
        (61_706, "61.7 k"),
        (999_499, "999 k"),
        (999_501, "1.0 M"),
        (29_773_354, "29.8 M"),
        (99_960_000, "100 M"),
        (138_357_544, "138 M"),
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
        (0.5, "50.0%"),
        (0.9991, "99.9%"),
        (0.99996, ">99.9%"),
        (1, "100%"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share, words):
    assert percent(share) == words


def test_lists_and_plurals():
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert [counted(1, "pool"), counted(2, "pool")] == ["1 pool", "2 pools"]

"""Names of classes, layers and runs are drawn as they stand, whatever characters they have."""

import pandas as pd
import pytest
import torch
from matplotlib.text import Text

from course_lib import analysis, models, plots, training
from course_lib.data import Split
from course_lib.plots import figure as figures
from course_lib.training.history import Epoch, History
from course_lib.transfer import figures as transfer

NAMES = ("$5", "$x^$", r"$\foo$", "a_b^c{", "<b>&amp;|", "_hidden", "猫", "🐈", "שלום", "50 % \\$", "macro", "total")
MISSING = "ignore:Glyph .* missing from font:UserWarning"  # no font here has them: matplotlib draws boxes, and says so


@pytest.fixture(scope="module")
def split():
    images, labels = torch.zeros(12, 1, 28, 28, dtype=torch.uint8), torch.arange(12)
    return Split("$mine_", images, labels, NAMES, (0.5,), (0.25,))


@pytest.fixture(scope="module")
def answers():
    return analysis.Predictions(torch.eye(12).roll(1, 0), torch.arange(12), NAMES)


def history(epochs=1):
    return History(epochs=[Epoch(number, 1.0, 0.5, 1.0, 0.5, 0.1, 1.0, 1.0) for number in range(1, epochs + 1)])


def drawings(split, answers):
    lenet = models.lenet5()
    table, fields = analysis.layer_table(lenet, (1, 28, 28)), analysis.receptive_field(lenet.features)
    signals = pd.DataFrame({"gradient rms": [1.0, 1e-6]})
    costs = {"accuracy": 0.9, "spread": None, "parameters": 10, "multiply_adds": 10, "seconds": 10}
    steps = pd.DataFrame({"step": 0, "gradient rms": range(1, 13)}, index=NAMES)
    yield plots.image_grid(split, range(12))
    yield plots.mistake_grid(split, analysis.worst_mistakes(answers))
    yield plots.weight_grid(torch.ones(12, 3, 3), NAMES)
    yield plots.feature_map_grid(torch.rand(12, 3, 3), NAMES)
    yield plots.confusion_heatmap(analysis.confusion_matrix(answers))
    yield plots.compare_curves(dict.fromkeys(NAMES, history()))
    yield plots.share_bars(dict.fromkeys(NAMES, table))
    yield plots.receptive_growth(dict.fromkeys(NAMES, fields))
    yield plots.signal_chain(dict.fromkeys(NAMES, signals))
    yield plots.signals_over_steps(steps)
    yield plots.first_layer_over_steps(dict.fromkeys(NAMES, steps), "gradient rms")
    yield plots.accuracy_against_cost(pd.DataFrame(costs, index=NAMES))
    yield plots.speed_ladder(pd.DataFrame({"milliseconds": 1.0}, index=NAMES))
    five = table[table["parameters"] > 0].set_axis([*NAMES[-5:], "total"])
    yield plots.layer_bars(five)
    yield transfer.ladder_errors({name: [0.5] for name in NAMES})
    yield transfer.cut_curve(dict.fromkeys(NAMES, 0.5))
    yield transfer.weight_movement({name: {"layer": 0.1} for name in NAMES[:3]}, 0.2)


@pytest.mark.filterwarnings(MISSING)
def test_every_name_stands_in_every_figure_as_it_is(split, answers):
    for figure in drawings(split, answers):
        figure.to_png()
        texts = [text for text in figure.findobj(Text) if text.get_visible()]
        shown = "\n".join(text.get_text() for text in texts if not text.get_parse_math())
        several = {"Bars for 5 layers": NAMES[-5:], "weights of each layer moved": NAMES[:3]}
        expected = next((names for part, names in several.items() if part in figure.alt), NAMES)
        assert [name for name in expected if name not in shown] == [], figure.alt


@pytest.mark.filterwarnings(MISSING)
def test_titles_and_the_numbers_of_logarithmic_axes():
    drawn = plots.architecture_drawing(models.lenet5(), (1, 28, 28), title=r"$\foo$_<")
    drawn.to_png()
    assert drawn.axes[0].get_title() == r"$\foo$_<" and not drawn.axes[0].title.get_parse_math()
    drawn = plots.signal_chain({"one": pd.DataFrame({"gradient rms": [1.0, 1e-6]})})
    drawn.to_png()
    numbers = [label for label in drawn.axes[0].get_yticklabels() if "10^" in label.get_text()]
    assert numbers and all(label.get_parse_math() for label in numbers)


def test_a_character_that_the_usual_font_lacks_comes_from_one_that_has_it():
    script = "\N{SCRIPT CAPITAL E}\N{MATHEMATICAL BOLD SCRIPT CAPITAL A}"  # matplotlib brings fonts that have these
    assert figures.fonts_for(script) and not set(script) <= figures._USUAL
    assert figures.fonts_for("\U0010fffd") == []


def test_a_history_without_an_epoch_is_an_empty_table_and_no_figure(answers, digits):
    empty = History()
    assert list(empty.to_frame()) == list(history().to_frame()) and empty.to_frame().index.name == "epoch"
    assert empty.to_rows()[1] == [] and empty.seconds == len(empty) == 0
    for draw in (
        plots.learning_curves,
        lambda none: plots.compare_curves({"one": history(), "two": none}),
        lambda none: training.record("mine", none, answers, digits),
    ):
        with pytest.raises(ValueError, match=r"no epoch.*train"):
            draw(empty)

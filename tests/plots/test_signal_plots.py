import numpy as np
import pandas as pd
import pytest

from course_lib import plots
from course_lib.analysis import watch
from course_lib.models import lenet5
from course_lib.training import set_seed


def chain(values, measure="gradient rms"):
    return pd.DataFrame({measure: values}, index=[f"layer {place}" for place in range(len(values))])


def test_lines_and_the_ratio_of_their_ends(overlapping):
    figure = plots.signal_chain({"plain": chain([1e-6, 1e-4, 1e-2]), "even": chain([0.4, 0.2])})
    axes = figure.axes[0]
    assert axes.get_yscale() == "log"
    assert axes.lines[0].get_xydata().tolist() == [[1, 1e-6], [2, 1e-4], [3, 1e-2]]
    assert "plain: 1e-06 in layer 1 and 0.01 in layer 3, the last 1e+04 times the first" in figure.alt
    assert "even: 0.4 in layer 1 and 0.2 in layer 2, the first 2 times the last" in figure.alt
    assert "zero" not in figure.alt
    assert overlapping(figure) == []


def test_zeros_are_triangles_at_the_bottom():
    figure = plots.signal_chain({"dead": chain([0, 0, 1e-3, 1e-2])})
    axes = figure.axes[0]
    line, marks = axes.lines[:2]
    assert np.isnan(line.get_ydata()).tolist() == [True, True, False, False]
    assert marks.get_xdata().tolist() == [1, 2] and set(marks.get_ydata()) == {axes.get_ylim()[0]}
    assert axes.get_ylim()[0] < 1e-3
    assert "2 of 4 layers zero" in figure.alt
    assert "zero" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_values_that_are_not_finite_are_crosses_at_the_top():
    figure = plots.signal_chain({"burst": chain([1.0, float("inf"), float("nan")])})
    marks = figure.axes[0].lines[1]
    assert marks.get_marker() == "x" and marks.get_xdata().tolist() == [2, 3]
    assert set(marks.get_ydata()) == {figure.axes[0].get_ylim()[1]}
    assert "2 of 3 layers not finite" in figure.alt and "times" not in figure.alt


@pytest.mark.parametrize(("values", "problem"), [([0, 0], "nothing to draw"), ([1, -1], "below zero")])
def test_refuses_values_that_a_logarithmic_axis_cannot_show(values, problem):
    with pytest.raises(ValueError, match=problem):
        plots.signal_chain({"it": chain(values)})
    with pytest.raises(ValueError, match=problem):
        plots.signals_over_steps(chain(values).assign(step=0))


def test_the_first_layer_over_steps_leaves_out_the_others():
    steps = [0, 10, 0, 10]
    layers = ["front", "front", "behind", "behind"]
    table = pd.DataFrame({"step": steps, "gradient rms": [1e-3, 0, 5.0, 6.0]}, index=layers)
    figure = plots.first_layer_over_steps({"dies": table}, "gradient rms", mark=("small", 1e-8))
    line, zeros = figure.axes[0].lines[:2]
    assert line.get_xydata()[0].tolist() == [0, 1e-3] and zeros.get_xdata().tolist() == [10]
    assert "dies: 0.001 at step 0 and 0 at step 10, zero at 1 of 2 steps, first at 10" in figure.alt
    with pytest.raises(ValueError, match="nothing to draw"):
        plots.first_layer_over_steps({"dead": table.assign(**{"gradient rms": 0.0})}, "gradient rms")


def test_heat_map_of_layers_by_steps(few):
    set_seed(0)
    model = lenet5()
    with watch(model) as recorded:
        for _ in range(3):
            model(few.images[:8].float()).logsumexp(1).mean().backward()
    frame = recorded.table()
    figure = plots.signals_over_steps(frame, "gradient rms")
    axes, bar = figure.axes
    grid = axes.collections[0].get_array()
    assert grid.shape == (5, 3)
    for row, name in enumerate(dict.fromkeys(frame.index)):
        assert grid[row].tolist() == frame.loc[name, "gradient rms"].tolist()
    assert [label.get_text() for label in axes.get_yticklabels()] == list(dict.fromkeys(frame.index))
    assert axes.get_ylim() == (5, 0), "the first layer is on top"
    assert bar.get_ylabel() == "gradient rms"
    assert "5 layers by 3 steps" in figure.alt and "grey" not in figure.alt


def test_zeros_are_grey():
    frame = pd.concat([chain([0.1, 0.2]).assign(step=0), chain([0.0, 0.4]).assign(step=10)])
    figure = plots.signals_over_steps(frame)
    assert figure.axes[0].collections[0].get_array().mask.tolist() == [[False, True], [False, False]]
    assert "1 of 4 squares are grey" in figure.alt
    assert "From step 0 to step 10, layer 0 goes from 0.1 to 0 and layer 1 from 0.2 to 0.4" in figure.alt

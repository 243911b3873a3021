"""The course's figures. Each function returns a figure that shows itself in a notebook and carries alt text."""

from course_lib.plots.architecture import architecture_drawing
from course_lib.plots.costs import accuracy_against_cost, layer_bars, parameter_pie, share_bars
from course_lib.plots.curves import compare_curves, learning_curves
from course_lib.plots.diagrams import unit_diagram
from course_lib.plots.figure import BLUE, GREEN, ORANGE, DescribedFigure, finish, new_figure
from course_lib.plots.growth import channel_progression, receptive_growth
from course_lib.plots.ladders import speed_ladder
from course_lib.plots.matrices import confusion_heatmap
from course_lib.plots.pictures import feature_map_grid, filter_grid, image_grid, mistake_grid, weight_grid
from course_lib.plots.signal_lines import signal_chain, signals_over_steps
from course_lib.plots.windows import receptive_field_boxes, window_comparison

__all__ = [
    "BLUE",
    "GREEN",
    "ORANGE",
    "DescribedFigure",
    "accuracy_against_cost",
    "architecture_drawing",
    "channel_progression",
    "compare_curves",
    "confusion_heatmap",
    "feature_map_grid",
    "filter_grid",
    "finish",
    "image_grid",
    "layer_bars",
    "learning_curves",
    "mistake_grid",
    "new_figure",
    "parameter_pie",
    "receptive_field_boxes",
    "receptive_growth",
    "share_bars",
    "signal_chain",
    "signals_over_steps",
    "speed_ladder",
    "unit_diagram",
    "weight_grid",
    "window_comparison",
]

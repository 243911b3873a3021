"""The course's figures. Each function returns a figure that shows itself in a notebook and carries alt text."""

from course_lib.plots.architecture import architecture_drawing
from course_lib.plots.costs import accuracy_against_cost, layer_bars, parameter_pie, share_bars, speed_ladder
from course_lib.plots.diagrams import (
    backpropagation_graph,
    channel_progression,
    pooling_windows,
    reachable_functions,
    residual_blocks,
    timeline,
)
from course_lib.plots.figure import BLUE, GREEN, ORANGE, DescribedFigure, finish, new_figure
from course_lib.plots.images import (
    convolution_result,
    feature_map_grid,
    filter_grid,
    image_grid,
    mistake_grid,
    template_sum,
    weight_grid,
)
from course_lib.plots.receptive_fields import receptive_growth, window_comparison
from course_lib.plots.results import (
    accuracy_by,
    compare_curves,
    confusion_heatmap,
    confusion_heatmaps,
    learning_curves,
    mean_curves,
    run_dots,
    shift_lines,
)
from course_lib.plots.signals import first_layer_over_steps, signal_chain, signals_over_steps

"""Transfer from a network trained on photographs to digits: each common bug is one choice, with a guard and a figure.

>>> Choices(resize="refill").images
'refilled to 112 × 112, grey repeated in 3 channels, normalised as for ImageNet'
"""

from course_lib.transfer.cases import CUT_RUNS, CUTS, GRID, LADDER, RIGHT, WITHOUT_BUGS, Choices, cell_name, cut_name
from course_lib.transfer.features import features_of
from course_lib.transfer.figures import (
    batch_as_seen,
    channel_pictures,
    cut_curve,
    grid_heatmap,
    grid_table,
    ladder_errors,
    pixel_histogram,
    statistics_drift,
    weight_movement,
)
from course_lib.transfer.guards import (
    movement,
    normalised,
    one_image_each,
    snapshot,
    statistics_stand_still,
    three_equal_channels,
)
from course_lib.transfer.inputs import draw, prepare
from course_lib.transfer.networks import BACKBONES, build, multiply_adds, trained_share
from course_lib.transfer.run import Outcome, epochs_for, first_steps, record, run

"""From a network that knows photographs to one that knows digits, and the bugs on the way, each a toggle.

=========== ==========================================================================
module      what it holds
=========== ==========================================================================
choices     what can be done right or wrong: ``Choices``
inputs      grey digits to colour images
networks    a backbone, partly frozen, under a new head
features    what frozen layers say, computed once
running     ``run``: one way of transfer, trained and judged; ``record``: its record
guards      one line a bug that would have stopped it
rungs       the ladder of bugs, and the grid of input bugs against training modes
probing     how good a head gets on each cut of a backbone
pictures    the batch as the network sees it, and the one plot a bug that shows it
charts      the ladder and the grid, from records
=========== ==========================================================================

>>> Choices(resize="refill").images
'refilled to 112 × 112, grey repeated in 3 channels, normalised as for ImageNet'
"""

from course_lib.transfer.charts import cut_curve, grid_heatmap, grid_table, ladder_bars
from course_lib.transfer.choices import Choices
from course_lib.transfer.features import FeatureSplit, features_of
from course_lib.transfer.guards import (
    better_than_from_scratch,
    frozen_at_the_best_cut,
    look_at_inputs,
    movement,
    normalised,
    one_image_each,
    sees_no_more_than_the_image,
    snapshot,
    statistics_stand_still,
    still_near_the_start,
    three_equal_channels,
)
from course_lib.transfer.inputs import draw, prepare
from course_lib.transfer.networks import BACKBONES, Transferred, build, trained_share
from course_lib.transfer.pictures import (
    batch_as_seen,
    channel_pictures,
    pixel_histogram,
    statistics_drift,
    weight_movement,
)
from course_lib.transfer.probing import accuracy_by_cut, first_steps
from course_lib.transfer.rungs import (
    CUT_RUNS,
    CUTS,
    GRID,
    INPUTS,
    LADDER,
    MENDED,
    MODES,
    RIGHT,
    Rung,
    cell_name,
    cut_name,
)
from course_lib.transfer.running import Outcome, record, run

__all__ = [
    "BACKBONES",
    "CUTS",
    "CUT_RUNS",
    "GRID",
    "INPUTS",
    "LADDER",
    "MENDED",
    "MODES",
    "RIGHT",
    "Choices",
    "FeatureSplit",
    "Outcome",
    "Rung",
    "Transferred",
    "accuracy_by_cut",
    "batch_as_seen",
    "better_than_from_scratch",
    "build",
    "cell_name",
    "channel_pictures",
    "cut_curve",
    "cut_name",
    "draw",
    "features_of",
    "first_steps",
    "frozen_at_the_best_cut",
    "grid_heatmap",
    "grid_table",
    "ladder_bars",
    "look_at_inputs",
    "movement",
    "normalised",
    "one_image_each",
    "pixel_histogram",
    "prepare",
    "record",
    "run",
    "sees_no_more_than_the_image",
    "snapshot",
    "statistics_drift",
    "statistics_stand_still",
    "still_near_the_start",
    "three_equal_channels",
    "trained_share",
    "weight_movement",
]

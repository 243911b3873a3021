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

from course_lib.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "choices": ["Choices"],
        "inputs": ["draw", "prepare"],
        "networks": ["BACKBONES", "Transferred", "build", "trained_share"],
        "features": ["FeatureSplit", "features_of"],
        "running": ["Outcome", "record", "run"],
        "guards": [
            *("better_than_from_scratch", "frozen_at_the_best_cut", "look_at_inputs", "movement", "normalised"),
            *("one_image_each", "sees_no_more_than_the_image", "snapshot", "statistics_stand_still"),
            *("still_near_the_start", "three_equal_channels"),
        ],
        "rungs": [
            *("CUTS", "CUT_RUNS", "GRID", "INPUTS", "LADDER", "MENDED", "MODES", "RIGHT", "Rung"),
            *("cell_name", "cut_name"),
        ],
        "probing": ["accuracy_by_cut", "first_steps"],
        "pictures": ["batch_as_seen", "channel_pictures", "pixel_histogram", "statistics_drift", "weight_movement"],
        "charts": ["cut_curve", "grid_heatmap", "grid_table", "ladder_bars"],
    },
)

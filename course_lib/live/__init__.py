"""Live figures: ideas that one can touch. Each function returns a figure that starts where the reader sees it."""

from course_lib.live.catalog import (
    descent,
    drag_a_digit,
    moving_window,
    receptive_fields,
    refill,
    residual_block,
    seeds,
    train_here,
)
from course_lib.live.figure import LiveFigure

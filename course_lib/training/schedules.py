"""Learning-rate schedules: functions from the share of training done, in [0, 1), to a factor in [0, 1].

They depend on that share alone and have no state, so a resumed run continues with the right rate.
"""

import math
from collections.abc import Callable

Schedule = Callable[[float], float]


def constant(progress: float) -> float:
    """Always 1: the learning rate stays as it is."""
    return 1.0


def cosine(progress: float) -> float:
    """Falls from 1 to 0 along half a cosine. Source: Loshchilov and Hutter, SGDR, 2017, equation 5."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def one_cycle(progress: float) -> float:
    """Rises for a fifth of training, then falls to 0. Source: after Smith and Topin, Super-Convergence, 2018."""
    return progress / 0.2 if progress < 0.2 else cosine((progress - 0.2) / 0.8)

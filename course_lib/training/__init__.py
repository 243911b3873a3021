"""``fit``, ``evaluate`` and ``predict``, and what they need: seeds, devices, schedules, checkpoints.

What only the chapter on speed uses, stopwatch and roof, is imported on demand.
"""

from course_lib.lazy import lazy_names
from course_lib.training.checkpoints import checkpoint_path
from course_lib.training.devices import best_device, describe_device
from course_lib.training.fitting import fit
from course_lib.training.history import Epoch, History
from course_lib.training.inference import Score, evaluate, predict
from course_lib.training.live import TrainingWarning
from course_lib.training.recording import record
from course_lib.training.schedules import constant, cosine, one_cycle
from course_lib.training.seeds import set_seed
from course_lib.training.setup import Setup, choose_setup

__getattr__, _, _on_demand = lazy_names(
    __name__,
    {
        "timing": ["interleave", "speedups"],
        "roof": ["convolution_roof", "matmul_roof", "share_of_roof"],
    },
)
__all__ = [
    "Epoch",
    "History",
    "Score",
    "Setup",
    "TrainingWarning",
    "best_device",
    "checkpoint_path",
    "choose_setup",
    "constant",
    "cosine",
    "describe_device",
    "evaluate",
    "fit",
    "one_cycle",
    "predict",
    "record",
    "set_seed",
    *_on_demand,
]


def __dir__() -> list[str]:
    return sorted(__all__)

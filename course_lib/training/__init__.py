"""``fit``, ``evaluate`` and ``predict``, and what they need: seeds, devices, schedules, checkpoints."""

from course_lib.training.checkpoints import checkpoint_path
from course_lib.training.devices import best_device, describe_device
from course_lib.training.fitting import fit
from course_lib.training.history import Epoch, History
from course_lib.training.inference import Score, evaluate, predict
from course_lib.training.live import TrainingWarning
from course_lib.training.recording import record
from course_lib.training.roof import convolution_roof, matmul_roof, share_of_roof
from course_lib.training.schedules import constant, cosine, one_cycle
from course_lib.training.seeds import set_seed
from course_lib.training.setup import Setup, choose_setup
from course_lib.training.timing import interleave, speedups

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
    "convolution_roof",
    "cosine",
    "describe_device",
    "evaluate",
    "fit",
    "interleave",
    "matmul_roof",
    "one_cycle",
    "predict",
    "record",
    "set_seed",
    "share_of_roof",
    "speedups",
]

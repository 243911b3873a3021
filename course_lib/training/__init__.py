"""``fit``, ``evaluate`` and ``predict``, and what they need: seeds, devices, schedules, checkpoints."""

from course_lib.training.checkpoints import checkpoint_path
from course_lib.training.display import TrainingWarning
from course_lib.training.distributed import Processes, processes
from course_lib.training.fit import fit
from course_lib.training.history import Epoch, History, record
from course_lib.training.memory import memory_kept
from course_lib.training.predict import Score, evaluate, predict
from course_lib.training.schedules import constant, cosine, one_cycle
from course_lib.training.seeds import set_seed
from course_lib.training.setup import Setup, best_device, choose_setup, describe_device, synchronize, usable_cores
from course_lib.training.throughput import convolution_roof, interleave, matmul_roof, share_of_roof, speedups

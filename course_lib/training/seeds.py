"""Random seeds and generator states: the same seed, device and thread count give the same numbers."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from course_lib import runlog

# cuBLAS reads this when CUDA starts, which is after this module was imported.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and torch. Call it before a network is built, so that its first weights are the same."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


if runlog.active():
    set_seed(0)  # in the pipeline, networks that a chapter builds without a seed are the same each time


@contextmanager
def reproducible(seed: int, device: torch.device) -> Iterator[None]:
    """Run a block with its own random stream and with deterministic algorithms; restore everything afterwards.

    Inside, dropout draws from a stream that starts at ``seed``, cuDNN neither searches for the fastest algorithm
    (that search can end differently) nor shortens float32 to TF32.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            torch.manual_seed(seed)
            cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32 = True, False, False
            yield
        finally:
            cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32 = before


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """The states of torch's generators on the CPU and on ``device``, for :func:`restore_random_state`."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["device"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["device"] = torch.mps.get_rng_state()
    return state


def restore_random_state(state: dict[str, torch.Tensor], device: torch.device) -> None:
    """Continue the random streams from the states of :func:`random_state`."""
    torch.set_rng_state(state["cpu"])
    if "device" in state and device.type == "cuda":
        torch.cuda.set_rng_state(state["device"], device)
    elif "device" in state and device.type == "mps":
        torch.mps.set_rng_state(state["device"])

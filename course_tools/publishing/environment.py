"""What a chapter's own kernel reports of the machine that it ran on. The engine asks once, after the last cell."""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

QUESTION = "__import__('course_tools.publishing.environment', fromlist=['report']).report()"


# What makes a processor fast at training, in the words of /proc/cpuinfo, the best first.
_INSTRUCTIONS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 with bfloat16", "avx512f": "AVX-512", "avx2": "AVX2"}


def processor() -> str:
    """Such as ``AMD EPYC, AVX-512 with bfloat16``; the architecture where the system does not say more."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        has = next(words for flag, words in _INSTRUCTIONS.items() if flag in said["flags"].split())
        return f"{said['model name']}, {has}"
    except (OSError, KeyError, StopIteration):
        return platform.processor() or platform.machine()


def report() -> str:
    """Device, processor, threads, versions of torch and Python, and peak memory in MB, as JSON."""
    found = {
        "device": "CPU",
        "threads": int(os.environ.get("OMP_NUM_THREADS") or 1),
        "torch": version("torch"),
        "python": platform.python_version(),
        "processor": processor(),
        "peak_memory_mb": 0,
    }
    if "torch" in sys.modules:  # else the chapter trained nothing, and loading torch would take a second
        import torch

        from course_lib.training import best_device, describe_device
        from course_lib.training.memory import highest_memory_mb

        device = best_device()
        found["device"] = "CPU" if device.type == "cpu" else describe_device(device)
        found |= {"threads": torch.get_num_threads(), "torch": torch.__version__}
        found["peak_memory_mb"] = round(highest_memory_mb(device))
    return json.dumps(found)

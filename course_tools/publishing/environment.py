"""What a chapter's own kernel reports of the machine that it ran on. The engine asks once, after the last cell."""

import json
import os
import platform
import sys
from importlib.metadata import version

from course_lib.machine import processor

QUESTION = "__import__('course_tools.publishing.environment', fromlist=['report']).report()"


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

        from course_lib.training.devices import best_device, describe_device, highest_memory_mb

        device = best_device()
        found["device"] = "CPU" if device.type == "cpu" else describe_device(device)
        found |= {"threads": torch.get_num_threads(), "torch": torch.__version__}
        found["peak_memory_mb"] = round(highest_memory_mb(device))
    return json.dumps(found)

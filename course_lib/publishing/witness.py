"""What a chapter's own kernel can say of its run. The engine asks it once, after the last cell."""

import json
import platform
import sys

QUESTION = "__import__('course_lib.publishing.witness', fromlist=['testimony']).testimony()"


def testimony() -> str:
    """Device, versions, threads, peak memory in MB; modules, data, weights and records that were used. As JSON."""
    modules = sorted(name for name in sys.modules if name.startswith("course_lib") and sys.modules[name] is not None)
    import torch

    from course_lib import weights
    from course_lib.data.loading import used_so_far
    from course_lib.records.lines import read_so_far
    from course_lib.training.devices import best_device, describe_device, highest_memory_mb

    device = best_device()
    return json.dumps(
        {
            "device": "CPU" if device.type == "cpu" else describe_device(device),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "python": platform.python_version(),
            "peak_memory_mb": round(highest_memory_mb(device)),
            "used": {
                "modules": [name for name in modules if not name.startswith("course_lib.publishing")],
                "data": used_so_far(),
                "weights": weights.used_so_far(),
                "records": read_so_far(),
            },
        }
    )

"""Where a page's outputs come from: profile, machine, versions, commit, date, time and memory of its run."""

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from course_lib.machine import processor

# An expression that the chapter's own kernel evaluates after its last cell.
MACHINE_REPORT = "__import__('course_tools.publishing.provenance', fromlist=['machine_report']).machine_report()"


def machine_report() -> str:
    """Device, processor, threads, versions of torch and Python, and peak memory in MB, as JSON."""
    report = {
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
        report["device"] = "CPU" if device.type == "cpu" else describe_device(device)
        report |= {"threads": torch.get_num_threads(), "torch": torch.__version__}
        report["peak_memory_mb"] = round(highest_memory_mb(device))
    return json.dumps(report)


def commit(root: Path) -> str:
    """The short hash of the checkout's commit, with ``+`` where files differ from it; ``COURSE_COMMIT`` overrides."""
    if os.environ.get("COURSE_COMMIT"):
        return os.environ["COURSE_COMMIT"]

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", root, *words], capture_output=True, encoding="utf-8", check=True)
        return done.stdout.strip()

    try:
        return git("rev-parse", "--short=10", "HEAD") + ("+" if git("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def footer(run: dict[str, Any]) -> str:
    """One Markdown paragraph that states where a page's outputs come from."""
    threads = f", {run['threads']} threads" if run["device"] == "CPU" else ""
    if threads and "processor" in run:
        threads += f" of {run['processor']}"
    minutes, seconds = divmod(round(run["seconds"]), 60)
    duration = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return (
        f"**Where these outputs come from.** Profile `{run['profile']}` on {run['device']}{threads}; "
        f"torch {run['torch']}, Python {run['python']}; commit `{run['commit']}`; {run['date']}; {duration} from the "
        f"first cell to the last, {run['peak_memory_mb'] / 1000:.1f} GB of memory at the peak; key `{run['key']}`."
    )

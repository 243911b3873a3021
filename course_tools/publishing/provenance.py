"""Where a page's outputs come from: profile, machine, versions, commit, date, time and memory of its run."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

# An expression that the chapter's own kernel evaluates after its last cell.
MACHINE_REPORT = "__import__('course_tools.publishing.provenance', fromlist=['machine_report']).machine_report()"
# What makes a processor fast at training, by flag in /proc/cpuinfo, the best first.
_INSTRUCTIONS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 with bfloat16", "avx512f": "AVX-512", "avx2": "AVX2"}


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


def processor() -> str:
    """Such as ``AMD EPYC, AVX-512 with bfloat16``; the architecture where /proc/cpuinfo does not list more."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        entries = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        best = next(name for flag, name in _INSTRUCTIONS.items() if flag in entries["flags"].split())
        return f"{entries['model name']}, {best}"
    except (OSError, KeyError, StopIteration):
        return platform.processor() or platform.machine()


def provenance(profile: str, commit: str, seconds: float) -> dict[str, Any]:
    """What the runner adds to the kernel's report, in the notebook's metadata under ``course.run``."""
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    return {"profile": profile, "commit": commit, "date": date, "seconds": round(seconds, 1)}


def commit(root: Path) -> str:
    """The short hash of the checkout's commit, with ``+`` where files differ from it; ``COURSE_COMMIT`` overrides."""
    if os.environ.get("COURSE_COMMIT"):
        return os.environ["COURSE_COMMIT"]

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=True).stdout.strip()

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

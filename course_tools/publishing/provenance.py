"""What a reader may ask of a page: when, where and with what was this run?"""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def provenance(profile: str, commit: str, seconds: float) -> dict[str, Any]:
    """What the runner adds to the kernel's own testimony, in the notebook's metadata under ``course.run``."""
    return {
        "profile": profile,
        "commit": commit,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "seconds": round(seconds, 1),
    }


def commit(root: Path) -> str:
    """The short hash of the checkout's commit, with ``+`` where files differ from it; ``COURSE_COMMIT`` overrides."""
    if os.environ.get("COURSE_COMMIT"):
        return os.environ["COURSE_COMMIT"]

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return git("rev-parse", "--short=10", "HEAD") + ("+" if git("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def footer(run: dict[str, Any]) -> str:
    """One Markdown paragraph that says where a page's outputs come from."""
    threads = f", {run['threads']} threads" if run["device"] == "CPU" else ""
    if threads and "processor" in run:
        threads += f" of {run['processor']}"
    minutes, seconds = divmod(round(run["seconds"]), 60)
    took = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return (
        f"**Where these outputs come from.** Profile `{run['profile']}` on {run['device']}{threads}; "
        f"torch {run['torch']}, Python {run['python']}; commit `{run['commit']}`; {run['date']}; {took} from the first "
        f"cell to the last, {run['peak_memory_mb'] / 1000:.1f} GB of memory at the peak; key `{run['key']}`."
    )

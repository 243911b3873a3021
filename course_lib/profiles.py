"""The three sizes in which every chapter runs.

========  ======================================  ===============================================
profile   data                                    meant for
========  ======================================  ===============================================
quick     the small real sample in the package    a look, a laptop, every commit: no network
cpu       the full data sets                      two processor cores, minutes a chapter
full      the full data sets                      one GPU
========  ======================================  ===============================================
"""

import os

from course_lib.errors import CourseError

PROFILES = ("quick", "cpu", "full")


def resolve_profile(profile: str = "auto", without_gpu: str = "quick") -> str:
    """The profile to run in: ``quick``, ``cpu`` or ``full``.

    An explicit name wins. ``auto`` takes the environment variable ``COURSE_PROFILE`` where it is set and not itself
    ``auto``, and otherwise depends on the machine: ``full`` where there is a CUDA GPU, else ``without_gpu``. Chapters
    that take at most eight minutes on two cores say ``"cpu"`` there, so that a learner gets real results.

    Raises: CourseError for an unknown name.
    """
    source = "PROFILE"
    if profile == "auto":
        profile, source = os.environ.get("COURSE_PROFILE") or "auto", "COURSE_PROFILE"
    if profile == "auto":
        import torch

        return "full" if torch.cuda.is_available() else without_gpu
    if profile not in PROFILES:
        raise CourseError(f"{source} is {profile!r}, which is no profile: choose auto, {', '.join(PROFILES)}.")
    return profile

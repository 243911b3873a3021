"""Grids of training runs that are too long for a chapter: one study a file, every run leaves a record.

Backstage: ``course study NAME`` runs them, chapters only read their records (:mod:`course_lib.records.studies`).

============= ======================================================
file          what it holds
============= ======================================================
planned       one run, before it is run; its key
transferring  one run that begins with a pretrained backbone
preparing     images in another size, a part of the images
worker        trains one run, in a process of its own
running       all runs of a study, side by side, resumable
promoting     finished runs become published records
============= ======================================================
"""

import importlib

from course_lib.errors import CourseError
from course_lib.profiles import PROFILES
from course_tools.studies.planned import Run

NAMES = ("mnist-six", "vgg-vs-resnet", "cifar-augment", "little-data", "transfer-ladder")
NAMES += ("lenet-fair", "many-seeds", "alexnet-start", "depth", "skip-and-norm", "alexnet-vs-vgg-32", "augment-all")


def take(name: str):
    """The module of a study. Raises CourseError for a name that is none."""
    if name not in NAMES:
        raise CourseError(f"There is no study {name!r}: choose {', '.join(NAMES)}.")
    return importlib.import_module(f"studies.{name.replace('-', '_')}")


def plan(name: str, size: str, seeds: int | None = None) -> list[Run]:
    """All runs of a study, in the order in which they are run.

    Args:
        name: one of ``NAMES``.
        size: ``quick``, ``cpu`` or ``full``, as the profiles of chapters.
        seeds: how many a network; None for as many as the study wants in that size.

    Raises: CourseError for an unknown study or size.
    """
    study = take(name)
    if size not in PROFILES:
        raise CourseError(f"There is no size {size!r}: choose {', '.join(PROFILES)}.")
    count = seeds or (2 if size == "quick" else study.SEEDS)
    return [planned for seed in range(count) for planned in study.grid(size, seed)]

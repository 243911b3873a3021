"""From a laptop to a cluster: what studies and chapters cost on paper, and what their published runs took."""

import heapq
from collections.abc import Iterable
from functools import cache

from course_lib import records
from course_tools.claims.evidence import project_of_claims
from course_tools.claims.ledger import claim
from course_tools.claims.published import seconds
from course_tools.studies.plan import BACKWARD, Planned, names, plan

RATE = 67e9  # multiply-adds a second: the slower of two kinds of machine with two cores, see studies/originals.py
LONG = "alexnet-vs-vgg-224"


@cache
def _runs(study: str, size: str) -> list[tuple[str, float]]:
    """The name of each run of a study, and its multiply-adds, forward and backward."""
    work, planned = {}, plan(study, size)
    for run in planned:  # that of a transfer run holds the backward passes
        if run.name not in work:
            work[run.name] = run.work * (1 + BACKWARD if isinstance(run, Planned) else 1)
    return [(run.name, work[run.name]) for run in planned]


def _studies(size: str, without: str = "") -> list[float]:
    """Seconds of all studies' runs on one machine, on paper."""
    return [work / RATE for study in names() if study != without for _, work in _runs(study, size)]


def _chapters() -> list[float]:
    """Seconds of the published chapters."""
    return [seconds(chapter.name).value for chapter in project_of_claims.get().chapters()]


def _hours(runs: Iterable[float], machines: int) -> float:
    """Seconds until the last of some machines is done: longest run first, each to the first free machine."""
    ends = [0.0] * machines
    for run in sorted(runs, reverse=True):
        heapq.heapreplace(ends, ends[0] + run)
    return max(ends)


@claim
def cluster_rate():
    """Multiply-adds a second that the paper counts with."""
    return RATE


@claim
def cluster_runs():
    """Runs of all studies in the size cpu, and chapters."""
    return len(_studies("cpu")) + len(_chapters())


@claim
def cluster_hours_on_1():
    """All studies in the size cpu, and the chapters, on one machine."""
    return _hours(_studies("cpu") + _chapters(), 1)


@claim
def cluster_hours_on_8():
    """The same on 8 machines."""
    return _hours(_studies("cpu") + _chapters(), 8)


@claim
def cluster_hours_on_64():
    """The same on 64 machines."""
    return _hours(_studies("cpu") + _chapters(), 64)


@claim
def cluster_longest():
    """The longest of these runs: VGG-16 at 224 × 224."""
    return max(_studies("cpu"))


@claim
def cluster_small_hours_on_1():
    """The same without the study at 224 × 224, on one machine."""
    return _hours(_studies("cpu", LONG) + _chapters(), 1)


@claim
def cluster_small_hours_on_8():
    """The same on 8 machines."""
    return _hours(_studies("cpu", LONG) + _chapters(), 8)


@claim
def cluster_small_hours_on_64():
    """The same on 64 machines."""
    return _hours(_studies("cpu", LONG) + _chapters(), 64)


@claim
def cluster_small_longest():
    """The longest run without that study: VGG-16 on digits of 56 × 56."""
    return max(_studies("cpu", LONG))


@claim
def cluster_full_hours_on_1():
    """All studies in the size full on one machine."""
    return _hours(_studies("full"), 1)


@claim
def cluster_full_hours_on_8():
    """The same on 8 machines."""
    return _hours(_studies("full"), 8)


@claim
def cluster_full_hours_on_64():
    """The same on 64 machines."""
    return _hours(_studies("full"), 64)


@claim
def cluster_full_longest():
    """The longest run in the size full: VGG-16 on all digits, enlarged to 224 × 224."""
    return max(_studies("full"))


@cache
def _paper_and_measured() -> dict[str, tuple[float, float]]:
    """Of each study with published runs of a CPU: their seconds on paper, and what they took, on two cores."""
    sums = {}
    for study in names():
        work = dict(_runs(study, "cpu"))
        published = [run for run in records.studies.read(study) if run["profile"] == "cpu" and run["name"] in work]
        taken = [sum(epoch["seconds"] for epoch in run["epochs"]) * run["machine"]["threads"] / 2 for run in published]
        if published:
            sums[study] = sum(work[run["name"]] for run in published) / RATE, sum(taken)
    return sums


@claim
def cluster_taken():
    """What the published runs of studies took, as a multiple of what they take on paper."""
    paper, taken = zip(*_paper_and_measured().values(), strict=True)
    return sum(taken) / sum(paper)


@claim
def cluster_taken_at_least():
    """The same of the study that is smallest in that."""
    return min(taken / paper for paper, taken in _paper_and_measured().values())


@claim
def cluster_taken_at_most():
    """The same of the study that is largest in that."""
    return max(taken / paper for paper, taken in _paper_and_measured().values())


@claim
def two_processes_longer():
    """By how much longer two processes train than one with as many threads, in the benchmark."""
    seconds = records.bench("processes", "cpu").set_index("processes")["seconds"]
    return seconds[2] / seconds[1] - 1


def _gpu_rate(name: str) -> float:
    """Multiply-adds a second of the runs of a network on a GPU, forward and backward, median of its epochs."""
    runs = records.studies.table("vgg-vs-resnet").set_index("name").loc[[name]]
    seconds = records.studies.curves("vgg-vs-resnet").query("name == @name")["seconds"].median()
    return (1 + BACKWARD) * runs["multiply_adds"].iloc[0] * runs["train"].iloc[0] / seconds


@claim
def gpu_rate_vgg16():
    """Multiply-adds a second of VGG-16 on digits of 224 × 224, on one GPU."""
    return _gpu_rate("VGG-16")


@claim
def gpu_rate_resnet34():
    """Multiply-adds a second of ResNet-34 on digits of 224 × 224, on one GPU."""
    return _gpu_rate("ResNet-34")

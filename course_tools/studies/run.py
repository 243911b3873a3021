"""Run a study's planned runs side by side, on this machine or on a cluster, and keep what finished.

A run that raises, or whose process dies, fails alone. What finished lies in ``_build/studies/SIZE/NAME``, one file per
run, named by the run's key: a second ``course study`` repeats none of them. A run that was stopped goes on from its
checkpoint beside them.
"""

import hashlib
import math
import os
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblib import Parallel, delayed
from tqdm import tqdm

from course_lib import records, runlog
from course_lib.errors import CourseError
from course_lib.training import best_device, usable_cores
from course_tools.publishing import fingerprints
from course_tools.publishing.project import Project
from course_tools.studies.local import Local, Outcome, folder_of
from course_tools.studies.plan import PlannedRun, plan, study_module

if TYPE_CHECKING:
    from course_tools.studies.cluster import Cluster

FINGERPRINT = "fingerprint.json"


def finished(project: Project, study: str, size: str, planned: PlannedRun) -> dict | None:
    """The record of a finished run; None where it still has to be run.

    Raises: CourseError, naming the file, where it is not one whole record.
    """
    file = folder_of(project, study, size) / f"{planned.key}.jsonl"
    if not file.exists():
        return None
    try:
        (record,) = records.read(file)
    except (CourseError, ValueError) as error:
        raise CourseError(
            f"{file.relative_to(project.root)}, the record of {planned.name}, seed {planned.seed}, is damaged: delete "
            "the file, and `course study` runs it again."
        ) from error
    return record


def fingerprint_of(study: str) -> dict[str, Any]:
    """The fingerprint of a study's quick size, one seed: see :mod:`course_tools.publishing.fingerprints`."""
    planned = plan(study, "quick", seeds=1)
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        os.environ |= {"COURSE_RUNLOG": str(log), "COURSE_PROFILE": "quick"}
        try:
            for run in planned:
                run.log_fingerprint()
        finally:
            os.environ.clear()
            os.environ.update(before)
        code = hashlib.sha256(" ".join(run.key for run in planned).encode()).hexdigest()
        return {"code": code, "weights": [], "fits": runlog.read(log)["fit"], "outputs": {}, "results": {}}


def run_study(
    project: Project,
    study: str,
    size: str,
    planned: list[PlannedRun],
    *,
    jobs: int | None = None,
    processes: int = 1,
    hours: float | None = None,
    scheduler: str | None = None,
    limit: float | None = None,
    show: bool = True,
) -> list[Outcome]:
    """Run what is not finished yet. Returns one outcome per planned run.

    Args:
        project: the checkout.
        study: its name.
        size: ``quick``, ``cpu`` or ``full``.
        planned: its runs.
        jobs: how many side by side; by default the study's ``JOBS``, else one per core, and only one where there is a
            GPU. They share the cores. On a cluster, as many as its workers have threads.
        processes: how many train each network together on this machine; see :func:`course_lib.training.fit`.
        hours: no run begins after so many; None for no end.
        scheduler: the address of a Dask scheduler, whose workers run them; None for processes on this machine.
        limit: minutes after which a run on a cluster has failed; None for :func:`cluster.limit_of`.
        show: draw a progress bar. It counts multiply-adds, not runs, so that its time left means something.

    Raises: CourseError where an earlier run's record is damaged, comes from another kind of processor or from another
        number of processes, or the library no longer computes what it did for earlier runs, and where a cluster cannot
        be reached or one of its workers is not as the others, and where another call runs this study; nothing is run
        then.
    """
    outcomes = {run.key: Outcome(run, skipped=True) for run in planned if finished(project, study, size, run)}
    waiting = [run for run in planned if run.key not in outcomes]
    if not waiting:
        return [outcomes[run.key] for run in planned]
    if scheduler is None:
        cores = usable_cores()
        jobs = jobs or getattr(study_module(study), "JOBS", None)
        side_by_side = cores // processes if best_device().type == "cpu" else 1
        jobs = max(1, min(jobs or side_by_side, len(waiting)))
        workers = Local(project, study, size, max(1, cores // (jobs * processes)), processes)
    else:
        workers = _cluster(scheduler, project, study, size, limit and 60 * limit)
        jobs = min(jobs or workers.jobs, len(waiting))
    total = sum(run.work for run in waiting) / 1e12
    title = f"{study}, {size}: {len(waiting)} of {len(planned)} runs"
    layout = "{l_bar}{bar}| {elapsed}, {remaining} left{postfix}"
    with closing(workers), project.alone(f"study {study} --size {size}"):
        _refuse_another_machine(project, study, size, workers.processor, processes)
        _refuse_changed_library(project, study, size)
        with tqdm(total=total, desc=title, bar_format=layout, disable=not show, dynamic_ncols=True) as bar:
            end = time.monotonic() + 3600 * hours if hours is not None else math.inf

            def run_one(run: PlannedRun) -> Outcome:
                if time.monotonic() >= end:
                    return Outcome(run, left=True)
                outcome = workers.run(run)
                with bar.get_lock():
                    bar.set_postfix_str(str(outcome), refresh=False)
                    bar.update(run.work / 1e12)
                return outcome

            try:  # threads: each only waits for a process that does the work
                for outcome in Parallel(n_jobs=jobs, prefer="threads")(delayed(run_one)(run) for run in waiting):
                    outcomes[outcome.planned.key] = outcome
            except KeyboardInterrupt:
                workers.kill()
                raise
    return [outcomes[run.key] for run in planned]


def _cluster(*words: Any) -> "Cluster":
    try:
        from course_tools.studies.cluster import Cluster
    except ImportError as error:
        raise CourseError(
            f"--scheduler needs Dask ({error}): call `pip install --editable './course_tools[cluster]'` here."
        ) from error
    return Cluster(*words)


def _refuse_another_machine(project: Project, study: str, size: str, processor: str, processes: int) -> None:
    """All runs of a study have one kind of processor and as many processes, so that they can be compared."""
    for file in sorted(folder_of(project, study, size).glob("*.jsonl"))[:1]:
        record = records.read(file)[0]
        before, count = record["machine"].get("processor"), record["recipe"].get("processes", 1)
        if count != processes:
            raise CourseError(
                f"{study} was begun with --processes {count}: call it so again, or delete "
                f"{file.parent.relative_to(project.root)} to run all of it with {processes}."
            )
        if before != processor:
            raise CourseError(
                f"{study} was begun on {before}, and this is {processor}: finish it there, or delete "
                f"{file.parent.relative_to(project.root)} to run all of it here."
            )


def _refuse_changed_library(project: Project, study: str, size: str) -> None:
    """Finished runs and new ones must come from libraries that compute the same."""
    file = folder_of(project, study, size) / FINGERPRINT
    now, before = fingerprint_of(study), fingerprints.read(file)
    changed = fingerprints.differences(before, now) if before and before["code"] == now["code"] else []
    if changed:
        raise CourseError(
            f"The library no longer computes what earlier runs of {study} did ({changed[0]}): delete "
            f"{file.parent.relative_to(project.root)}, and `course study {study}` runs all of it again."
        )
    fingerprints.write(now, file)


def check(study: str, outcomes: list[Outcome]) -> None:
    """Raise CourseError where a run failed: what finished is kept, and only the rest is run again."""
    failed = [outcome for outcome in outcomes if outcome.problem]
    if failed:
        reasons = "; ".join(map(str, failed[:3])) + (" …" if len(failed) > 3 else "")
        raise CourseError(
            f"{len(failed)} of {len(outcomes)} runs of {study} failed: {reasons}. The others are kept: fix the cause "
            f"and call `course study {study}` again, which runs only what is missing."
        )

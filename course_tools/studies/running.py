"""Run a study's planned runs side by side, each in a process of its own, and keep what finished.

A run that crashes, or whose process dies, costs itself only. What finished lies in ``_build/studies/SIZE/NAME``, one
file a run, named by the run's key: a second ``course study`` repeats none of them.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from tqdm import tqdm

from course_lib import records, runlog
from course_lib.errors import CourseError
from course_lib.training import best_device, usable_cores
from course_tools import studies
from course_tools.publishing import fingerprints
from course_tools.publishing.project import Project
from course_tools.publishing.provenance import commit
from course_tools.studies.planned import Run

FINGERPRINT = "fingerprint.json"


@dataclass(frozen=True)
class Ended:
    """How one planned run ended: ``problem`` is one line, empty where it left its record."""

    planned: Run
    seconds: float = 0.0
    problem: str = ""
    skipped: bool = False

    def __str__(self) -> str:
        return f"{self.planned.name}, seed {self.planned.seed}: {self.problem or 'ok'}"


def folder_of(project: Project, study: str, size: str) -> Path:
    """Where the finished runs of a study lie."""
    return project.build / "studies" / size / study


def finished(project: Project, study: str, size: str, planned: Run) -> dict | None:
    """The record of a run that is done; None where it still has to be run.

    Raises: CourseError, naming the file, where what it left is not a whole record.
    """
    file = folder_of(project, study, size) / f"{planned.key}.jsonl"
    if not file.exists():
        return None
    try:
        (record,) = records.read(file)
    except (CourseError, ValueError) as error:
        shown = file.relative_to(project.root)
        raise CourseError(
            f"{shown}, the record of {planned.name}, seed {planned.seed}, is damaged: delete the file, and "
            "`course study` runs it again."
        ) from error
    return record


def fingerprint_of(study: str) -> dict[str, Any]:
    """What a study computes, in its quick size, one seed: see :mod:`course_tools.publishing.fingerprints`."""
    planned = studies.plan(study, "quick", seeds=1)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        before = dict(os.environ)
        os.environ |= {"COURSE_RUNLOG": str(log), "COURSE_PROFILE": "quick"}
        try:
            for one in planned:
                one.begin()
        finally:
            os.environ.clear()
            os.environ.update(before)
        code = hashlib.sha256(" ".join(one.key for one in planned).encode()).hexdigest()
        return {"code": code, "weights": [], "fits": runlog.read(log)["fit"], "outputs": {}, "results": {}}


def _refuse_another_library(project: Project, study: str, size: str) -> None:
    """What finished earlier and what is run now must come from libraries that compute the same."""
    file = folder_of(project, study, size) / FINGERPRINT
    now, before = fingerprint_of(study), fingerprints.read(file)
    changed = fingerprints.differences(before, now) if before and before["code"] == now["code"] else []
    if changed:
        raise CourseError(
            f"The library no longer computes what earlier runs of {study} did ({changed[0]}): delete "
            f"{file.parent.relative_to(project.root)}, and `course study {study}` runs all of it again."
        )
    fingerprints.write(now, file)


def run_study(
    project: Project, study: str, size: str, planned: list[Run], *, jobs: int | None = None, show: bool = True
) -> list[Ended]:
    """Run what is not finished yet, and say of each run how it ended.

    Args:
        project: the checkout.
        study: its name.
        size: ``quick``, ``cpu`` or ``full``.
        planned: its runs.
        jobs: how many side by side; by default as many as the study's ``JOBS`` says, else one a core, and one in all
            where there is a GPU. They share the cores.
        show: draw a progress bar. It counts work, not runs, so the time that it says is left means something.

    Raises: CourseError where an earlier run's record is damaged, or the library computes something else than it did
        for earlier runs; nothing is run then.
    """
    ended = {one.key: Ended(one, skipped=True) for one in planned if finished(project, study, size, one)}
    waiting = [one for one in planned if one.key not in ended]
    if waiting:
        _refuse_another_library(project, study, size)
        cores = usable_cores()
        jobs = jobs or getattr(studies.take(study), "JOBS", None)
        jobs = max(1, min(jobs or (cores if best_device().type == "cpu" else 1), len(waiting)))
        workers = _Workers(project, study, size, max(1, cores // jobs))
        total = sum(one.work for one in waiting) / 1e12
        title = f"{study}, {size}: {len(waiting)} of {len(planned)} runs"
        layout = "{l_bar}{bar}| {elapsed}, {remaining} left{postfix}"
        with tqdm(total=total, desc=title, bar_format=layout, disable=not show, dynamic_ncols=True) as bar:

            def run(one: Run) -> Ended:
                done = workers.run(one)
                with bar.get_lock():
                    bar.set_postfix_str(str(done), refresh=False)
                    bar.update(one.work / 1e12)
                return done

            try:  # threads: each only waits for a process that does the work
                for done in Parallel(n_jobs=jobs, prefer="threads")(delayed(run)(one) for one in waiting):
                    ended[done.planned.key] = done
            except KeyboardInterrupt:
                workers.kill()
                raise
    return [ended[one.key] for one in planned]


class _Workers:
    """Starts a process a run, and knows those that are alive: Ctrl-C leaves none behind."""

    def __init__(self, project: Project, study: str, size: str, threads: int):
        self.project, self.study, self.size = project, study, size
        self.folder = folder_of(project, study, size)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = os.environ | {
            "COURSE_CHAPTER": f"study-{study}",
            "COURSE_PROFILE": size,
            "COURSE_COMMIT": commit(project.root),
            "OMP_NUM_THREADS": str(threads),
            "PYTHONUNBUFFERED": "1",  # else what was printed comes after the error, which is to be the log's last line
        }
        self.environment.pop("COURSE_RECORDS", None)  # a study's record goes to its own file
        self.alive: set[subprocess.Popen] = set()
        self.stopped = False
        self.lock = threading.Lock()

    def run(self, planned: Run) -> Ended:
        file, log = (self.folder / f"{planned.key}{ending}" for ending in (".jsonl", ".log"))
        words = (self.study, self.size, str(planned.seed), planned.key, str(file))
        began = time.monotonic()
        with log.open("w") as output:
            with self.lock:
                if self.stopped:
                    return Ended(planned, 0.0, "stopped before it began")
                process = subprocess.Popen(
                    [sys.executable, "-m", "course_tools.studies.worker", *words],
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
                self.alive.add(process)
            code = process.wait()
        with self.lock:
            self.alive.discard(process)
        said = log.read_text(errors="replace").strip().splitlines()
        if code == 0 and file.exists():
            log.unlink()
            return Ended(planned, time.monotonic() - began)
        if code < 0:
            problem = f"its process was killed (signal {-code}), perhaps for want of memory: try --jobs 1"
        else:
            shown = log.relative_to(self.project.root)
            problem = f"{said[-1] if said else f'ended with status {code}'} (all of it: {shown})"
        return Ended(planned, time.monotonic() - began, problem)

    def kill(self) -> None:
        with self.lock:
            self.stopped = True
            for process in self.alive:
                process.kill()


def check(study: str, ended: list[Ended]) -> None:
    """Raise CourseError where a run failed: what finished is kept, and only the rest is run again."""
    failed = [one for one in ended if one.problem]
    if failed:
        reasons = "; ".join(str(one) for one in failed[:3]) + (" …" if len(failed) > 3 else "")
        raise CourseError(
            f"{len(failed)} of {len(ended)} runs of {study} failed: {reasons}. The others are kept: mend the cause and "
            f"call `course study {study}` again, which runs only what is missing."
        )

"""Run a study's planned runs side by side, each in a process of its own, and keep what finished.

A run that raises, or whose process dies, fails alone. What finished lies in ``_build/studies/SIZE/NAME``, one file per
run, named by the run's key: a second ``course study`` repeats none of them. A run that was stopped goes on from its
checkpoint beside them.
"""

import hashlib
import math
import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from joblib import Parallel, delayed
from tqdm import tqdm

from course_lib import records, runlog
from course_lib.errors import CourseError
from course_lib.machine import processor
from course_lib.training import best_device, processes, usable_cores
from course_tools.publishing import fingerprints
from course_tools.publishing.project import Project
from course_tools.publishing.provenance import commit
from course_tools.studies.plan import PlannedRun, plan, study_module

if TYPE_CHECKING:
    from course_tools.studies.cluster import Cluster

FINGERPRINT = "fingerprint.json"


@dataclass(frozen=True)
class Outcome:
    """How one planned run ended: ``problem`` is one line, empty where it left its record.

    It was ``skipped`` where it was finished before, ``left`` where the time was over, and ``moved`` where a cluster had
    to give it to another worker, because its own was lost.
    """

    planned: PlannedRun
    problem: str = ""
    skipped: bool = False
    left: bool = False
    moved: bool = False

    def __str__(self) -> str:
        return f"{self.planned.name}, seed {self.planned.seed}: {self.problem or 'ok'}"


def folder_of(project: Project, study: str, size: str) -> Path:
    """The folder of a study's finished runs."""
    return project.build / "studies" / size / study


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
        workers = _Workers(project, study, size, max(1, cores // (jobs * processes)), processes)
    else:
        workers = _cluster(scheduler, project, study, size, limit and 60 * limit)
        jobs = min(jobs or workers.jobs, len(waiting))
    total = sum(run.work for run in waiting) / 1e12
    title = f"{study}, {size}: {len(waiting)} of {len(planned)} runs"
    layout = "{l_bar}{bar}| {elapsed}, {remaining} left{postfix}"
    with closing(workers), _alone(project, study, size):
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


@contextmanager
def _alone(project: Project, study: str, size: str) -> Iterator[None]:
    """One call at a time runs a study: two would train the same networks, into the same files."""
    folder = folder_of(project, study, size).parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / f".{study}.lock", timeout=0):
            yield
    except Timeout as error:
        raise CourseError(f"Another `course study {study} --size {size}` is at work here: wait for it.") from error


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


class _Workers:
    """Starts one process per run on this machine, or several that train together. Ctrl-C leaves none behind."""

    def __init__(self, project: Project, study: str, size: str, threads: int, processes: int = 1):
        self.project, self.study, self.size, self.threads = project, study, size, threads
        self.processes = processes
        self.folder = folder_of(project, study, size)
        self.commit = commit(project.root)
        self.processor = processor()
        self.alive: set[subprocess.Popen] = set()
        self.stopped = False
        self.lock = threading.Lock()

    def run(self, planned: PlannedRun) -> Outcome:
        self.folder.mkdir(parents=True, exist_ok=True)
        file, log = (self.folder / f"{planned.key}{ending}" for ending in (".jsonl", ".log"))
        words = (self.study, self.size, planned.seed, planned.key, file, self.commit)
        with log.open("w", encoding="utf-8") as output:
            with self.lock:
                if self.stopped:
                    return Outcome(planned, "stopped before it began")
                process = start(*words, output, self.processes, OMP_NUM_THREADS=str(self.threads))
                self.alive.add(process)
            with process:
                code = process.wait()
        with self.lock:
            self.alive.discard(process)
        return outcome_of(self.project, planned, code, file, log)

    def kill(self) -> None:
        with self.lock:
            self.stopped = True
            for process in self.alive:  # a launcher must end the processes that it started
                process.terminate() if self.processes > 1 else process.kill()

    def close(self) -> None:
        """Nothing is left open: each process has ended."""


def start(
    study: str,
    size: str,
    seed: int,
    key: str,
    file: Path,
    commit: str,
    output: IO[str],
    processes: int = 1,
    **variables: str,
) -> subprocess.Popen:
    """Start the process that trains one planned run and writes its record into ``file``; ``output`` is its log.

    With several ``processes`` it is a launcher, and they train together. It ends with the process that started it:
    until then its standard input, a pipe, stays open.
    """
    environment = os.environ | {
        "COURSE_CHAPTER": f"study-{study}",
        "COURSE_PROFILE": size,
        "COURSE_COMMIT": commit,
        "PYTHONUNBUFFERED": "1",  # so that the log's last line is the error, not what was printed before
        **variables,
    }
    environment.pop("COURSE_RECORDS", None)  # a study's record goes to its own file
    launcher = ["-m", "course_lib.training.launch", str(processes)] if processes > 1 else []
    command = [sys.executable, *launcher, "-m", "course_tools.studies.run", study, size, str(seed), key, str(file)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=output, stderr=subprocess.STDOUT)


def outcome_of(project: Project, planned: PlannedRun, code: int, file: Path, log: Path) -> Outcome:
    """How a process ended that was to leave ``file``: its exit status, and its log, which is deleted after success."""
    if code == 0 and file.exists():
        log.unlink(missing_ok=True)
        return Outcome(planned)
    if code < 0:
        return Outcome(planned, f"its process was killed (signal {-code}), perhaps out of memory: try --jobs 1")
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = lines[-1] if lines else f"ended with status {code}"
    return Outcome(planned, f"{last} (all of it: {log.relative_to(project.root)})")


def check(study: str, outcomes: list[Outcome]) -> None:
    """Raise CourseError where a run failed: what finished is kept, and only the rest is run again."""
    failed = [outcome for outcome in outcomes if outcome.problem]
    if failed:
        reasons = "; ".join(map(str, failed[:3])) + (" …" if len(failed) > 3 else "")
        raise CourseError(
            f"{len(failed)} of {len(outcomes)} runs of {study} failed: {reasons}. The others are kept: fix the cause "
            f"and call `course study {study}` again, which runs only what is missing."
        )


def train_one(study: str, size: str, seed: str, key: str, file: str) -> int:
    """Train one planned run and write its record: ``python -m course_tools.studies.run STUDY SIZE SEED KEY FILE``.

    A process of its own, so that a crash costs this run only. Returns the exit status.
    """
    try:
        planned = next((run for run in plan(study, size, int(seed) + 1) if run.key == key), None)
        if planned is None:
            raise CourseError(f"The plan of {study} was changed since it began: call `course study {study}` again.")
        unfinished = Path(file).with_suffix(".pt")
        record = planned.train(unfinished) | {"study_key": planned.key}
        if not processes().is_first:
            return 0
        Path(file).unlink(missing_ok=True)  # of a worker that outlived its call
        records.append(Path(file), record)
        unfinished.unlink(missing_ok=True)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _end_with_parent() -> None:
    """End this process when the one that started it has ended: then standard input, a pipe, does."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(train_one(*sys.argv[1:]))

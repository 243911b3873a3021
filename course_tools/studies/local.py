"""Train each planned run of a study in a process of its own, on this machine: a crash costs one run."""

import os
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from course_lib import records
from course_lib.errors import CourseError
from course_lib.machine import processor
from course_lib.training import processes
from course_tools.publishing.project import Project
from course_tools.publishing.provenance import commit
from course_tools.studies.plan import PlannedRun, plan


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


class Local:
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
    command = [sys.executable, *launcher, "-m", "course_tools.studies.local", study, size, str(seed), key, str(file)]
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


def train_one(study: str, size: str, seed: str, key: str, file: str) -> int:
    """Train one planned run and write its record: ``python -m course_tools.studies.local STUDY SIZE SEED KEY FILE``.

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

"""Run a study's runs on a Dask cluster: what ``course study --scheduler`` does.

Each worker runs in a checkout of the same version of the library and trains each run in a process of its own, as one
machine does. A record comes back as text, so no disk has to be shared. Dask gives the run of a lost worker to another.
Whoever reaches the scheduler can run code on its workers: use it in a network of trusted hosts only.
"""

import contextlib
import hashlib
import subprocess
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import torch
from distributed import Client, Future, KilledWorker, Worker, WorkerPlugin, get_worker

import course_lib
import studies
from course_lib import storage
from course_lib.errors import CourseError
from course_lib.machine import processor
from course_lib.training import best_device, describe_device
from course_tools.publishing.project import Project
from course_tools.publishing.provenance import commit
from course_tools.studies.local import Outcome, folder_of, outcome_of, start
from course_tools.studies.plan import PlannedRun

TOPIC = "course-study"
CONNECT = 10.0  # seconds until a scheduler is out of reach
POLL = 1.0  # seconds between two looks at a run that is on its way
PATIENCE = 300.0  # seconds that a run waits while there is no worker, and that a record may take to arrive
STOPPED = "the study was stopped"


def limit_of(planned: PlannedRun) -> float:
    """Seconds after which a run hangs: an hour, and ten minutes for each 10¹² multiply-adds.

    That is five times what the slowest published run took.
    """
    return 3600 + 600 * planned.work / 1e12


def environment() -> dict[str, str]:
    """What has to be equal on all workers of a study: the library's source, torch, processor and device."""
    Project.here()  # raises where a worker was not started in a checkout
    files = [
        file
        for folder in (Path(course_lib.__file__).parent, Path(studies.__file__).parent, Path(__file__).parent)
        for file in sorted(folder.rglob("*.py"))
    ]
    device = best_device()
    return {
        "library": hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10],
        "torch": torch.__version__,
        "processor": processor(),
        "device": "CPU" if device.type == "cpu" else describe_device(device),
    }


def refuse_others(wanted: dict[str, str], worker: str, found: dict[str, str] | Exception) -> None:
    """Raise CourseError where a worker's environment is not the wanted one."""
    if isinstance(found, Exception):
        raise CourseError(f"The worker {worker} cannot run this study ({type(found).__name__}: {found}).")
    for part, value in wanted.items():
        if found[part] != value:
            raise CourseError(
                f"The worker {worker} has {part} {found[part]}, not {value}: all of a study's workers need the same "
                "version of the library and of torch, one kind of processor and one device. No run was started."
            )


class SameEnvironment(WorkerPlugin):
    """Keeps out a worker that comes later with another environment: it ends, and its log has the reason."""

    name = TOPIC

    def __init__(self, wanted: dict[str, str]):
        self.wanted = wanted

    async def setup(self, worker: Worker) -> None:
        """Called on each worker, before it takes a run."""
        try:
            refuse_others(self.wanted, worker.address, environment())
        except CourseError as error:
            await worker.close(reason=str(error))


class Cluster:
    """Runs planned runs on the workers of a Dask scheduler, as :class:`course_tools.studies.local.Local` does here.

    ``jobs`` is how many runs its workers take at a time, ``processor`` what they are.
    """

    def __init__(self, address: str, project: Project, study: str, size: str, limit: float | None = None):
        """Connect. ``limit`` is the seconds after which a run hangs; None for :func:`limit_of`.

        Raises: CourseError where no scheduler answers, it has no workers, or one has another environment.
        """
        self.address, self.project, self.study, self.size, self.limit = address, project, study, size, limit
        self.commit = commit(project.root)
        self.begun: dict[str, list[tuple[str, float]]] = {}  # by key of its future: each worker that began it, and when
        self.closed = threading.Event()
        try:
            self.client = Client(address, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CourseError(
                f"No Dask scheduler answers at {address}: start one with `dask scheduler`, and give the address "
                "that it prints, such as tcp://10.0.0.1:8786."
            ) from error
        try:
            self.jobs = sum(self.client.nthreads().values())
            if not self.jobs:
                raise CourseError(
                    f"{address} has no workers: start `dask worker {address}` in each machine's checkout."
                )
            found = self.client.run(environment, on_error="return")
            here, first = environment(), next(iter(found.values()))
            wanted = here | {part: first[part] for part in ("processor", "device") if isinstance(first, dict)}
            for worker in found:
                refuse_others(wanted, worker, found[worker])
            self.processor = wanted["processor"]
            self.client.register_plugin(SameEnvironment(wanted))
            self.client.subscribe_topic(TOPIC, self._note)
        except BaseException:
            self.client.close()
            raise

    def _note(self, event: tuple[float, dict[str, str]]) -> None:
        """A worker began a run."""
        self.begun.setdefault(event[1]["run"], []).append((event[1]["worker"], time.monotonic()))

    def run(self, planned: PlannedRun) -> Outcome:
        """Train one run on some worker and keep its record here."""
        if self.closed.is_set():
            return Outcome(planned, STOPPED)
        key, limit = f"{planned.key}-{uuid4().hex[:8]}", self.limit or limit_of(planned)
        words = (self.study, self.size, planned.seed, planned.key, self.commit)
        try:
            future = self.client.submit(train, *words, key=key, pure=False)
            code, record, log = self._result(future, limit)
        except CourseError as error:
            return Outcome(planned, str(error))
        except KilledWorker:
            return Outcome(planned, "each worker that began it was lost: does it take too much memory?")
        except (Exception, CancelledError) as error:  # the scheduler is gone, or the worker's disk is full
            return Outcome(planned, f"{type(error).__name__}: {' '.join(str(error).split())}")
        folder = folder_of(self.project, self.study, self.size)
        folder.mkdir(parents=True, exist_ok=True)
        files = folder / f"{planned.key}.jsonl", folder / f"{planned.key}.log"
        for file, text in zip(files, (record, log), strict=True):
            if text is not None:
                with storage.atomic_file(file) as scratch:
                    scratch.write_text(text, encoding="utf-8")
        return replace(outcome_of(self.project, planned, code, *files), moved=len(self.begun.get(key, ())) > 1)

    def _result(self, future: Future, limit: float) -> tuple[int, str | None, str]:
        """What :func:`train` returns. Raises: CourseError where a run hangs, or no worker is left."""
        ended = threading.Event()
        future.add_done_callback(lambda _: ended.set())
        waited = time.monotonic()  # for a worker, since then
        while not ended.wait(POLL) and not self.closed.is_set():
            try:
                now, alive = time.monotonic(), self._ask("ncores")
            except TimeoutError:  # a scheduler that is busy, or a client that is closing
                continue
            worker, began = self.begun.get(future.key, [("", now)])[-1]
            if worker in alive and now - began > limit:
                future.cancel()
                how = {"timeout": 10, "on_error": "return", "wait_for_workers": False}
                self._ask("restart_workers", workers=[worker], stimulus_id=future.key, **how)
                raise CourseError(
                    f"no result from {worker} after {limit / 60:.3g} minutes (--limit): does that machine hang?"
                )
            if alive:
                waited = now
            elif now - waited > PATIENCE:
                raise CourseError(f"no worker is left at {self.address}")
        if self.closed.is_set():
            raise CourseError(STOPPED)
        return future.result(timeout=PATIENCE)

    def _ask(self, what: str, **options: object) -> object:
        """A request to the scheduler, with a limit: the client's own have none, and wait for ever while it closes.

        Without a nanny, ``restart_workers`` ends a worker; the client's would refuse.
        """
        return self.client.sync(getattr(self.client.scheduler, what), callback_timeout=30, **options)

    def kill(self) -> None:
        """Stop what runs: a worker ends the process of a run that nobody waits for any more."""
        self.close()

    def close(self) -> None:
        """Leave the cluster."""
        self.closed.set()
        with contextlib.suppress(Exception):  # it may be gone
            self._ask("unregister_worker_plugin", name=TOPIC)  # the client's would wait for a worker that hangs
        self.client.close()


def train(study: str, size: str, seed: int, key: str, commit: str) -> tuple[int, str | None, str]:
    """On a worker: train one planned run in a process of its own.

    Its checkpoint lies in this checkout's ``_build/workers``, so that it goes on where it began on this machine before.
    Returns the exit status, the text of the record, None where there is none, and the log.
    """
    worker = get_worker()
    run = worker.get_current_task()
    worker.log_event(TOPIC, {"run": run, "worker": worker.address})
    folder = Project.here().build / "workers" / size / study
    folder.mkdir(parents=True, exist_ok=True)
    record, log = folder / f"{key}.jsonl", folder / f"{key}.log"
    with log.open("w", encoding="utf-8") as output, start(study, size, seed, key, record, commit, output) as process:
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=POLL)
            task = worker.state.tasks.get(run)
            if task is None or task.state != "executing":  # cancelled
                process.kill()
    texts = [file.read_text(encoding="utf-8", errors="replace") if file.exists() else None for file in (record, log)]
    record.unlink(missing_ok=True)
    log.unlink()
    return process.returncode, *texts

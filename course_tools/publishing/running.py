"""Run chapters through papermill, side by side as cores allow; one that fails does not stop the others."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import papermill
from joblib import Parallel, delayed
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from tqdm import tqdm

from course_lib import runlog
from course_tools.publishing import engine, fingerprints, freshness
from course_tools.publishing.outcomes import Outcome
from course_tools.publishing.pairs import pair, read_notebook, write_notebook
from course_tools.publishing.project import Chapter, Project
from course_tools.publishing.provenance import commit, provenance

MINUTES = {"quick": 5, "cpu": 20, "full": 20}  # a chapter that takes longer than this hangs
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run_chapters(
    project: Project,
    chapters: list[Chapter],
    profile: str,
    *,
    jobs: int | None = None,
    minutes: float | None = None,
    force: bool = False,
) -> list[Outcome]:
    """Run each chapter in ``profile`` and keep what ran to its end in ``_build/runs/PROFILE/``.

    Before a chapter runs in another profile it runs in ``quick``, unless it did: that takes seconds, and leaves the
    fingerprint which will say, some day, whether the library still computes what this run did.

    Args:
        project: the checkout.
        chapters: which chapters, in order.
        profile: ``quick``, ``cpu`` or ``full``.
        jobs: how many side by side; by default one a core, and one in all where a GPU is used. They share the cores
            that this process may use: each gets as many threads as cores / jobs.
        minutes: time limit of a chapter.
        force: run also what is fresh.

    Returns: an outcome a chapter. A failed chapter leaves ``NAME.failed.ipynb`` beside its last good run.
    Raises: CourseError where a notebook was edited by hand, before anything runs.
    """
    for chapter in chapters:
        pair(chapter)
    done = {chapter.name: Outcome(chapter.name, skipped=True) for chapter in chapters}
    if profile != "quick":
        quick = run_chapters(project, chapters, "quick", jobs=jobs)
        done |= {one.chapter: replace(one, problem=f"in profile quick, {one.problem}") for one in quick if not one.ok}
        chapters = [chapter for chapter in chapters if done[chapter.name].ok]
    stale = [chapter for chapter in chapters if force or not freshness.fresh_run(project, chapter, profile)]
    if stale:
        from course_lib.training.setup import usable_cores  # here, for torch takes a second to load

        cores = usable_cores()
        jobs = max(1, min(jobs or (1 if profile == "full" else cores), len(stale)))
        for outcome in _run_all(project, stale, profile, jobs, cores // jobs, 60 * (minutes or MINUTES[profile])):
            done[outcome.chapter] = outcome
    return list(done.values())


def _run_all(
    project: Project, chapters: list[Chapter], profile: str, jobs: int, threads: int, seconds: float
) -> list[Outcome]:
    cells = sum(len(read_notebook(chapter).cells) + 1 for chapter in chapters)  # papermill injects one each
    kernels = _Kernels()
    with tqdm(total=cells, desc=f"{len(chapters)} chapters, {profile}", unit="cell", dynamic_ncols=True) as bar:

        def advance() -> None:
            with bar.get_lock():
                bar.update()

        shared = _Shared(project, profile, max(1, threads), seconds, advance, kernels.add)
        try:
            # Threads, not processes: the work is done by each chapter's own kernel, which is a process already.
            return Parallel(n_jobs=jobs, prefer="threads")(delayed(_run)(shared, chapter) for chapter in chapters)
        except KeyboardInterrupt:
            kernels.kill()
            raise


@dataclass(frozen=True)
class _Shared:
    """What all chapters of one ``course run`` have in common."""

    project: Project
    profile: str
    threads: int
    seconds: float
    advance: Callable[[], None]
    on_start: Callable
    commit: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "commit", commit(self.project.root))


def _run(shared: _Shared, chapter: Chapter) -> Outcome:
    project, folder = shared.project, shared.project.run_folder(shared.profile)
    scratch = folder / "scratch" / chapter.name
    scratch.mkdir(parents=True, exist_ok=True)
    finished, failed = folder / f"{chapter.name}.ipynb", folder / f"{chapter.name}.failed.ipynb"
    records, log = scratch / f"{chapter.name}.jsonl", scratch / f"{chapter.name}.log"
    for leftover in (records, log):
        leftover.unlink(missing_ok=True)
    began = time.monotonic()

    def outcome(problem: str = "", details: str = "") -> Outcome:
        return Outcome(chapter.name, time.monotonic() - began, problem, details)

    library = fingerprints.library_digest()
    fingerprint = None
    if shared.profile != "quick":
        fingerprint = fingerprints.current(project, chapter, read_notebook(chapter))
        if fingerprint is None:
            return outcome("the library was edited since its quick run: run it again")
    try:
        notebook = papermill.execute_notebook(
            chapter.notebook,
            failed,  # papermill saves as it goes; only a run that reaches its end is moved into place
            parameters={"PROFILE": shared.profile},
            engine_name=engine.ENGINE,
            kernel_name="python3",
            progress_bar=False,
            time_limit=shared.seconds,
            folder=str(scratch),
            environment={
                "COURSE_PROFILE": shared.profile,
                "COURSE_CHAPTER": chapter.name,
                "COURSE_COMMIT": shared.commit,
                "COURSE_RECORDS": str(records),
                "COURSE_RUNLOG": str(log),
                "OMP_NUM_THREADS": str(shared.threads),
            },
            on_cell=shared.advance,
            on_start=shared.on_start,
        )
    except PapermillExecutionError as error:
        trace = _COLOURS.sub("", "\n".join(error.traceback))
        return outcome(
            f"cell {error.exec_count} raised {error.ename}: {error.evalue.splitlines()[0] if error.evalue else ''}",
            f"{error.source}\n\n{trace}",
        )
    except (engine.TimeLimitError, engine.OutputLimitError) as error:
        return outcome(f"{error}; the last cell that started is in {failed.relative_to(project.root)}")
    except DeadKernelError:
        return outcome("its kernel died, most likely out of memory: close other programs, or use --jobs 1")
    except Exception as error:  # one chapter's trouble, whatever it is, must not stop the others
        return outcome(f"{type(error).__name__}: {error}".splitlines()[0])
    done = outcome()
    run = notebook.metadata.course["run"]
    if "device" not in run:
        return outcome("its kernel could not say what it ran on: run it again")
    run |= provenance(shared.profile, shared.commit, done.seconds)
    used = runlog.read(log)
    run["used"] = {kind: sorted(set(used[kind])) for kind in ("data", "weights", "records")}
    freshness.add_key(project, chapter, notebook)
    if shared.profile == "quick":
        fingerprint = fingerprints.of_run(notebook, log, records) | {"library": library}
        fingerprints.write(fingerprint, fingerprints.current_file(project, chapter))
    keep(notebook, finished, records, fingerprint)
    failed.unlink(missing_ok=True)
    return done


def keep(notebook: NotebookNode, finished: Path, records: Path, fingerprint: dict[str, Any]) -> None:
    """Move a completed run into place, its records and its fingerprint beside it."""
    kept = finished.with_suffix(".jsonl")
    if records.exists():
        records.replace(kept)
    else:
        kept.unlink(missing_ok=True)
    fingerprints.write(fingerprint, finished.with_suffix(".fingerprint.json"))
    write_notebook(notebook, finished)


class _Kernels:
    """The kernels that run now, so that Ctrl-C leaves none behind."""

    def __init__(self) -> None:
        self.managers: list = []
        self.lock = threading.Lock()

    def add(self, manager) -> None:
        with self.lock:
            self.managers.append(manager)

    def kill(self) -> None:
        for manager in self.managers:
            process = getattr(manager.provisioner, "process", None)
            if process is not None and process.poll() is None:
                process.kill()

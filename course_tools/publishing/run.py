"""Run chapters through papermill, side by side as cores allow; a chapter that fails does not stop the others."""

import ast
import json
import re
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import papermill
from joblib import Parallel, delayed
from jupyter_client import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from tqdm import tqdm

from course_lib import runlog, storage
from course_lib.errors import CourseError
from course_tools.publishing import fingerprints, freshness
from course_tools.publishing.computation import DRAWN, YOUR_TURN, has_tag
from course_tools.publishing.kernels import private_kernel
from course_tools.publishing.pairs import pair, read_notebook, write_notebook
from course_tools.publishing.project import Chapter, Project
from course_tools.publishing.provenance import MACHINE_REPORT, commit

MINUTES = {"quick": 5, "cpu": 20, "full": 20}  # a chapter that takes longer than this hangs
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Outcome:
    """How one chapter's run ended.

    ``problem`` is one line and ``details`` the failing cell with its traceback; both are empty on success. ``skipped``
    marks a chapter whose earlier run is still fresh.
    """

    chapter: str
    seconds: float = 0.0
    problem: str = ""
    details: str = ""
    skipped: bool = False

    @property
    def ok(self) -> bool:
        return not self.problem


def summary(outcomes: list[Outcome], profile: str, folder: Path) -> str:
    """A table of how the chapters ran, then the failing cell of each that failed."""
    width = max((len(outcome.chapter) for outcome in outcomes), default=7)
    lines = [f"{'chapter':<{width}}  {'profile':<7}  {'seconds':>7}  result"]
    for outcome in outcomes:
        result = outcome.problem or ("fresh, not run again" if outcome.skipped else "ok")
        lines.append(f"{outcome.chapter:<{width}}  {profile:<7}  {outcome.seconds:>7.1f}  {result}")
    for outcome in outcomes:
        if outcome.details:
            lines += ["", f"--- {outcome.chapter}: the failing cell and its traceback ---", outcome.details]
    done = sum(outcome.ok for outcome in outcomes)
    lines.append(f"\n{done} of {len(outcomes)} chapters are done; their notebooks are in {folder}.")
    return "\n".join(lines)


def check(outcomes: list[Outcome]) -> None:
    """Raise CourseError where a chapter failed."""
    failed = [outcome.chapter for outcome in outcomes if not outcome.ok]
    if failed:
        raise CourseError(f"{', '.join(failed)} failed: fix the cell shown above and run `course run {failed[0]}`.")


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
    fingerprint by which a later library is compared with this one.

    Args:
        project: the checkout.
        chapters: which chapters, in order.
        profile: ``quick``, ``cpu`` or ``full``.
        jobs: how many side by side; by default one per core, and only one where a GPU is used. They share the cores
            that this process may use: each gets cores / jobs threads.
        minutes: time limit of a chapter.
        force: run also what is fresh.

    Returns: one outcome per chapter. A failed chapter leaves ``NAME.failed.ipynb`` beside its last good run.
    Raises: CourseError, before anything runs, where a notebook was edited by hand, and where another call runs chapters
        in this profile.
    """
    for chapter in chapters:
        pair(chapter)
    outcomes = {chapter.name: Outcome(chapter.name, skipped=True) for chapter in chapters}
    if profile != "quick":
        for quick in run_chapters(project, chapters, "quick", jobs=jobs):
            if not quick.ok:
                outcomes[quick.chapter] = replace(quick, problem=f"in profile quick, {quick.problem}")
        chapters = [chapter for chapter in chapters if outcomes[chapter.name].ok]
    stale = [chapter for chapter in chapters if force or not freshness.fresh_run(project, chapter, profile)]
    if stale:
        from course_lib.training.setup import usable_cores  # here, for torch takes a second to load

        cores = usable_cores()
        jobs = max(1, min(jobs or (1 if profile == "full" else cores), len(stale)))
        runner = _Runner(project, profile, max(1, cores // jobs), 60 * (minutes or MINUTES[profile]))
        with project.alone(f"run --profile {profile}"):
            outcomes |= {outcome.chapter: outcome for outcome in runner.run_all(stale, jobs)}
    return list(outcomes.values())


@dataclass
class _Runner:
    """What all chapters of one ``course run`` share."""

    project: Project
    profile: str
    threads: int
    time_limit: float
    kernels: list[AsyncKernelManager] = field(default_factory=list)

    def run_all(self, chapters: list[Chapter], jobs: int) -> list[Outcome]:
        self.commit = commit(self.project.root)
        cells = sum(len(read_notebook(chapter).cells) + 1 for chapter in chapters)  # papermill injects one each
        title = f"{len(chapters)} chapters, {self.profile}"
        with tqdm(total=cells, desc=title, unit="cell", dynamic_ncols=True) as self.bar:
            try:
                # Threads, not processes: the work is done by each chapter's own kernel, which is a process already.
                return Parallel(n_jobs=jobs, prefer="threads")(delayed(self.run)(chapter) for chapter in chapters)
            except KeyboardInterrupt:
                for kernel in self.kernels:
                    process = getattr(kernel.provisioner, "process", None)
                    if process is not None:
                        process.kill()
                raise

    def advance(self, **_cell: Any) -> None:
        with self.bar.get_lock():
            self.bar.update()

    def run(self, chapter: Chapter) -> Outcome:
        began, details = time.monotonic(), ""
        try:
            problem = self.attempt(chapter)
        except PapermillExecutionError as error:
            message = error.evalue.splitlines()[0] if error.evalue else ""
            problem = f"cell {error.exec_count} raised {error.ename}: {message}"
            details = f"{error.source}\n\n{_COLOURS.sub('', chr(10).join(error.traceback))}"
        except CellTimeoutError:
            failed = self.failed(chapter).relative_to(self.project.root)
            problem = f"it was not done after {self.time_limit:,.0f} s; the last cell that started is in {failed}"
        except DeadKernelError:
            problem = "its kernel died, most likely out of memory: close other programs, or use --jobs 1"
        except Exception as error:  # a chapter's error, whatever it is, must not stop the others
            problem = f"{type(error).__name__}: {error}".splitlines()[0]
        return Outcome(chapter.name, time.monotonic() - began, problem, details)

    def failed(self, chapter: Chapter) -> Path:
        """Where papermill saves the notebook as it goes; only a run that reaches its end is moved into place."""
        return self.project.run_folder(self.profile) / f"{chapter.name}.failed.ipynb"

    def attempt(self, chapter: Chapter) -> str:
        """Run one chapter and keep what it computed. Returns what is wrong, empty where nothing is."""
        folder = self.project.run_folder(self.profile)
        scratch = folder / "scratch" / chapter.name
        scratch.mkdir(parents=True, exist_ok=True)
        records, log = scratch / f"{chapter.name}.jsonl", scratch / f"{chapter.name}.log"
        for leftover in (records, log):
            leftover.unlink(missing_ok=True)
        library = fingerprints.library_digest()
        fingerprint = None
        if self.profile != "quick":
            fingerprint = fingerprints.current(self.project, chapter, read_notebook(chapter))
            if fingerprint is None:
                return "the library was edited since its quick run: run it again"
        environment = {
            "COURSE_HOME": str(storage.home()),  # it may be relative, and the kernel starts in another folder
            "COURSE_PROFILE": self.profile,
            "COURSE_CHAPTER": chapter.name,
            "COURSE_COMMIT": self.commit,
            "COURSE_RECORDS": str(records),
            "COURSE_RUNLOG": str(log),
            "OMP_NUM_THREADS": str(self.threads),
        }
        began = time.monotonic()
        notebook = self.execute(chapter, scratch, environment)
        run = notebook.metadata.course["run"]
        run |= {"profile": self.profile, "commit": self.commit, "date": datetime.now(UTC).strftime("%Y-%m-%d")}
        run["seconds"] = round(time.monotonic() - began, 1)
        used = runlog.read(log)
        run["used"] = {kind: sorted(set(used[kind])) for kind in ("data", "weights", "records")}
        freshness.add_key(self.project, chapter, notebook)
        if fingerprint is None:
            fingerprint = fingerprints.of_run(notebook, log, records) | {"library": library}
            fingerprints.write(fingerprint, fingerprints.current_file(self.project, chapter))
        if records.exists():
            records.replace(folder / records.name)
        else:
            (folder / records.name).unlink(missing_ok=True)
        fingerprints.write(fingerprint, folder / f"{chapter.name}.fingerprint.json")
        write_notebook(notebook, folder / f"{chapter.name}.ipynb")
        self.failed(chapter).unlink(missing_ok=True)
        return ""

    def execute(self, chapter: Chapter, folder: Path, environment: dict[str, str]) -> NotebookNode:
        """The notebook after papermill ran it in ``folder``, with its kernel's report of the machine."""
        deadline = time.monotonic() + self.time_limit
        with private_kernel(environment) as kernel:
            self.kernels.append(kernel)
            notebook = papermill.execute_notebook(
                without_your_turn(read_notebook(chapter)),
                self.failed(chapter),
                parameters={"PROFILE": self.profile},
                kernel_name="python3",
                progress_bar=False,
                # What follows goes to nbclient.
                km=kernel,
                resources={"metadata": {"path": str(folder)}},
                extra_arguments=["--IPKernelApp.log_level=40"],  # errors only: the rest would tear the progress bar
                skip_cells_with_tag=DRAWN,  # they show records, and the site draws them: see draw.py
                timeout_func=lambda _cell: max(1, round(deadline - time.monotonic())),
                on_cell_start=self.advance,
            )
            notebook.metadata.setdefault("course", {})["run"] = _machine_report(kernel)
        return notebook


def without_your_turn(notebook: NotebookNode) -> NotebookNode:
    """The notebook with the cells empty that its reader is to write, in place: an empty cell is not executed."""
    for cell in notebook.cells:
        if has_tag(cell, YOUR_TURN):
            cell.source = ""
    return notebook


def _machine_report(kernel: AsyncKernelManager) -> dict[str, Any]:
    """What the kernel reports of the machine that it ran on."""
    client = kernel.blocking_client()
    client.start_channels()
    try:
        reply = client.execute("", silent=True, user_expressions={"report": MACHINE_REPORT}, reply=True, timeout=60)
    finally:
        client.stop_channels()
    answer = reply["content"]["user_expressions"]["report"]
    if answer["status"] != "ok":
        raise RuntimeError(f"the kernel could not report its machine: {answer['ename']}: {answer['evalue']}")
    return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

"""Finds many submissions' marks side by side, keeps each as it comes, and tries what was too slow once more, alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor

from joblib import Parallel, delayed
from tqdm import tqdm

from course_tools.grading.classes import judging
from course_tools.grading.classes.judging import Bench, Job, Marks

_DIED = "the process that judged it ended, perhaps for want of memory: try --jobs 1"


def run_jobs(
    bench: Bench,
    wanted: Sequence[Job],
    known: Mapping[str, Marks],
    keep: Callable[[str, Marks], None],
    *,
    side_by_side: int,
    show: bool = True,
) -> dict[str, Marks]:
    """The marks of all jobs, by their names: those that are known, and those that are found now.

    Args:
        bench: what the jobs have in common.
        wanted: the jobs, each name once.
        known: marks of an earlier run.
        keep: is called with each job's marks as soon as they are found. Failures are no marks: they are not kept.
        side_by_side: how many processes judge at a time, in which joblib's configuration has its say.
        show: draw a progress bar.

    Raises: whatever ``keep`` raises.
    """
    found = dict(known)
    with tqdm(total=len(wanted), initial=len(known), desc="grading", unit="submission", disable=not show) as bar:
        for name, marks in _all(bench, [job for job in wanted if job.name not in known], side_by_side):
            found[name] = marks
            if not marks.failure:
                keep(name, marks)
            bar.update()
        late = [job for job in wanted if found[job.name].late and not found[job.name].tried_again]
        bar.total += len(late)
        for job in late:  # one after the other, so that nothing runs beside it
            first = found[job.name]
            again = Job(job.name, job.copy, job.logits_problem, first.late)
            found[job.name] = judging.merged(first, _alone(bench, again, side_by_side))
            keep(job.name, found[job.name])
            bar.update()
    return found


def _all(bench: Bench, waiting: Sequence[Job], side_by_side: int) -> Iterator[tuple[str, Marks]]:
    done: set[str] = set()
    try:
        for name, marks in _parallel(bench, waiting, side_by_side):
            done.add(name)
            yield name, marks
    except BrokenExecutor:  # a judge's process died, and all others with it; whose fault that is shows alone
        for job in waiting:
            if job.name not in done:
                yield job.name, _alone(bench, job, side_by_side)


def _alone(bench: Bench, job: Job, side_by_side: int) -> Marks:
    try:
        ((_, marks),) = _parallel(bench, [job], side_by_side)
        return marks
    except BrokenExecutor:
        return Marks(failure=_DIED)


def _parallel(bench: Bench, jobs: Sequence[Job], side_by_side: int) -> Iterator[tuple[str, Marks]]:
    workers = Parallel(n_jobs=side_by_side, return_as="generator_unordered")
    return workers(delayed(judging.judge)(bench, job) for job in jobs)

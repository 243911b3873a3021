"""The commands over a class: ``course assignment grade`` and ``course assignment regrade``.

What was handed in is read once, and judged side by side. Marks are kept one by one, so a run that was stopped goes on
where it was. Tables, pages and letters are made from them in the end, each of them whole.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from checks.feedback import printable
from course_lib.errors import CourseError
from course_lib.training.setup import usable_cores
from course_tools.grading import release
from course_tools.grading.classes import (
    grades,
    handing_in,
    judging,
    keeping,
    letters,
    outcomes,
    reading,
    rosters,
    rubrics,
    running,
    submissions,
    summary,
)
from course_tools.grading.classes.grades import Row
from course_tools.grading.classes.judging import Bench, Job
from course_tools.grading.classes.keeping import Entry, Register, State
from course_tools.grading.classes.outcomes import Outcome
from course_tools.grading.classes.rosters import Matched
from course_tools.grading.classes.rubrics import Given
from course_tools.grading.classes.submissions import Place, shown
from course_tools.grading.walls import sandboxed
from course_tools.publishing.project import Project

_ABSENT = "nothing handed in"
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjkmnpqrstv")
_LOST = "its marks are lost: call `course assignment grade` again"


def grade(
    project: Project,
    folders: Sequence[Path],
    out: Path,
    *,
    roster: Path | None = None,
    deadline: str | None = None,
    rubric: Path | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    trusted: bool = False,
    show: bool = True,
) -> Outcome:
    """Grade submissions. Those whose marks are kept from an earlier run are not run again.

    Args:
        project: the checkout, with the reference.
        folders: the submissions, or the one folder that holds them all: :func:`submissions.find`.
        out: the table to write, such as ``grades.csv``; all else goes into the folder ``grades`` beside it.
        roster: says whose folder is whose: :mod:`rosters`.
        deadline: a time with its zone; what came later is called late, and loses nothing.
        rubric: points that a person gives: :mod:`rubrics`.
        seed: of the questions; by default fresh, and then the same for all runs into ``out``.
        jobs: how many processes judge at a time; by default one a core.
        trusted: run students' code without a sandbox.
        show: draw a progress bar.

    Raises: CourseError where an argument is wrong, there is no sandbox, or the disk is full; what was judged is kept.
    """
    _check_seed(seed)
    reference = release.master_of(project) / "reference.py"
    until = handing_in.moment(deadline, "--deadline") if deadline else None
    places, left_out = submissions.find(folders)
    places = [place for place in places if place.folder != out.absolute().with_suffix("")]
    listed = rosters.match(rosters.read(roster), places, roster) if roster else None
    with keeping.opened(out) as state:
        bench = _bench(reference, state.seed(seed), trusted)
        entries = _entries(places, listed, bench.seed)
        given = rubrics.read(rubric, entries) if rubric else {}
        pairs = [_read(state, bench, entry, until) for entry in entries]
        entries, earlier = _judged(state, bench, pairs, jobs, show)
        remarks = outcomes.remarks(left_out, listed)
        register = Register(entries, given, until.isoformat() if until else "")
        return _finish(state, register, remarks, earlier)


def regrade(
    project: Project,
    chosen: Sequence[str | Path],
    out: Path,
    *,
    rubric: Path | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    trusted: bool = False,
    show: bool = True,
) -> Outcome:
    """Run some submissions again, as they lie in their folders now, and replace their rows alone.

    Args:
        project: the checkout.
        chosen: folders, or ids of the table.
        out: the table, as ``grade`` wrote it. What it was told of roster and deadline still holds.
        rubric: points that a person gives, for the whole class; by default those of the last run.
        seed: of the questions to these; by default the one of all others.
        jobs, trusted, show: as for :func:`grade`.

    Raises: CourseError where one of them was not graded before, and as :func:`grade` does.
    """
    _check_seed(seed)
    if not out.is_file():
        raise CourseError(f"There is no {out}: `course assignment grade` makes it.")
    reference = release.master_of(project) / "reference.py"
    with keeping.opened(out) as state:
        register = state.register()
        again = _chosen(register.entries, chosen)
        bench = _bench(reference, state.seed(None) if seed is None else seed, trusted)
        given = rubrics.read(rubric, register.entries) if rubric else register.given
        until = datetime.fromisoformat(register.deadline) if register.deadline else None
        pairs = [_read(state, bench, entry, until) for entry in again]
        entries, _ = _judged(state, bench, pairs, jobs, show, afresh=True)
        judged = {entry.stem: entry for entry in entries if not entry.failure}
        register = Register([judged.get(one.stem, one) for one in register.entries], given, register.deadline)
        failed = outcomes.failures(entry for entry in entries if entry.failure)
        return _finish(state, register, [], 0, again=frozenset(judged), problems=failed)


def _check_seed(seed: int | None) -> None:
    if seed is not None and not 0 <= seed < 2**62:
        raise CourseError(f"--seed {seed} is out of range: name one from 0 to {2**62 - 1}.")


def _bench(reference: Path, seed: int, trusted: bool) -> Bench:
    opener = judging.trust if trusted else judging.sandbox
    return Bench(reference.parent, seed, keeping.version_of(reference), opener)


def _entries(places: Sequence[Place], listed: Matched | None, seed: int) -> list[Entry]:
    """The rows of a class: who, where, and called what. Those who handed in nothing come last."""
    people = listed.of if listed else [rosters.Entry(place.name) for place in places]
    absent = listed.absent if listed else []
    folders = [place.folder for place in places] + [Path() for _ in absent]
    stems = submissions.stems([(one.student, folder) for one, folder in zip([*people, *absent], folders, strict=True)])
    entries = []
    for i, (person, stem) in enumerate(zip([*people, *absent], stems, strict=True)):
        there = i < len(places)
        entry = Entry(
            id=person.student if listed else stem,
            stem=stem,
            code=_code(seed, stem),
            student=person.student,
            name=places[i].name if there else person.folder,
            folder=str(places[i].folder) if there else "",
            refusal="" if there else _ABSENT,
        )
        if person.handed_in and there:
            entry = replace(entry, handed_in=person.handed_in.when.isoformat(), time_from=person.handed_in.source)
        entries.append(entry)
    return [replace(entry, also=_also(entry, entries)) for entry in entries]


def _code(seed: int, stem: str) -> str:
    """Eight letters: a spreadsheet program would take digits for a number. Without vowels they are no word."""
    return hashlib.sha256(f"{seed} {stem}".encode()).hexdigest()[:8].translate(_LETTERS)


def _also(entry: Entry, entries: Sequence[Entry]) -> tuple[str, ...]:
    """The other submissions of one student, by their folders' names, or by their own where those are alike."""
    same = [one for one in entries if one.student == entry.student and one.stem != entry.stem]
    return tuple(one.stem if one.name == entry.name else one.name for one in same)


def _read(state: State, bench: Bench, entry: Entry, until: datetime | None) -> tuple[Entry, Job | None]:
    """Read what an entry's folder holds now, and make a job of it where there is something to judge."""
    if not entry.folder:
        return entry, None
    read = submissions.read(Path(entry.folder), state.shelf)
    if read.handed_in and entry.time_from != "roster":
        entry = replace(entry, handed_in=read.handed_in.when.isoformat(), time_from=read.handed_in.source)
    late = bool(until and entry.handed_in and datetime.fromisoformat(entry.handed_in) > until)
    entry = replace(entry, digest=read.digest, version=bench.version, marks="", failure="", late=late)
    if read.refusal:
        return replace(entry, refusal=read.refusal), None
    name = keeping.name_of_marks(read.digest, bench)
    return replace(entry, refusal="", marks=name), Job(name, state.shelf / read.digest, read.logits_problem)


def _judged(
    state: State,
    bench: Bench,
    pairs: Sequence[tuple[Entry, Job | None]],
    jobs: int | None,
    show: bool,
    afresh: bool = False,
) -> tuple[list[Entry], int]:
    """Have all jobs judged that have no marks yet; all of them where they should be ``afresh``.

    Returns: the entries, now with their failures; and how many had marks.
    """
    wanted = {job.name: job for _, job in pairs if job}
    kept = {} if afresh else {name: marks for name in wanted if (marks := state.marks(name))}
    waiting = len(wanted) - len(kept)
    side_by_side = max(1, min(jobs or usable_cores(), waiting))
    if waiting and not bench.is_trusting:
        if side_by_side == 1:  # the judge is this process: what it opens it goes on with, and waits for torch but once
            judging.ready(bench)
        else:
            sandboxed.check()
    found = running.run_jobs(bench, list(wanted.values()), kept, state.keep, side_by_side=side_by_side, show=show)
    entries = []
    for entry, job in pairs:
        failure = found[job.name].failure if job else ""
        entries.append(replace(entry, marks="", failure=failure) if failure else entry)
    return entries, sum(entry.marks in kept for entry in entries)


def _finish(
    state: State,
    register: Register,
    remarks: Sequence[str],
    earlier: int,
    again: Collection[str] = (),
    problems: Sequence[str] = (),
) -> Outcome:
    """Write all that is made from marks."""
    before = state.register().entries
    rows = [_row(state, entry, register) for entry in register.entries]
    entries = [replace(row.entry, total=row.total) for row in rows]
    problems = [
        *problems,
        *outcomes.duplicates(entries),
        *outcomes.failures(entry for entry in entries if entry.failure),
    ]
    letters.write(state.folder / "feedback", rows)
    reading.write(state.folder / "to-read.html", rows)
    grades.write(state.out, rows)
    grades.write_history(state.folder / "history.csv", before, entries, again)
    summary.write(state.folder / "summary.html", rows, [*remarks, *problems])
    state.write_register(replace(register, entries=entries))
    return Outcome(state.out, rows, earlier, list(remarks), problems)


def _row(state: State, entry: Entry, register: Register) -> Row:
    marks = state.marks(entry.marks) if entry.marks else None
    if entry.marks and not marks:
        entry = replace(entry, failure=_LOST)
    return Row(entry, marks, register.given.get(entry.stem, Given()))


def _chosen(entries: Sequence[Entry], chosen: Sequence[str | Path]) -> list[Entry]:
    found: dict[str, Entry] = {}
    for one in chosen:
        same = [entry for entry in entries if entry.folder and _is_meant(entry, str(one))]
        if not same:
            raise CourseError(f"{shown(str(one))} was not graded before: `course assignment grade` takes what is new.")
        for entry in same:
            if not Path(entry.folder).exists():
                raise CourseError(f"{printable(entry.folder)} is gone: put it back, and call the same command again.")
            found[entry.stem] = entry
    return list(found.values())


def _is_meant(entry: Entry, named: str) -> bool:
    return named in (entry.id, entry.stem) or submissions.absolute(Path(named)) == Path(entry.folder)

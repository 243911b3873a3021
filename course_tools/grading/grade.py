"""Grade a class: ``course assignment grade`` and ``course assignment regrade``.

What was handed in is read once, and judged side by side. Marks are kept and the table is written as they are found, so
a run that was stopped goes on where it was. Pages and feedback are made from them at the end, each of them whole.
"""

import hashlib
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from course_lib.errors import CourseError, printable
from course_lib.training.setup import usable_cores
from course_tools.grading import (
    feedback_files,
    gradebook,
    judge,
    release,
    report,
    roster,
    rubric,
    state,
    submissions,
    tables,
)
from course_tools.grading.gradebook import Row
from course_tools.grading.judge import Exam, Job, Marks
from course_tools.grading.roster import Student
from course_tools.grading.rubric import Given
from course_tools.grading.state import Entry, Register, State
from course_tools.grading.submissions import Submission, shown
from course_tools.publishing.project import Project

_SMALLEST = 2**32  # of a seed: whoever has seen some questions finds a smaller one by trying them all
_WAITING = "not judged yet"
_ABSENT = "nothing handed in"
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjkmnpqrstv")
_LOST = "its marks are lost: call `course assignment grade` again"


@dataclass(frozen=True)
class Outcome:
    """What a run did: the table that it wrote, its rows, and how many submissions had their marks from an earlier run.

    ``remarks`` are lines for the instructor. ``problems`` are those that somebody has to put right.
    """

    table: Path
    rows: list[Row]
    earlier: int
    remarks: list[str]
    problems: list[str]

    def __str__(self) -> str:
        again = f", {self.earlier} of them run earlier" if self.earlier else ""
        folder = self.table.with_suffix("").name
        files = f"{folder}/summary.html, {folder}/to-read.html and {folder}/feedback"
        return "\n".join([*self.remarks, f"{self.table.name} has {len(self.rows)} rows{again}. Beside it: {files}."])

    def check(self) -> None:
        """Raise CourseError where something is left to put right."""
        if self.problems:
            raise CourseError(" ".join(self.problems))


def grade(
    project: Project,
    folders: Sequence[Path],
    out: Path,
    *,
    roster_file: Path | None = None,
    deadline: str | None = None,
    rubric_file: Path | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    trusted: bool = False,
) -> Outcome:
    """Grade submissions. Those whose marks are kept from an earlier run are not run again.

    Args:
        project: the checkout, with the reference.
        folders: the submissions, or the one folder that holds them all: :func:`submissions.find`.
        out: the table to write, such as ``grades.csv``; all else goes into the folder ``grades`` beside it.
        roster_file: whose folder is whose: :mod:`roster`.
        deadline: a time with its zone; what came later gets the status late, and loses nothing.
        rubric_file: points that a person gives: :mod:`rubric`.
        seed: of the questions; by default fresh, and then the same for all runs into ``out``.
        jobs: how many processes judge at a time; by default one a core.
        trusted: run students' code without a sandbox.

    Raises: CourseError where an argument is wrong, there is no sandbox, or the disk is full; what was judged is kept.
    """
    _check_seed(seed)
    master = release.master_of(project)
    until = roster.moment(deadline, "--deadline") if deadline else None
    paths, left_out = submissions.find(folders)
    _check_out(out, paths)
    students, absent = [Student(folder.name) for folder in paths], []
    if roster_file:
        students, absent = roster.match(roster.read(roster_file), paths, roster_file)
    with state.opened(out) as store:
        exam = _exam(master, store.seed(seed), trusted)
        entries = _entries(paths, students, absent, exam.seed, by_student=roster_file is not None)
        given = rubric.read(rubric_file, entries) if rubric_file else {}
        entries, earlier = _judge(store, exam, entries, until, jobs, given)
        remarks = [f"No folders, so not graded: {tables.listed(left_out)}."] if left_out else []
        if absent:
            remarks.append(f"Nothing was handed in by {tables.listed([shown(student.id) for student in absent])}.")
        return _write(store, Register(entries, given, until.isoformat() if until else ""), remarks, earlier)


def regrade(
    project: Project,
    chosen: Sequence[str | Path],
    out: Path,
    *,
    rubric_file: Path | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    trusted: bool = False,
) -> Outcome:
    """Run some submissions again, as they lie in their folders now, and replace their rows alone.

    Args:
        project: the checkout.
        chosen: folders, or ids of the table.
        out: the table, as ``grade`` wrote it. Its roster and deadline still hold.
        rubric_file: points that a person gives, for the whole class; by default those of the last run.
        seed: of the questions to these; by default the one of all others.
        jobs, trusted: as for :func:`grade`.

    Raises: CourseError where one of them was not graded before, and as :func:`grade` does.
    """
    _check_seed(seed)
    if not out.is_file():
        raise CourseError(f"There is no {out}: `course assignment grade` makes it.")
    master = release.master_of(project)
    with state.opened(out) as store:
        register = store.register()
        again = _chosen(register.entries, chosen)
        exam = _exam(master, store.seed(None) if seed is None else seed, trusted)
        given = rubric.read(rubric_file, register.entries) if rubric_file else register.given
        until = datetime.fromisoformat(register.deadline) if register.deadline else None
        entries, _ = _judge(store, exam, again, until, jobs)
        judged = {entry.stem: entry for entry in entries if not entry.failure}
        entries_now = [judged.get(entry.stem, entry) for entry in register.entries]
        problems = _failures(entry for entry in entries if entry.failure)
        return _write(store, Register(entries_now, given, register.deadline), [], 0, frozenset(judged), problems)


def _check_seed(seed: int | None) -> None:
    if seed == release.PUBLIC_SEED:
        raise CourseError(f"--seed {seed} is that of the check, whose questions all students have: leave --seed out.")
    if seed is not None and not _SMALLEST <= seed < 2**62:
        raise CourseError(
            f"--seed {seed} is out of range, for a small one can be guessed: leave --seed out, or name one from "
            f"{_SMALLEST} to {2**62 - 1}."
        )


def _check_out(out: Path, folders: Iterable[Path]) -> None:
    """Raise CourseError where a folder that was handed in could be taken for the one that is made beside ``out``."""
    place = Path(os.path.realpath(out.absolute().parent))
    for folder in map(os.path.realpath, folders):
        if place == Path(folder).parent or place.is_relative_to(folder):
            raise CourseError(
                f"--out {printable(str(out))} lies among the submissions, where a student's folder may have its name: "
                "name a file elsewhere, such as ../grades.csv."
            )


def _exam(master: Path, seed: int, trusted: bool) -> Exam:
    return Exam(master, seed, state.version_of(master / "reference.py"), trusted)


def _entries(
    folders: Sequence[Path], students: Sequence[Student], absent: Sequence[Student], seed: int, by_student: bool
) -> list[Entry]:
    """The rows of a class, not yet judged. Those who handed in nothing come last."""
    people = [*zip(students, folders, strict=True), *((student, None) for student in absent)]
    stems = submissions.stems([(student.id, folder or Path()) for student, folder in people])
    entries = []
    for (student, folder), stem in zip(people, stems, strict=True):
        entry = Entry(
            id=student.id if by_student else stem,
            stem=stem,
            # Eight letters: a spreadsheet program would take digits for a number. Without vowels they are no word.
            code=hashlib.sha256(f"{seed} {stem}".encode()).hexdigest()[:8].translate(_LETTERS),
            student=student.id,
            name=folder.name if folder else student.folder,
            folder=str(folder) if folder else "",
            refusal="" if folder else _ABSENT,
        )
        if student.handed_in and folder:
            entry = replace(entry, handed_in=student.handed_in.isoformat(), time_from="roster")
        entries.append(entry)
    return [replace(entry, also=_also(entry, entries)) for entry in entries]


def _also(entry: Entry, entries: Sequence[Entry]) -> tuple[str, ...]:
    """The other submissions of one student, by their folders' names, or by their own where those are alike."""
    same = [other for other in entries if other.student == entry.student and other.stem != entry.stem]
    return tuple(other.stem if other.name == entry.name else other.name for other in same)


def _judge(
    store: State,
    exam: Exam,
    entries: Sequence[Entry],
    until: datetime | None,
    jobs: int | None,
    given: dict[str, Given] | None = None,
) -> tuple[list[Entry], int]:
    """Read all entries' folders, and have judged what has no marks yet, or everything where no points are ``given``.

    With points, the entries are the whole class, and the table is written with each of them that is judged.

    Returns: the entries as they are now; and how many had marks.
    """
    pairs = [_read(store, exam, entry, until) for entry in entries]
    wanted = {job.name: job for _, job in pairs if job}
    known = {} if given is None else {name: marks for name in wanted if (marks := store.marks(name))}
    found = dict(known)

    def keep(name: str, marks: Marks) -> None:
        store.keep(name, marks)
        found[name] = marks
        if given is not None:
            entries = [replace(e, failure="" if not e.marks or e.marks in found else _WAITING) for e, _ in pairs]
            gradebook.write(store.out, [Row(e, found.get(e.marks), given.get(e.stem, Given())) for e in entries])

    marks = judge.judge_all(exam, [*wanted.values()], known, keep, jobs or usable_cores())
    judged = []
    for entry, job in pairs:
        failure = marks[job.name].failure if job else ""
        judged.append(replace(entry, marks="", failure=failure) if failure else entry)
    return judged, sum(entry.marks in known for entry in judged)


def _read(store: State, exam: Exam, entry: Entry, until: datetime | None) -> tuple[Entry, Job | None]:
    """Read what an entry's folder holds now, and make a job of it where there is something to judge."""
    if not entry.folder:
        return entry, None
    try:
        submission = submissions.read(Path(entry.folder), store.copies)
    except Exception as error:
        if isinstance(error, OSError) and not str(error.filename or "").startswith(entry.folder):
            raise  # the copy could not be written
        submission = Submission("", f"refused: it cannot be read ({printable(str(error))[:200]}).")
    if submission.saved and entry.time_from != "roster":
        entry = replace(entry, handed_in=submission.saved.isoformat(), time_from="file")
    late = bool(until and entry.handed_in and datetime.fromisoformat(entry.handed_in) > until)
    entry = replace(entry, digest=submission.digest, version=exam.version, marks="", failure="", late=late)
    entry = replace(entry, note=submission.note)
    if submission.refusal:
        return replace(entry, refusal=submission.refusal), None
    name = state.name_of_marks(submission.digest, exam)
    job = Job(name, store.copies / submission.digest, submission.logits_problem)
    return replace(entry, refusal="", marks=name), job


def _write(
    store: State,
    register: Register,
    remarks: Sequence[str],
    earlier: int,
    again: Collection[str] = (),
    problems: Sequence[str] = (),
) -> Outcome:
    """Write all that is made from marks."""
    before = store.register()
    rows = [_row(store, entry, register) for entry in register.entries]
    entries = [replace(row.entry, total=row.total) for row in rows]
    problems = [*problems, *_duplicates(entries), *_links(entries)]
    problems += _failures(entry for entry in entries if entry.failure)
    feedback_files.write(store.folder / "feedback", rows)
    report.write_answers(store.folder / "to-read.html", rows)
    gradebook.write(store.out, rows)
    history = gradebook.write_history(store.folder / "history.csv", before, entries, again)
    report.write_summary(store.folder / "summary.html", rows, [*remarks, *problems])
    store.write_register(replace(register, entries=entries, history=history))
    return Outcome(store.out, rows, earlier, list(remarks), problems)


def _row(store: State, entry: Entry, register: Register) -> Row:
    marks = store.marks(entry.marks) if entry.marks else None
    if entry.marks and not marks:
        entry = replace(entry, failure=_LOST)
    return Row(entry, marks, register.given.get(entry.stem, Given()))


def _duplicates(entries: Iterable[Entry]) -> list[str]:
    """The students who have two submissions or more, in one line; none where there are none."""
    students: dict[str, list[str]] = {}
    for entry in entries:
        if entry.also:
            students.setdefault(entry.student, []).append(f"{shown(entry.name)} (id {shown(entry.stem)})")
    if not students:
        return []
    pairs = "; ".join(f"{shown(student)} has {' and '.join(names)}" for student, names in students.items())
    return [
        f"Two submissions of one student: {pairs}. All are graded: take out what should not count, and grade again."
    ]


def _links(entries: Iterable[Entry]) -> list[str]:
    """The submissions with a hard link, in one line; none where there are none."""
    names = [shown(entry.id) for entry in entries if submissions.LINKED in entry.refusal]
    if not names:
        return []
    return [
        f"One file under two names: {tables.listed(names)}. Find out whose it is, and give each folder its own copy."
    ]


def _failures(failed: Iterable[Entry]) -> list[str]:
    """The submissions that could not be graded, and why, in one line; none where there are none."""
    reasons = [f"{shown(entry.id)} ({entry.failure.rstrip('.')})" for entry in failed]
    if not reasons:
        return []
    return [f"Not graded, through no fault of theirs: {tables.listed(reasons)}. The same command tries these again."]


def _chosen(entries: Sequence[Entry], chosen: Sequence[str | Path]) -> list[Entry]:
    again: dict[str, Entry] = {}
    for name in map(str, chosen):
        path = str(submissions.absolute(Path(name)))
        same = [entry for entry in entries if entry.folder and (name in (entry.id, entry.stem) or path == entry.folder)]
        if not same:
            raise CourseError(f"{shown(name)} was not graded before: `course assignment grade` takes what is new.")
        for entry in same:
            if not Path(entry.folder).exists():
                raise CourseError(f"{printable(entry.folder)} is gone: put it back, and call the same command again.")
            again[entry.stem] = entry
    return list(again.values())

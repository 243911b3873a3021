"""A class, graded: what goes in, what comes out, and what is run again."""

import json
import re
import stat
from dataclasses import replace

import pytest
from small_class import (
    SEED,
    WORDS,
    Counting,
    answers,
    everything,
    grade,
    hand_in,
    lines,
    refuses,
    regrade,
    saved,
    table,
)

from course_tools.grading import release, state, submissions
from course_tools.grading.judge import Exam

pytestmark = pytest.mark.usefixtures("counted_here")


# What comes out


def test_a_class_gets_its_table_its_pages_and_feedback(class_of_two, out):
    outcome = grade(class_of_two, out)
    outcome.check()
    rows = table(out)
    assert {name: (row["task_1"], row["total"], row["status"]) for name, row in rows.items()} == {
        "ann": ("12", "12", "ok"),
        "bob": ("7", "7", "ok"),
    }
    written = {file.name for file in (out.parent / "grades").iterdir()}
    assert written == {"feedback", "state", "summary.html", "to-read.html"}
    feedback = (out.parent / "grades" / "feedback" / "bob.md").read_text(encoding="utf-8")
    assert "output_size: not yet, 0 of 5 points" in feedback and "ann" not in feedback
    assert "grades.csv has 2 rows." in str(outcome)


def test_the_same_seed_gives_the_same_grades_and_equal_submissions_are_run_once(class_of_two, tmp_path, reference):
    hand_in(class_of_two, "carl", answers(reference))
    for name in ("one", "two"):
        grade(class_of_two, tmp_path / name / "grades.csv")
    assert everything(tmp_path / "one") == everything(tmp_path / "two") and Counting.started == 4


def test_a_seed_is_fresh_private_and_kept(class_of_two, tmp_path):
    seeds = []
    for name in ("one", "two"):
        for _ in range(2):
            grade(class_of_two, tmp_path / name / "grades.csv", seed=None)
        file = tmp_path / name / "grades" / "state" / "seed.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        seeds.append(json.loads(file.read_text())["seed"])
    assert Counting.started == 4  # the second runs had nothing to do
    assert seeds[0] != seeds[1] and min(seeds) > 2**40
    assert not Counting.seeds & set(seeds)  # a student's code does not see it
    assert not [name for name, content in everything(tmp_path).items() if str(seeds[0]).encode() in content]


def test_seeds_and_table_names_that_are_refused(class_of_two, tmp_path, out):
    grade(class_of_two, out)
    refuses("begun with another seed: leave --seed out, or name another --out", grade, class_of_two, out, seed=SEED + 1)
    assert grade(class_of_two, out, seed=None).earlier == 2
    for seed in (-1, 0, 7, 2**32 - 1, 2**62):
        refuses("--seed .* is out of range", grade, class_of_two, out, seed=seed)
        refuses("--seed .* is out of range", regrade, ["ann"], out, seed=seed)
    for act, what in ((grade, class_of_two), (regrade, ["ann"])):
        refuses("--seed 2026 is that of the check", act, what, out, seed=release.PUBLIC_SEED)
    (tmp_path / "folder.csv").mkdir()
    for name in ("grades.txt", "folder.csv"):
        refuses("is not a table's name: name a file that ends in .csv", grade, class_of_two, tmp_path / name)


def test_what_cannot_be_graded_is_a_row_like_any_other(class_of_two, out, reference):
    (class_of_two / "empty").mkdir()
    hand_in(class_of_two, "prose", "def f():\n    pass\n")
    (hand_in(class_of_two, "binary", "") / "answers.py").write_bytes(b"\xff\xfe")
    (class_of_two / "link").symlink_to(class_of_two / "ann")
    hand_in(class_of_two, "broken", answers(reference) + '# %% tags=["answer", "task-2"]\ndef f(:\n')
    grade(class_of_two, out).check()
    rows = table(out)
    assert {name: (row["status"][:40], row["total"]) for name, row in rows.items() if name not in ("ann", "bob")} == {
        "empty": ("no answers.py", "0"),
        "prose": ("refused: answers.py has no cell tagged a", "0"),
        "binary": ("refused: answers.py is not UTF-8 text (b", "0"),
        "link": ("refused: the folder is a link.", "0"),
        "broken": ("ok", "12"),
    }


def test_hostile_names_stay_where_they_belong(tmp_path, out, reference):
    names = ["=cmd()", "a\nb", "\u202egnp", "<b>", "x" * 200, "..a"]
    for name in names:
        hand_in(tmp_path / "class", name, answers(reference))
    grade([tmp_path / "class" / name for name in names], out).check()
    written = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.md"))
    assert len(written) == len(names)
    assert all(name.startswith("grades/feedback/") and name.isascii() and name.isprintable() for name in written)
    assert len(lines(out)) == len(names) and len(out.read_text(encoding="utf-8").splitlines()) == 1 + len(names)


# Who it is from, and when it came


@pytest.fixture
def roster(tmp_path):
    """``roster(lines)``: a roster with these lines."""

    def of(*lines):
        file = tmp_path / "roster.csv"
        file.write_text("\n".join(["folder,student,handed_in", *lines]), encoding="utf-8")
        return file

    return of


def test_a_roster_names_the_rows_and_lists_who_is_absent(class_of_two, out, roster):
    outcome = grade(class_of_two, out, roster_file=roster("ann,s1,", "bob,s2,", "carl,s3,"))
    outcome.check()
    assert outcome.remarks == ["Nothing was handed in by s3."]
    rows = table(out)
    assert (rows["s1"]["folder"], rows["s1"]["total"]) == ("ann", "12")
    assert [rows["s3"][key] for key in ("folder", "total", "of", "status")] == ["carl", "0", "100", "nothing handed in"]
    assert sorted(file.name for file in (out.parent / "grades" / "feedback").iterdir()) == ["s1.md", "s2.md"]


def test_a_wrong_roster_or_rubric_stops_the_run_before_anything_is_run(class_of_two, tmp_path, out, roster):
    unknown = "whose these folders are: bob. .* that are not there: Bob"
    refuses(unknown, grade, class_of_two, out, roster_file=roster("ann,s1,", "Bob,s2,"))
    assert not out.with_suffix("").exists()
    marks = marked(tmp_path, "student,WHY_STUCK\nx,1\n")
    refuses("line 2: no submission has the student x", grade, class_of_two, out, rubric_file=marks)
    assert Counting.started == 0 and not out.exists()


def test_two_submissions_of_one_student_are_graded_and_kept_apart(class_of_two, tmp_path, out, roster, reference):
    outcome = grade(class_of_two, out, roster_file=roster("ann,s1,", "bob,s1,"))
    refuses(r"s1 has ann \(id s1-\w+\) and bob \(id s1-\w+\)\. All are graded: take out", outcome.check)
    assert [(row["id"], row["folder"], row["total"], row["status"]) for row in lines(out)] == [
        ("s1", "ann", "12", "duplicate of bob"),
        ("s1", "bob", "7", "duplicate of ann"),
    ]
    assert len([*(out.parent / "grades" / "feedback").iterdir()]) == 2
    grade([class_of_two / "bob"], out, roster_file=roster("ann,s1,", "bob,s1,")).check()
    assert table(out)["s1"]["total"] == "7" and Counting.started == 2
    same_name = [class_of_two / "ann", hand_in(tmp_path / "later", "ann", answers(reference))]
    refuses("ann has ann", grade(same_name, tmp_path / "other.csv").check)
    first, second = table(tmp_path / "other.csv")
    assert table(tmp_path / "other.csv")[first]["status"] == f"duplicate of {second}"


def test_late_work_has_its_status_and_loses_nothing(class_of_two, out, roster):
    saved(class_of_two / "ann", 5)
    saved(class_of_two / "bob", 6)
    grade(class_of_two, out, deadline="2026-03-05T13:00+01:00").check()
    rows = table(out).values()
    assert [(row["status"], row["time_from"], row["total"]) for row in rows] == [
        ("ok", "file", "12"),
        ("late", "file", "7"),
    ]
    file = roster("ann,s1,2026-03-05T10:00Z", "bob,s2,2026-03-05T14:00+02:00")  # what the roster says counts
    grade(class_of_two, out, roster_file=file, deadline="2026-03-05T12:00Z").check()
    assert {(row["status"], row["time_from"]) for row in table(out).values()} == {("ok", "roster")}


# A person's points


def marked(tmp_path, text):
    file = tmp_path / "marks.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_persons_points_come_later_and_nothing_is_run_again(tmp_path, out, reference):
    hand_in(tmp_path / "class", "ann", answers(reference, words=WORDS))
    grade(tmp_path / "class", out)
    (row,) = lines(out)
    code = row["code"]
    assert (row["task_8"], row["total"], row["of"]) == ("", "12", "92")
    page = (out.parent / "grades" / "to-read.html").read_text(encoding="utf-8")
    assert re.fullmatch("[b-tv]{8}", code) and code in page and "100 words" in page and ">ann<" not in page
    file = marked(tmp_path, f"code,WHY_STUCK,WHAT_DATA_BUYS\n{code},3,2\n")
    assert grade(tmp_path / "class", out, rubric_file=file).earlier == 1 and Counting.started == 1
    (row,) = lines(out)
    assert (row["task_8"], row["total"], row["of"]) == ("5", "17", "100")
    (line,) = lines(out.parent / "grades" / "history.csv")
    assert (line["old_total"], line["new_total"], line["why"]) == ("12", "17", "points changed by a person")


def test_words_are_kept_without_what_cannot_be_printed(tmp_path, out, reference):
    words = "one\x00\x1b[2J \u202e two\u00a0three\n\n\n  four " + "x" * 20_000
    hand_in(tmp_path / "class", "ann", answers(reference, words=words))
    (row,) = grade(tmp_path / "class", out).rows
    text = row.marks.texts["WHY_STUCK"]
    assert text.startswith("one\ufffd\ufffd[2J \ufffd two three\n\n\nfour xxx") and len(text) <= 10_000


# What is run again


def test_nothing_is_run_twice_and_only_what_changed_is_run_again(class_of_two, out, reference, monkeypatch):
    grade(class_of_two, out)
    outcome = grade(class_of_two, out)
    assert (outcome.earlier, Counting.started) == (2, 2) and ", 2 of them run earlier." in str(outcome)
    hand_in(class_of_two, "bob", answers(reference, code="# new"))
    assert (grade(class_of_two, out).earlier, Counting.started) == (1, 3)
    (line,) = lines(out.parent / "grades" / "history.csv")
    assert [line[key] for key in ("id", "old_total", "new_total", "why")] == ["bob", "7", "12", "handed in again"]
    monkeypatch.setattr(state.torch, "__version__", "0")
    assert (grade(class_of_two, out).earlier, Counting.started) == (0, 5)


def test_marks_depend_on_the_grader_the_reference_the_seed_and_the_sandbox(tmp_path, monkeypatch):
    for name in ("analysis", "data", "grading", "models", "plots"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.py").write_text("1")
    monkeypatch.setattr(state.course_lib, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(state.marking, "__file__", str(tmp_path / "grading" / "marking.py"))
    reference = tmp_path / "reference.py"
    reference.write_text("1")
    versions = [state.version_of(reference)]
    for name in ("plots/one.py", "analysis/one.py", "data/one.py", "grading/one.py", "models/one.py", "reference.py"):
        (tmp_path / name).write_text("2")
        versions.append(state.version_of(reference))
    assert versions[0] == versions[1] and len(set(versions)) == 6
    exam = Exam(tmp_path, 1, "v")
    exams = [exam, replace(exam, seed=2), replace(exam, version="w"), replace(exam, trusted=True)]
    assert len({state.name_of_marks("digest", exam) for exam in exams} | {state.name_of_marks("other", exam)}) == 5


def test_regrade_replaces_its_own_row_alone(class_of_two, out, reference):
    saved(class_of_two / "bob", 6)
    grade(class_of_two, out, deadline="2026-03-05T13:00Z")
    before = table(out)
    for name in ("ann", "bob"):
        hand_in(class_of_two, name, answers(reference, code="# again"))
    saved(class_of_two / "bob", 7)
    regrade([class_of_two / "bob"], out).check()
    after = table(out)
    assert after["ann"] == before["ann"] and Counting.started == 3
    assert (after["bob"]["total"], after["bob"]["status"]) == ("12", "late")
    (line,) = lines(out.parent / "grades" / "history.csv")
    assert [line[key] for key in ("id", "old_total", "new_total", "why")] == ["bob", "7", "12", "graded again"]


def test_regrade_takes_ids_runs_what_is_kept_and_keeps_roster_and_rubric(class_of_two, out, roster, tmp_path):
    file = marked(tmp_path, 'student,output_size,reason\ns2,5,"Ours."\n')
    students = roster("ann,s1,2026-03-05T10:00Z", "bob,s2,", "carl,s3,")
    grade(class_of_two, out, roster_file=students, rubric_file=file)
    before = table(out)
    regrade(["s1", "s2"], out).check()
    assert table(out) == before and before["s2"]["note"] == "output_size: 5 points: Ours." and Counting.started == 4
    assert [line["id"] for line in lines(out.parent / "grades" / "history.csv")] == ["s1", "s2"]


def test_regrade_of_what_is_not_there_is_refused(class_of_two, out, roster, tmp_path):
    refuses("There is no .*other.csv: `course assignment grade` makes it", regrade, ["ann"], tmp_path / "other.csv")
    grade(class_of_two, out, roster_file=roster("ann,s1,", "bob,s2,", "carl,s3,"))
    (class_of_two / "bob").rename(class_of_two / "moved")
    for name in ("dora", "s3"):
        refuses(f"{name} was not graded before", regrade, [name], out)
    refuses("bob is gone: put it back", regrade, ["s2"], out)


def test_what_is_graded_is_what_was_read(class_of_two, out, reference, monkeypatch):
    real = submissions.read

    def read(folder, copies):
        submission = real(folder, copies)
        (folder / "answers.py").write_text(answers(reference), encoding="utf-8")  # now, and not before
        return submission

    monkeypatch.setattr(submissions, "read", read)
    grade(class_of_two, out)
    assert table(out)["bob"]["total"] == "7"

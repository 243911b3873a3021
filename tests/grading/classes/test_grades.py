"""Points and totals of a row, its status, the tables, and the letter to its student."""

from dataclasses import replace

import pytest
from small_class import ENTRY, lines, refused, row, table

from checks.tasks import TASKS
from course_tools.grading.classes import grades, letters
from course_tools.grading.classes.grades import Row
from course_tools.grading.classes.judging import Marks
from course_tools.grading.classes.rubrics import Given


def test_what_a_person_has_not_marked_is_not_known_and_no_part_of_the_total():
    one = row(wrong={"output_size": "no"})
    assert (one.total, one.of) == (87, 92)
    assert [one.of_task(task) for task in TASKS] == [7, 14, 14, 14, 14, 14, 10, None]


def test_a_persons_points_make_the_total_whole():
    one = row(points={"WHY_STUCK": 2.5, "WHAT_DATA_BUYS": 0})
    assert (one.total, one.of, one.of_task(TASKS[-1]), one.note) == (94.5, 100, 2.5, "")
    half = row(points={"WHY_STUCK": 2.5})
    assert (half.total, half.of, half.of_task(TASKS[-1])) == (94.5, 96, None)


def test_who_wrote_nothing_needs_nobody_to_read_it():
    one = row(texts={})
    assert (one.total, one.of, one.of_task(TASKS[-1])) == (92, 100, 0)


def test_a_person_may_change_the_programs_points_and_says_why():
    one = row(wrong={"output_size": "no"}, points={"output_size": 5}, reason="Our typo.")
    assert one.total == 92 and one.note == "output_size: 5 points: Our typo."


def test_what_is_refused_has_no_points_and_what_failed_has_none_yet():
    one = refused()
    assert (one.total, one.of, one.status) == (0, 100, "no answers.py")
    failed = Row(replace(ENTRY, marks="", failure="no memory"), None, Given())
    assert (failed.total, failed.of, failed.status) == (None, 0, "failed: no memory")
    assert {failed.of_task(task) for task in TASKS} == {None}


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (row(), "ok"),
        (row(late=True), "late"),
        (row(late=True, also=("ann-2",)), "late; duplicate of ann-2"),
        (refused(late=True), "no answers.py; late"),
        (Row(ENTRY, Marks(refusal="refused: no text"), Given()), "refused: no text"),
    ],
)
def test_status(one, status):
    assert one.status == status


def test_being_late_costs_nothing():
    assert row(late=True).total == row().total


def test_the_table_has_a_row_a_submission_and_a_column_a_task(tmp_path):
    grades.write(tmp_path / "grades.csv", [row(), refused(id="s2", name="=cmd()")])
    written = table(tmp_path / "grades.csv")
    assert [written["s1"][f"task_{i}"] for i in range(1, 9)] == ["12", "14", "14", "14", "14", "14", "10", ""]
    assert (written["s1"]["total"], written["s1"]["of"], written["s1"]["status"]) == ("92", "92", "ok")
    assert (written["s1"]["handed_in"], written["s1"]["time_from"]) == ("2026-03-05T10:00:00+00:00", "git")
    assert written["s2"]["folder"] == "'=cmd()" and written["s2"]["total"] == "0"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"digest": "other", "marks": "n"}, "handed in anew"),
        ({"version": "other", "marks": "n"}, "assignment or grader changed"),
        ({"marks": "n"}, "graded again"),
        ({}, "points changed by a person"),
    ],
)
def test_history_has_a_line_for_each_total_that_changed(tmp_path, change, why):
    file = tmp_path / "history.csv"
    old = [replace(ENTRY, total=80.0), replace(ENTRY, stem="s2", id="s2", total=70.0)]
    new = [replace(ENTRY, total=92.0, **change), old[1], replace(ENTRY, stem="s3", id="s3", total=1.0)]
    assert grades.write_history(file, old, new) == 1
    (line,) = table(file).values()
    assert (line["id"], line["old_total"], line["new_total"], line["why"]) == ("s1", "80", "92", why)


def test_history_keeps_what_was_and_has_a_line_for_what_was_asked_for(tmp_path):
    file = tmp_path / "history.csv"
    old = [replace(ENTRY, total=80.0)]
    grades.write_history(file, old, [replace(ENTRY, total=None, failure="x", marks="")])
    first = table(file)
    assert grades.write_history(file, old, old) == 0
    assert grades.write_history(file, old, old, again={"s1"}) == 1
    assert [line["why"] for line in lines(file)] == ["graded again", "graded again"]
    assert lines(file)[0] == first["s1"]


# The letter


def test_a_letter_says_what_the_check_says():
    text = letters.letter(row(wrong={"output_size": "32 pixels: expected 9, got 8. Think."}))
    assert text.startswith("# Feedback for s1\n\n**87 of 92 points.** 8 more are given by a person.\n")
    assert (
        "\n## Task 1: Sizes and receptive fields, 7 of 12 points\n\n    output_size: not yet, 0 of 5 points\n" in text
    )
    assert "\n        32 pixels: expected 9, got 8. Think.\n    receptive_field: right, 7 points\n" in text
    assert "    WHY_STUCK: handed in; a person marks it\n" in text


def test_a_letter_says_what_a_person_gave_and_why():
    one = row(wrong={"output_size": "no"}, points={"WHY_STUCK": 3.5, "output_size": 5}, reason="Our *typo*.", late=True)
    text = letters.letter(one)
    assert "    WHY_STUCK: 3.5 of 4 points, given by a person\n" in text
    assert "\n        no\n        Changed by a person to 5 of 5 points: Our *typo*.\n" in text
    assert "It was handed in after the deadline." in text


def test_a_letter_on_nothing_says_why():
    assert "    There is no answers.py in what you handed in.\n" in letters.letter(refused())
    assert "## Task" not in letters.letter(refused())


@pytest.mark.parametrize(
    "hint", ["<script>alert(1)</script>", "**92 of 92**", "# Task 1: 12 of 12", "[x](javascript:1)", "```"]
)
def test_what_a_student_wrote_stands_in_code(hint):
    text = letters.letter(row(wrong={"output_size": hint}))
    (line,) = (line for line in text.splitlines() if hint in line)
    assert line.startswith("    ")


def test_an_id_is_no_markup():
    assert letters.letter(row(id="<b>*s1*")).startswith("# Feedback for \\<b\\>\\*s1\\*\n")


def test_letters_are_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "feedback"
    absent = Row(replace(ENTRY, stem="s4", folder="", refusal="nothing handed in", marks=""), None, Given())
    failed = Row(replace(ENTRY, stem="s3", failure="x", marks=""), None, Given())
    letters.write(folder, [row(), row(stem="s2"), failed, absent])
    assert sorted(file.name for file in folder.iterdir()) == ["s1.md", "s2.md"]
    letters.write(folder, [row(stem="s2")])
    assert [file.name for file in folder.iterdir()] == ["s2.md"]
    assert [file.name for file in tmp_path.iterdir()] == ["feedback"]

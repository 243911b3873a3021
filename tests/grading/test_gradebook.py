"""Points and totals of a row, its status, the tables, and the feedback to its student."""

from dataclasses import replace

import pytest
from small_class import ENTRY, lines, refused, row, table

from checks.tasks import TASKS
from course_tools.grading import feedback_files, gradebook, report
from course_tools.grading.gradebook import Row
from course_tools.grading.judge import Marks
from course_tools.grading.rubric import Given
from course_tools.grading.state import Register

FAILED = Row(replace(ENTRY, stem="s3", marks="", failure="no memory"), None, Given())
WRITTEN = {"WHY_STUCK": 2.5, "WHAT_DATA_BUYS": 0}


@pytest.mark.parametrize(
    ("graded", "total", "most", "last"),
    [
        (row(wrong={"output_size": "no"}), 87, 92, None),  # nobody has marked task 8 yet
        (row(points={"WHY_STUCK": 2.5}), 94.5, 96, None),
        (row(points=WRITTEN), 94.5, 100, 2.5),
        (row(texts={}), 92, 100, 0),  # nobody has to read what was not written
        (row(wrong={"output_size": "no"}, points={"output_size": 5}, reason="Our typo."), 92, 92, None),
        (refused(), 0, 100, 0),
        (FAILED, None, 0, None),
    ],
)
def test_totals_count_what_is_known(graded, total, most, last):
    assert (graded.total, graded.most, graded.points_of_task(TASKS[-1])) == (total, most, last)


@pytest.mark.parametrize(
    ("graded", "status"),
    [
        (row(), "ok"),
        (row(late=True, also=("ann-2",)), "late; duplicate of ann-2"),
        (refused(late=True), "no answers.py; late"),
        (Row(ENTRY, Marks(refusal="refused: no text"), Given()), "refused: no text"),
        (FAILED, "failed: no memory"),
    ],
)
def test_status(graded, status):
    assert graded.status == status


def test_the_table_has_a_row_a_submission_and_a_column_a_task(tmp_path):
    changed = row(wrong={"receptive_field": "no"}, points={"output_size": 5, "WHY_STUCK": 1}, reason="Our typo.")
    gradebook.write(tmp_path / "grades.csv", [changed, refused(id="s2", name="=cmd()")])
    written = table(tmp_path / "grades.csv")
    assert [written["s1"][f"task_{i}"] for i in range(1, 9)] == ["5", "14", "14", "14", "14", "14", "10", ""]
    keys = ("total", "of", "status", "handed_in", "time_from", "note")
    when = "2026-03-05T10:00:00+00:00"
    expected = ["86", "96", "ok", when, "file", "output_size: 5 points: Our typo."]
    assert [written["s1"][key] for key in keys] == expected
    assert written["s2"]["folder"] == "'=cmd()" and written["s2"]["total"] == "0"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"digest": "other", "marks": "n"}, "handed in again"),
        ({"version": "other", "marks": "n"}, "assignment or grader changed"),
        ({"marks": "n"}, "graded again"),
        ({}, "points changed by a person"),
    ],
)
def test_history_has_a_line_for_each_total_that_changed(tmp_path, change, why):
    file = tmp_path / "history.csv"
    old = [replace(ENTRY, total=80.0), replace(ENTRY, stem="s2", id="s2", total=70.0)]
    new = [replace(ENTRY, total=92.0, **change), old[1], replace(ENTRY, stem="s3", id="s3", total=1.0)]
    gradebook.write_history(file, Register(old), new)
    (line,) = table(file).values()
    assert (line["id"], line["old_total"], line["new_total"], line["why"]) == ("s1", "80", "92", why)
    gradebook.write_history(file, Register(new), new)
    gradebook.write_history(file, Register(new), new, again={"s2"})
    assert [(line["id"], line["why"]) for line in lines(file)] == [("s1", why), ("s2", "graded again")]


def test_history_of_a_run_that_was_killed_is_written_once(tmp_path):
    """It wrote its lines, and not the register that counts them."""
    file, one = tmp_path / "history.csv", replace(ENTRY, total=80.0)
    before = Register([one], history=gradebook.write_history(file, Register([one]), [replace(one, total=70.0)]))
    for _ in range(2):
        count = gradebook.write_history(file, before, [replace(one, total=92.0)])
        assert [line["new_total"] for line in lines(file)] == ["70", "92"] and count == 2
    assert gradebook.write_history(file, before, [one]) == 1 and len(lines(file)) == 1


# Feedback


def test_feedback_has_points_hints_what_a_person_gave_and_the_reason_of_a_refusal():
    wrong = {"output_size": "no", "receptive_field": "32 pixels: expected 9, got 8."}
    points = {"WHY_STUCK": 3.5, "output_size": 5}
    text = feedback_files.text(row(wrong=wrong, points=points, reason="Our *typo*.", late=True))
    assert text.startswith("# Feedback for s1\n\n**88.5 of 96 points.** 4 more are given by a person.\n")
    assert "## Task 1: Sizes and receptive fields, 5 of 12 points\n\n    output_size: not yet, 0 of 5 points\n" in text
    assert "\n        no\n        Changed by a person to 5 of 5 points: Our *typo*.\n" in text
    assert "\n    receptive_field: not yet, 0 of 7 points\n        32 pixels: expected 9, got 8.\n" in text
    assert "    WHY_STUCK: 3.5 of 4 points, given by a person\n" in text and "after the deadline" in text
    text = feedback_files.text(refused())
    assert "    There is no answers.py in what you handed in.\n" in text and "## Task" not in text
    text = feedback_files.text(refused(refusal="no answers.py: there is only <b>.zip"))
    assert "    There is no answers.py in what you handed in: there is only <b>.zip.\n" in text


def test_which_file_was_graded_stands_in_table_page_and_feedback(tmp_path):
    graded = row(note="graded: <b>.py; not graded: answers.ipynb", points={"output_size": 5}, reason="Our typo.")
    gradebook.write(tmp_path / "grades.csv", [graded])
    assert table(tmp_path / "grades.csv")["s1"]["note"] == f"{graded.entry.note}; output_size: 5 points: Our typo."
    assert "\n    graded: <b>.py; not graded: answers.ipynb\n" in feedback_files.text(graded)
    report.write_summary(tmp_path / "summary.html", [graded], [])
    assert "ok; graded: &lt;b&gt;.py; not" in (tmp_path / "summary.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("hint", ["<script>alert(1)</script>", "# Task 1: 12 of 12", "```"])
def test_feedback_shows_what_a_student_wrote_as_code(hint):
    text = feedback_files.text(row(wrong={"output_size": hint}, id="<b>*s1*"))
    assert text.startswith("# Feedback for \\<b\\>\\*s1\\*\n")
    (line,) = (line for line in text.splitlines() if hint in line)
    assert line.startswith("    ")


def test_feedback_files_are_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "feedback"
    absent = Row(replace(ENTRY, stem="s4", folder="", refusal="nothing handed in", marks=""), None, Given())
    feedback_files.write(folder, [row(), row(stem="s2"), FAILED, absent])
    assert sorted(file.name for file in folder.iterdir()) == ["s1.md", "s2.md"]
    feedback_files.write(folder, [row(stem="s2")])
    assert [file.name for file in folder.iterdir()] == ["s2.md"]
    assert [file.name for file in tmp_path.iterdir()] == ["feedback"]

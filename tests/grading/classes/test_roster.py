"""Tables from instructors: the roster, and the rubric with a person's points. And what we write holds no formula."""

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from course_lib.errors import CourseError
from course_tools.grading.classes import rosters, rubrics, spreadsheets
from course_tools.grading.classes.rubrics import Given
from course_tools.grading.classes.submissions import Place


@pytest.fixture
def file(tmp_path):
    """``file(text)``: a table with this text."""

    def of(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return of


def refused(said, act, *words):
    with pytest.raises(CourseError, match=said) as error:
        act(*words)
    assert "\n" not in str(error.value) and "table.csv" in str(error.value)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_tables_of_any_spreadsheet_program(file, separator, encoding):
    text = "Folder, STUDENT \r\nünal, s1 \r\n,\r\n,s2\r\n".replace(",", separator)
    entries = rosters.read(file(text, encoding))
    assert [(entry.folder, entry.student) for entry in entries] == [("ünal", "s1"), ("", "s2")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column folder"),
        ("folder\nann\n", "no column student"),
        ("folder,student,grade\n", "has a column 'grade'; those that it may have: folder, student, handed_in"),
        ("folder,student,folder\n", "two columns of one name"),
        ("folder,student\nann,s1,x\n", "line 2 has more cells"),
        ("folder,student\nann\n", "line 2 names no student"),
        ("folder,student\nann,s1\nann,s2\n", "lines 2 and 3 both name the folder ann"),
        ('folder,student\n"ann,s1\n', "Save it as CSV again"),
        ("folder,student,handed_in\nann,s1,2026-01-01\n", "line 2: handed_in .* names no time zone"),
    ],
)
def test_a_roster_that_is_wrong(file, text, said):
    refused(said, rosters.read, file(text))


def test_a_table_that_is_no_text(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"folder,student\n\xff\xfe\n")
    refused("not UTF-8 text", rosters.read, tmp_path / "table.csv")
    refused("cannot be read .* name a CSV file", rosters.read, tmp_path / "no" / "table.csv")


def match(file, text, *names):
    path = file(text)
    return rosters.match(rosters.read(path), [Place(name, Path("/class", name)) for name in names], path)


def test_folders_find_their_students_and_students_without_a_folder_are_absent(file):
    matched = match(file, "folder,student\nbob/,s2\nann,s1\ncarl,s3\n,s4\n", "ann", "bob")
    assert [entry.student for entry in matched.of] == ["s1", "s2"]
    assert [entry.student for entry in matched.absent] == ["s3", "s4"]


def test_a_name_that_another_system_writes_in_other_letters(file):
    assert match(file, "folder,student\nu\u0308nal,s1\n", "\u00fcnal").of[0].student == "s1"


def test_a_student_with_a_second_folder_that_is_not_there_is_not_absent(file):
    assert match(file, "folder,student\nann,s1\nann-2,s1\n", "ann").absent == []


def test_folders_that_nobody_owns_are_listed_with_the_lines_that_may_have_meant_them(file):
    said = "does not say whose these folders are: Bob, dora. It names folders that are not there: bob. Mend the roster"
    refused(said, match, file, "folder,student\nann,s1\nbob,s2\n", "ann", "Bob", "dora")


@dataclass
class Known:
    stem: str
    code: str
    id: str
    name: str


CLASS = [Known("ann", "c0de", "s1", "ann"), Known("s2-1", "beef", "s2", "bob"), Known("s2-2", "f00d", "s2", "bob-2")]


@pytest.mark.parametrize("who", ["code,c0de", "student,s1", "folder,ann"])
def test_points_go_to_whom_they_are_meant_for(file, who):
    column, name = who.split(",")
    given = rubrics.read(file(f"{column},why_stuck,WHAT_DATA_BUYS\n{name},3,2.5\n"), CLASS)
    assert given == {"ann": Given({"WHY_STUCK": 3, "WHAT_DATA_BUYS": 2.5})}


def test_points_of_a_student_go_to_both_submissions_and_what_is_not_filled_in_is_nothing(file):
    given = rubrics.read(file("student;WHY_STUCK;WHAT_DATA_BUYS\ns2;1,5;\n"), CLASS)
    assert given == {stem: Given({"WHY_STUCK": 1.5}) for stem in ("s2-1", "s2-2")}


def test_a_mark_of_the_program_is_changed_with_a_reason(file):
    given = rubrics.read(file('student,output_size,reason\ns1,5,"Our typo, your luck."\n'), CLASS)
    assert given == {"ann": Given({"output_size": 5}, "Our typo, your luck.")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("WHY_STUCK\n3\n", "none of the columns code, student, folder"),
        ("student,WHY_STUK\ns1,3\n", "has a column 'WHY_STUK'"),
        ("student,WHY_STUCK\ns9,3\n", "line 2: no submission has the student s9"),
        ("student,WHY_STUCK\n,3\n", "line 2 does not say whose"),
        ("student,WHY_STUCK\ns1,5\n", "line 2: WHY_STUCK is 5; it should be a number from 0 to 4"),
        ("student,WHY_STUCK\ns1,-1\n", "from 0 to 4"),
        ("student,WHY_STUCK\ns1,nan\n", "from 0 to 4"),
        ("student,WHY_STUCK\ns1,good\n", "WHY_STUCK is good"),
        ("student,output_size\ns1,5\n", "line 2 changes output_size and gives no reason"),
        ("student,WHY_STUCK\ns1,1\ns1,2\n", "line 3: s1 has a line already"),
    ],
)
def test_a_rubric_that_is_wrong(file, text, said):
    refused(said, rubrics.read, file(text), CLASS)


def test_no_cell_is_a_formula_and_none_becomes_two(tmp_path):
    cells = ["=1+1", "+1", "-1", "@x", "\t=1", "  =1", "＝1", "a;=1", "a\n=1", "\x1b]0;x", 'q"=1', "\udcff"]
    spreadsheets.write(tmp_path / "table.csv", ["one", "two"], [(cell, 2.5) for cell in cells])
    text = (tmp_path / "table.csv").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) == 1 + len(cells)
    for line, row in zip(lines[1:], list(csv.reader(lines))[1:], strict=True):
        assert line[0] == '"' and len(row) == 2 and row[1] == "2.5"
        assert row[0].isprintable() and not row[0].strip().startswith(tuple("=+-@＝"))


def test_numbers_stay_numbers(tmp_path):
    spreadsheets.write(tmp_path / "table.csv", ["a"], [[3.0], [2.256], [-1], [None]])
    assert (tmp_path / "table.csv").read_text().splitlines() == ['"a"', "3", "2.26", "-1", '""']

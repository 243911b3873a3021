"""Tables from instructors: the roster, and the rubric with a person's points. And what we write holds no formula."""

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from small_class import ENTRY, refuses

from course_tools.grading import roster, rubric, tables
from course_tools.grading.rubric import Given


@pytest.fixture
def file(tmp_path):
    """``file(text)``: a table with this text."""

    def of(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return of


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("first", ["", "sep=,\n", '"SEP=,"\n', "\n\n", "sep=,\n,,\n"])
def test_tables_of_any_spreadsheet_program(file, separator, encoding, newline, first):
    text = first + 'Folder, STUDENT ,,\n"ünal",s1 \n,\n\n,"s,;\t2",\n'
    text = text.replace(",", separator).replace("\n", newline)
    students = roster.read(file(text, encoding))
    quoted = "s,;\t2".replace(",", separator)
    assert [(student.folder, student.id) for student in students] == [("ünal", "s1"), ("", quoted)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("folder\nann\n", "no column student"),
        ("folder,student,grade\n", "has a column 'grade'; it may have folder, student, handed_in"),
        ("folder,student,folder\n", "two columns of one name"),
        ("folder,student\nann,s1,x\n", "line 2 has more cells"),
        ("folder,student\nann\n", "line 2 names no student"),
        ("folder,student\nann,s1\nann,s2\n", "lines 2 and 3 both name the folder ann"),
        ('folder,student\n"ann,s1\n', "Save it as CSV again"),
        ("folder,student,handed_in\nann,s1,2026-01-01\n", "line 2: handed_in .* names no time zone"),
    ],
)
def test_a_wrong_roster_is_refused(file, text, problem):
    refuses(f"table.csv.*{problem}", roster.read, file(text))


def test_a_table_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"folder,student\n\xff\xfe\n")
    refuses("not UTF-8 text", roster.read, tmp_path / "table.csv")
    refuses("cannot be read .* name a CSV file", roster.read, tmp_path / "no" / "table.csv")


def match(file, text, *names):
    path = file(text)
    return roster.match(roster.read(path), [Path("/class", name) for name in names], path)


def test_folders_find_their_students_and_students_without_a_folder_are_absent(file):
    text = "folder,student\nbob/,s2\nu\u0308nal,s1\ncarl,s3\n,s4\nbob-2,s2\n"  # as some systems write ü
    present, absent = match(file, text, "\u00fcnal", "bob. ")
    assert [student.id for student in present] == ["s1", "s2"]
    assert [student.id for student in absent] == ["s3", "s4"]


def test_folders_that_nobody_owns_are_listed_with_the_lines_that_may_have_meant_them(file):
    problem = "does not say whose these folders are: Bob, dora. It names folders that are not there: bob. Correct"
    refuses(problem, match, file, "folder,student\nann,s1\nbob,s2\n", "ann", "Bob", "dora")


def test_a_time_has_its_zone():
    for text in ("2026-06-30T23:59+02:00", "2026-06-30T21:59Z", " 2026-06-30 21:59:00+00:00 "):
        assert roster.moment(text, "--deadline") == datetime(2026, 6, 30, 21, 59, tzinfo=UTC)
    refuses("^--deadline is 'tomorrow', which is no time: write it as", roster.moment, "tomorrow", "--deadline")


ONE, TWO = {"stem": "s2-1", "code": "beef", "name": "bob"}, {"stem": "s2-2", "code": "f00d", "name": "bob-2"}
CLASS = [replace(ENTRY, stem="ann", name="ann"), replace(ENTRY, id="s2", **ONE), replace(ENTRY, id="s2", **TWO)]


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("code,why_stuck,WHAT_DATA_BUYS\nc0de,3,2.5\n", {"ann": Given({"WHY_STUCK": 3, "WHAT_DATA_BUYS": 2.5})}),
        ("folder,WHY_STUCK\nbob,3\n", {"s2-1": Given({"WHY_STUCK": 3})}),
        # Of a student with two submissions; and a cell that is empty is nothing.
        ("student;WHY_STUCK;WHAT_DATA_BUYS\ns2;1,5;\n", dict.fromkeys(("s2-1", "s2-2"), Given({"WHY_STUCK": 1.5}))),
        ('student,output_size,reason\ns1,5,"Our typo."\n', {"ann": Given({"output_size": 5}, "Our typo.")}),
    ],
)
def test_points_go_to_whom_they_are_meant_for(file, text, given):
    assert rubric.read(file(text), CLASS) == given


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("WHY_STUCK\n3\n", "none of the columns code, student, folder"),
        ("student,WHY_STUK\ns1,3\n", "has a column 'WHY_STUK'"),
        ("student,WHY_STUCK\ns9,3\n", "line 2: no submission has the student s9"),
        ("student,WHY_STUCK\n,3\n", "line 2 does not say whose"),
        ("student,WHY_STUCK\ns1,5\n", "line 2: WHY_STUCK is 5; write a number from 0 to 4"),
        ("student,WHY_STUCK\ns1,-1\n", "from 0 to 4"),
        ("student,WHY_STUCK\ns1,nan\n", "from 0 to 4"),
        ("student,output_size\ns1,5\n", "line 2 changes output_size and gives no reason"),
        ("student,WHY_STUCK\ns1,1\ns1,2\n", "line 3: s1 has a line already"),
    ],
)
def test_a_wrong_rubric_is_refused(file, text, problem):
    refuses(f"table.csv.*{problem}", rubric.read, file(text), CLASS)


def test_no_cell_is_a_formula_and_none_becomes_two(tmp_path):
    cells = ["=1+1", "+1", "-1", "@x", "\t=1", "  =1", "＝1", "a;=1", "a\n=1", "\x1b]0;x", 'q"=1', "\udcff"]
    tables.write(tmp_path / "table.csv", ["one", "two"], [(cell, 2.5) for cell in cells])
    lines = (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + len(cells)
    for line, row in zip(lines[1:], list(csv.reader(lines))[1:], strict=True):
        assert line[0] == '"' and len(row) == 2 and row[1] == "2.5"
        assert row[0].isprintable() and not row[0].strip().startswith(tuple("=+-@＝"))


def test_numbers_stay_numbers(tmp_path):
    tables.write(tmp_path / "table.csv", ["a"], [[3.0], [2.256], [-1], [None]])
    assert (tmp_path / "table.csv").read_text().splitlines() == ['"a"', "3", "2.26", "-1", '""']

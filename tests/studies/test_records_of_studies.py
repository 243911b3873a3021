"""What chapters read of a study: its published records, and nothing where there are none."""

import json

import pytest

from course_lib import records
from course_lib.errors import CourseError
from course_lib.records import lines, studies
from course_lib.records.table import COLUMNS
from course_tools.studies.plan import plan


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty results folder."""
    monkeypatch.setattr(lines, "results_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def published(folder, pretended):
    """Two runs of mnist-six, and one of another study beside them."""
    one, _, *_, other = plan("mnist-six", "cpu", 1)
    for planned, accuracy in ((one, 0.25), (other, 0.75)):
        pretended(folder / "study-mnist-six.jsonl", "mnist-six", "cpu", planned, accuracy)
    pretended(folder / "study-little-data.jsonl", "little-data", "cpu", plan("little-data", "cpu")[0])
    return folder / "study-mnist-six.jsonl"


def test_all_records_of_one_study_are_read_whole(published):
    read = studies.read("mnist-six")
    assert read == [json.loads(line) for line in published.read_text().splitlines()]
    assert [one["name"] for one in read] == ["perceptron", "ResNet, small"]
    assert all(one["sha256"] == records.digest(one) for one in read)


def test_the_table_has_a_row_a_run_and_the_columns_of_the_chapters(published):
    table = studies.table("mnist-six")
    assert list(table.columns) == COLUMNS
    assert table["name"].tolist() == ["perceptron", "ResNet, small"]
    assert table["accuracy"].tolist() == [0.25, 0.75] and table["train"].tolist() == [300, 300]
    assert table["chapter"].unique().tolist() == ["study-mnist-six"] and table["epochs"].tolist() == [1, 1]
    assert len(studies.table("little-data")) == 1


def test_where_nothing_was_published_there_are_no_rows_but_all_columns(folder):
    assert studies.read("vgg-vs-resnet") == []
    table = studies.table("vgg-vs-resnet")
    assert len(table) == 0 and list(table.columns) == COLUMNS
    assert table.groupby("name")["accuracy"].mean().empty


@pytest.mark.parametrize("line", ["", "{", '{"sha256": 3}'])
@pytest.mark.parametrize("ask", [studies.read, studies.table])
def test_a_malformed_line_is_named(published, line, ask):
    published.write_text(published.read_text() + line + "\n")
    with pytest.raises(CourseError, match=r"^study-mnist-six\.jsonl, line 3 ") as caught:
        ask("mnist-six")
    assert "\n" not in str(caught.value)


def test_chapters_do_not_take_them_for_their_own(published):
    assert lines.chapter_files() == [] and len(records.table()) == 0


def test_what_was_read_is_logged(published, logged):
    studies.table("mnist-six")
    assert logged("records") == ["study-mnist-six"]

"""What chapters read of a study: its published records, and nothing where there are none."""

import pytest

from course_lib import records
from course_lib.records import lines, studies
from course_lib.records.table import COLUMNS
from course_tools.studies.plan import plan


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty results folder."""
    monkeypatch.setattr(lines, "results_folder", lambda: tmp_path)
    return tmp_path


def test_records_of_one_study_have_a_row_a_run_and_are_not_a_chapters(folder, pretended, logged):
    one, _, *_, other = plan("mnist-six", "cpu", 1)
    for planned, accuracy in ((one, 0.25), (other, 0.75)):
        pretended(folder / "study-mnist-six.jsonl", "mnist-six", "cpu", planned, accuracy)
    pretended(folder / "study-little-data.jsonl", "little-data", "cpu", plan("little-data", "cpu")[0])
    table = studies.table("mnist-six")
    assert list(table.columns) == COLUMNS and logged("records") == ["study-mnist-six"]
    assert table["name"].tolist() == ["perceptron", "ResNet, small"]
    assert table["accuracy"].tolist() == [0.25, 0.75] and table["train"].tolist() == [300, 300]
    assert lines.chapter_files() == [] and len(records.table()) == 0
    assert records.table("study-mnist-six")["name"].tolist() == table["name"].tolist()


def test_where_nothing_was_published_there_are_no_rows_but_all_columns(folder):
    assert studies.read("vgg-vs-resnet") == []
    table = studies.table("vgg-vs-resnet")
    assert len(table) == 0 and list(table.columns) == COLUMNS
    assert table.groupby("name")["accuracy"].mean().empty

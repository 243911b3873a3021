"""What benchmarks left behind is read kind by kind, each line checked against its own digest."""

import pytest

from course_lib import records
from course_lib.errors import CourseError
from course_lib.records import lines


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty results folder."""
    monkeypatch.setattr(lines, "results_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def measured(folder):
    """Two steps and a roof of a CPU, and one step of a GPU."""
    path = folder / "bench-cpu.jsonl"
    for line in (
        {"kind": "step", "network": "LeNet-5", "milliseconds": 7.5},
        {"kind": "roof", "precision": "float32", "matmul": 1e11},
        {"kind": "step", "network": "MiniVGG", "milliseconds": 123.0},
    ):
        records.append(path, line)
    records.append(folder / "bench-gpu.jsonl", {"kind": "step", "network": "LeNet-5", "milliseconds": 0.25})
    return path


def test_only_lines_of_its_kind_are_read_in_their_order(measured):
    steps = records.bench("step")
    assert steps["network"].tolist() == ["LeNet-5", "MiniVGG"] and steps["milliseconds"].tolist() == [7.5, 123.0]
    assert steps.index.tolist() == [0, 1] and steps["kind"].unique().tolist() == ["step"]
    assert set(steps.columns) == {"kind", "network", "milliseconds", "sha256"}, "nothing of the roof's"
    assert records.bench("roof")["matmul"].tolist() == [1e11]


def test_each_kind_of_machine_has_its_own_file(measured):
    assert records.bench("step", "gpu")["milliseconds"].tolist() == [0.25]
    assert len(records.bench("roof", "gpu")) == 0


def test_where_nothing_was_measured_there_are_no_rows(folder, logged):
    for device in ("cpu", "gpu"):
        assert records.bench("target", device).empty
    assert logged("records") == ["bench-cpu", "bench-gpu"], "a run that saw nothing depends on that, too"


def test_a_kind_that_was_not_measured_yet_has_no_rows(measured):
    assert records.bench("machine").empty and records.bench("target").empty


@pytest.mark.parametrize("kind", ["steps", "", "sha256"])
def test_another_kind_is_refused(measured, kind):
    with pytest.raises(ValueError, match=f"^kind must be one of machine, roof, step, target, not '{kind}'$"):
        records.bench(kind)


@pytest.mark.parametrize("kind", ["step", "roof", "machine"])
def test_a_changed_line_is_refused_whatever_kind_it_is_of(measured, kind):
    measured.write_text(measured.read_text().replace("123.0", "12.3"))
    with pytest.raises(CourseError, match=r"^bench-cpu\.jsonl, line 3 was changed after it was written") as caught:
        records.bench(kind)
    assert "\n" not in str(caught.value)
    assert len(records.bench("step", "gpu")) == 1


@pytest.mark.parametrize("line", ["{", "[]", '{"kind": "step"}'])
def test_a_malformed_line_is_named(measured, line):
    measured.write_text(f"{measured.read_text()}{line}\n")
    with pytest.raises(CourseError, match=r"^bench-cpu\.jsonl, line 4 is not a record"):
        records.bench("step")


def test_what_was_read_is_logged(measured, logged):
    records.bench("step")
    assert logged("records") == ["bench-cpu"]


def test_chapters_records_do_not_count_them(measured):
    assert lines.chapter_files() == [] and records.table().empty

"""``records.bench``: the lines of benchmarks, kind by kind."""

import pytest

from course_lib import records
from course_lib.errors import CourseError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty results folder."""
    monkeypatch.setenv("COURSE_RESULTS", str(tmp_path))
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


def test_lines_of_one_kind_and_machine_are_read_in_their_order(measured):
    steps = records.bench("step")
    assert steps["network"].tolist() == ["LeNet-5", "MiniVGG"] and steps["milliseconds"].tolist() == [7.5, 123.0]
    assert set(steps.columns) == {"kind", "network", "milliseconds", "sha256"}, "no columns of the roof's"
    assert records.bench("roof")["matmul"].tolist() == [1e11]
    assert records.bench("step", "gpu")["milliseconds"].tolist() == [0.25]
    assert records.bench("machine").empty and records.bench("roof", "gpu").empty


def test_a_file_that_is_not_there_has_no_rows_and_is_logged(folder, logged):
    assert records.bench("target", "cpu").empty and records.bench("target", "gpu").empty
    assert logged("records") == ["bench-cpu", "bench-gpu"], "a run that saw nothing depends on that, too"


def test_another_kind_is_refused(measured):
    with pytest.raises(ValueError, match=r"^kind must be one of machine, roof, step, processes, target, not 'steps'$"):
        records.bench("steps")


@pytest.mark.parametrize("kind", ["step", "roof"])
def test_a_changed_line_is_refused_whatever_its_kind(measured, kind):
    measured.write_text(measured.read_text().replace("123.0", "12.3"))
    with pytest.raises(CourseError, match=r"^bench-cpu\.jsonl, line 3 was changed after it was written"):
        records.bench(kind)

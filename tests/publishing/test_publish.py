"""Publishing is all or nothing, and refuses what should not be published."""

import nbformat
import pytest

from course_lib import records
from course_lib.errors import CourseError
from course_tools.publishing import fingerprints, pairs
from course_tools.publishing.publish import publish, write_together
from course_tools.publishing.stage import stage


def test_outputs_and_fingerprints_are_taken_over_without_papermills_metadata(book):
    publish(book, book.chapters(), "cpu")
    chapter = book.chapters()[0]
    text = chapter.notebook.read_text()
    assert "profile cpu" in text and "papermill" not in text and "injected-parameters" not in text
    assert pairs.out_of_step(chapter) is None
    fingerprint = fingerprints.read(fingerprints.published_file(book, "01-small"))
    assert [fit["recipe"]["model"] for fit in fingerprint["fits"]] == ["MLP"] and "library" not in fingerprint
    assert list(fingerprint["results"]) == ["perceptron, seed 0"]
    stage(book, None)
    page = nbformat.read(book.stage / "notebooks" / "01-small.ipynb", 4)
    assert "quick run" not in page.cells[0].source


def test_files_are_written_together_or_not_at_all(tmp_path):
    first, last = tmp_path / "first", tmp_path / "last"
    first.write_text("old")
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="cannot be written"):
        write_together({first: "new", tmp_path / "file" / "inside": "new", last: "new"})
    assert first.read_text() == "old" and sorted(file.name for file in tmp_path.iterdir()) == ["file", "first"]
    write_together({first: "new", last: "new"})
    assert (first.read_text(), last.read_text()) == ("new", "new")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "first", "last"]


def test_refuses_run_of_another_profile(book):
    source, target = book.run_folder("cpu"), book.run_folder("full")
    target.mkdir(parents=True)
    (target / "01-small.ipynb").write_bytes((source / "01-small.ipynb").read_bytes())
    with pytest.raises(CourseError, match="this run is of profile cpu, not full"):
        publish(book, book.chapters()[:1], "full")
    with pytest.raises(CourseError, match="quick run is not published"):
        publish(book, book.chapters(), "quick")


def test_lesser_run_replaces_a_better_one_only_if_asked(book):
    publish(book, book.chapters(), "cpu")
    for chapter in book.chapters():
        notebook = pairs.read_notebook(chapter)
        notebook.metadata.course.run.profile = "full"
        pairs.write_notebook(notebook, chapter.notebook)
    with pytest.raises(CourseError, match="worth more than cpu: use --replace-better"):
        publish(book, book.chapters(), "cpu")
    publish(book, book.chapters(), "cpu", replace_better=True)
    assert nbformat.read(book.chapters()[0].notebook, 4).metadata.course.run.profile == "cpu"


def test_refuses_a_path_of_this_machine(book):
    file = book.run_folder("cpu") / "01-small.ipynb"
    notebook = nbformat.read(file, 4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs)
    cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text=f"{book.root}/lib.py:21: UserWarning\n"))
    nbformat.write(notebook, file)
    with pytest.raises(CourseError, match=r"01-small: cell \d+ shows a path of this machine"):
        publish(book, book.chapters(), "cpu")
    assert not list(book.results.iterdir())


def test_one_bad_chapter_stops_all(book):
    records.append(book.run_folder("cpu") / "02-other.jsonl", {"not": "a valid record"})
    with pytest.raises(CourseError, match=r"02-other\.jsonl, line 1"):
        publish(book, book.chapters(), "cpu")
    assert not list(book.results.iterdir())
    assert not any("run" in pairs.read_notebook(chapter).metadata["course"] for chapter in book.chapters())

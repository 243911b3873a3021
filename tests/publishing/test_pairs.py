"""The source wins, outputs stay where code did not change, and no hand edit is lost."""

import nbformat
import pytest

from course_lib.errors import CourseError
from course_tools.publishing import pairs


def edit(chapter, old, new):
    notebook = nbformat.read(chapter.notebook, 4)
    notebook.cells[-1].source = notebook.cells[-1].source.replace(old, new)
    nbformat.write(notebook, chapter.notebook)


def test_pairing_makes_the_notebook_and_then_has_nothing_to_do(project):
    (chapter,) = project.chapters()
    assert "run `course pair`" in pairs.out_of_step(chapter)
    assert pairs.pair(chapter)
    before = chapter.notebook.read_bytes()
    assert pairs.out_of_step(chapter) is None
    assert not pairs.pair(chapter)
    assert chapter.notebook.read_bytes() == before


def test_the_source_wins_and_outputs_of_unchanged_cells_stay(project, write):
    chapter = write("1 + 1", "2 + 2")
    pairs.pair(chapter)
    notebook = nbformat.read(chapter.notebook, 4)
    for cell in notebook.cells[-2:]:
        cell.execution_count = 1
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="kept")]
    nbformat.write(notebook, chapter.notebook)
    write("1 + 1", "2 + 3")
    assert "is behind" in pairs.out_of_step(chapter)
    pairs.pair(chapter)
    notebook = nbformat.read(chapter.notebook, 4)
    assert notebook.cells[-1].source == "2 + 3"
    assert notebook.cells[-2].outputs[0].text == "kept"


def test_hand_edit_is_refused_and_can_be_carried_over(project):
    (chapter,) = project.chapters()
    pairs.pair(chapter)
    edit(chapter, "profile", "my profile")
    edited = chapter.notebook.read_bytes()
    with pytest.raises(CourseError, match=r"edited by hand: run `course pair --take-notebook 01-small`"):
        pairs.pair(chapter)
    assert chapter.notebook.read_bytes() == edited
    pairs.take_notebook(chapter)
    assert 'print("my profile", PROFILE)' in chapter.source.read_text()
    assert 'tags=["parameters"]' in chapter.source.read_text()
    assert pairs.out_of_step(chapter) is None


def test_where_both_were_edited_nothing_is_written(project, write):
    (chapter,) = project.chapters()
    pairs.pair(chapter)
    edit(chapter, "profile", "my profile")
    write('print("the source, edited too")')
    edited, source = chapter.notebook.read_bytes(), chapter.source.read_bytes()
    with pytest.raises(CourseError, match=r"edited by hand"):
        pairs.pair(chapter)
    with pytest.raises(CourseError, match=r"01-small\.py was edited too: keep a copy of 01-small\.ipynb"):
        pairs.take_notebook(chapter)
    assert (chapter.notebook.read_bytes(), chapter.source.read_bytes()) == (edited, source)


def test_outputs_and_run_metadata_are_not_sources(project):
    (chapter,) = project.chapters()
    pairs.pair(chapter)
    notebook = nbformat.read(chapter.notebook, 4)
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="hello")]
    notebook.cells[-1].metadata["papermill"] = {"duration": 1}
    nbformat.write(notebook, chapter.notebook)
    assert pairs.out_of_step(chapter) is None


@pytest.mark.parametrize("content", ["", "[]", '{"cells": 3}'])
def test_refuses_malformed_notebook(project, content):
    (chapter,) = project.chapters()
    chapter.notebook.write_text(content)
    with pytest.raises(CourseError, match="does not read as a notebook"):
        pairs.pair(chapter)


def test_streams_that_arrived_in_pieces_are_joined():
    out = [nbformat.v4.new_output("stream", name=name, text=text) for name, text in ("o1", "o2", "e3", "o4")]
    figure = nbformat.v4.new_output("display_data", {"text/plain": "figure"})
    joined = pairs.join_streams([*out[:2], figure, out[2], out[3]])
    assert [output.get("text", "figure") for output in joined] == ["12", "figure", "3", "4"]

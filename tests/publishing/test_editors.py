"""Pairs in other people's hands: what editors do to a notebook or a script is no edit, and nobody's data enters git."""

import json
import tempfile
from pathlib import Path

import nbformat
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_lib.errors import CourseError
from course_tools.publishing import pairs
from course_tools.publishing.project import Project

PRIVATE = ("Ann Example", "0815", "ABX9Secret", "/home/ann")
SOURCES = (
    "x = 1",
    "def f():\n\treturn 1\n\n\ndef g():\n    return 2\n\nx = 3",
    "s = 'a\u2028b\x85c\x0bd\x1ce'",
    "x = 1\n\x0c\ny = 2",
    "text = '''\n# %% [markdown]\n# no cell\n'''",
    "# %matplotlib inline\n# !ls\n# print?",
    "# %%time\nx = 1",
    "# %% a comment, which begins a cell in a script",
    "# +\nx = 1\n# -",
    "print('猫 שלום 🐈 \\ $')",
    "if x:\n    pass\n\n",
)


def each_cell(change):
    def edit(notebook):
        for place, cell in enumerate(notebook["cells"]):
            change(cell, place)

    return edit


def colab(cell, place):
    user = {"displayName": PRIVATE[0], "userId": PRIVATE[1], "photoUrl": "https://example.org/a.png"}
    cell["metadata"] |= {
        "id": f"q{place}",
        "colab": {"base_uri": "x"},
        "outputId": "0",
        "executionInfo": {"user": user},
    }
    for output in cell.get("outputs", []):
        output["metadata"] |= {"id": PRIVATE[1]}


EDITORS = {
    "colab": each_cell(colab),
    "colab, notebook": lambda nb: nb["metadata"].update(
        colab={"provenance": [{"file_id": PRIVATE[3]}], "authorship_tag": PRIVATE[2]}, accelerator="GPU"
    ),
    "colab, unfolded": each_cell(lambda cell, _: cell["metadata"].pop("cellView", None)),
    "jupyterlab, collapsed": each_cell(
        lambda cell, _: cell["metadata"].update(collapsed=True, scrolled=True, jupyter={"outputs_hidden": True})
    ),
    "jupyterlab, source hidden": each_cell(lambda cell, _: cell["metadata"].update(jupyter={"source_hidden": True})),
    "jupyterlab, no tag left": each_cell(lambda cell, _: cell["metadata"].setdefault("tags", [])),
    "jupyterlab, last cell": lambda nb: nb["cells"].append(
        {"cell_type": "code", "metadata": {}, "source": [], "outputs": [], "execution_count": None, "id": "last"}
    ),
    "kernel": lambda nb: nb["metadata"].update(
        kernelspec={"name": "mine", "display_name": PRIVATE[3], "language": "python"}, language_info={"name": "python"}
    ),
    "vscode": each_cell(lambda cell, _: cell["metadata"].update(vscode={"languageId": "python"}, editable=True)),
    "ids": each_cell(lambda cell, place: cell.update(id=f"other-{place}")),
    "papermill": each_cell(lambda cell, _: cell["metadata"].update(papermill={"duration": 1.0}, execution={"a": "b"})),
    "papermill, parameters": lambda nb: nb["cells"].insert(
        0,
        {
            "cell_type": "code",
            "metadata": {"tags": ["injected-parameters"]},
            "source": "P = 1",
            "outputs": [],
            "id": "p",
        },
    ),
    "stripped": each_cell(lambda cell, _: cell["metadata"].pop("lines_to_next_cell", None)),
    "slides": each_cell(lambda cell, _: cell["metadata"].update(slideshow={"slide_type": "slide"})),
    "windows": each_cell(lambda cell, _: cell.update(source="".join(cell["source"]).replace("\n", "\r\n"))),
    "one string": each_cell(lambda cell, _: cell.update(source="".join(cell["source"]) + "\n")),
    "tags null": each_cell(lambda cell, _: cell["metadata"].setdefault("tags", None)),
    "no outputs": each_cell(lambda cell, _: [cell.pop(key, None) for key in ("outputs", "execution_count")]),
    "no metadata of a cell": each_cell(lambda cell, _: cell["metadata"] or cell.pop("metadata")),
    "no metadata": lambda nb: nb.pop("metadata"),
    "nbdime": lambda nb: nb.setdefault("metadata", {}).update({"nbdime-conflicts": {"remote": PRIVATE[0]}}),
}
SAVED = {
    "as it is": lambda text: text.encode(),
    "bom": lambda text: text.encode("utf-8-sig"),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "no final newline": lambda text: text.rstrip("\n").encode(),
}


@pytest.fixture(scope="session")
def chapter_of(chapter_in):
    """A new chapter of these cells, paired. The second cell is a solution."""

    def make(folder, sources, saved="as it is"):
        chapter = chapter_in(Path(folder) / "checkout", *sources)
        head = '# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}\n'
        text = chapter.source.read_text(encoding="utf-8").replace("# %%\n", head, 1)
        chapter.source.write_bytes(SAVED[saved](text))
        pairs.pair(chapter)
        notebook = pairs.read_notebook(chapter)
        picture = nbformat.v4.new_output(
            "display_data", {"image/png": "iVBORw0K"}, metadata={"image/png": {"alt": "A."}}
        )
        notebook.cells[1].outputs = [picture]
        pairs.write_notebook(notebook, chapter.notebook)
        return chapter

    return make


def rewrite(chapter, editors, last=lambda notebook: None):
    notebook = json.loads(chapter.notebook.read_text(encoding="utf-8"))
    last(notebook)
    for name in editors:
        for cell in notebook["cells"]:
            cell.setdefault("metadata", {})
        notebook.setdefault("metadata", {})
        EDITORS[name](notebook)
    chapter.notebook.write_text(json.dumps(notebook, indent=2), encoding="utf-8")


lists = st.lists(st.sampled_from(SOURCES), min_size=1, max_size=4)
editings = st.lists(st.sampled_from(sorted(EDITORS)), max_size=6)


def each_editor(test):
    for name in EDITORS:
        test = example(sources=list(SOURCES), editors=[name], saved="as it is")(test)
    return test


@each_editor
@given(sources=lists, editors=editings, saved=st.sampled_from(sorted(SAVED)))
def test_a_notebook_through_editors_stays_in_step_and_its_script_as_it_is(chapter_of, sources, editors, saved):
    with tempfile.TemporaryDirectory() as folder:
        chapter = chapter_of(folder, sources, saved)
        before, paired = chapter.source.read_bytes(), chapter.notebook.read_bytes()
        rewrite(chapter, editors)
        assert pairs.out_of_step(chapter) is None
        pairs.pair(chapter)
        assert not pairs.pair(chapter) and pairs.out_of_step(chapter) is None
        pairs.take_notebook(chapter)
        assert chapter.source.read_bytes() == before
        assert chapter.notebook.read_bytes() == paired or "no outputs" in editors
        assert pairs.read_notebook(chapter).cells[0].source.startswith("# 1 · A small chapter")


def without_own_cells(sources):
    return [source for source in sources if not source.startswith("# %% ")] or ["x = 1"]


@example(sources=["x = 1", "def f():\n    return 1", "x = 2"], editors=["stripped"])
@given(sources=lists.map(without_own_cells), editors=editings)
def test_taking_a_notebook_changes_what_was_edited_alone(chapter_of, sources, editors):
    with tempfile.TemporaryDirectory() as folder:
        chapter = chapter_of(folder, sources)
        before = chapter.source.read_text(encoding="utf-8")
        rewrite(chapter, editors, lambda nb: nb["cells"][2].update(source="edited = 'me\u2028'"))
        assert "--take-notebook" in pairs.out_of_step(chapter)
        pairs.take_notebook(chapter)
        after = chapter.source.read_text(encoding="utf-8")
        assert "edited = 'me\u2028'" in after and pairs.out_of_step(chapter) is None and not pairs.pair(chapter)
        kept = set(before.split("\n")) & set(after.split("\n"))
        assert set(after.split("\n")) - kept <= {"edited = 'me\u2028'", ""}
        assert after.endswith(before.partition("\n# %%\n")[2]), "the cells behind the edited one"
        assert before.partition("\n# %% [")[0] == after.partition("\n# %% [")[0], "the header"
        both = after + chapter.notebook.read_text(encoding="utf-8")
        assert not [word for word in PRIVATE if word in both]


@pytest.mark.parametrize("source", [source for source in SOURCES if not source.startswith("# %% ")])
def test_the_notebook_runs_what_the_script_has(chapter_of, tmp_path, source):
    chapter = chapter_of(tmp_path, ["x = 0", source])
    notebook = pairs.read_notebook(chapter)
    if not source.startswith("# %"):  # a magic, or a cell of its own
        assert notebook.cells[-1].source.rstrip() == source.rstrip()
    for place, cell in enumerate(notebook.cells[2:]):
        cell.outputs = [nbformat.v4.new_output("stream", text=str(place))]
    pairs.write_notebook(notebook, chapter.notebook)
    chapter.source.write_text(chapter.source.read_text(encoding="utf-8").replace("x = 0", "x = 7"), encoding="utf-8")
    assert pairs.pair(chapter) and pairs.read_notebook(chapter).cells[-1].outputs


def test_nbformat_3_is_read(project):
    (chapter,) = project.chapters()
    pairs.pair(chapter)
    old = nbformat.convert(nbformat.read(chapter.notebook, 4), 3)
    chapter.notebook.write_text(nbformat.writes(old, 3), encoding="utf-8")
    assert pairs.out_of_step(chapter) is None


def conflict(file):
    text = file.read_text(encoding="utf-8").replace("PROFILE", "<<<<<<< HEAD\nPROFILE\n=======\n>>>>>>> theirs\n", 1)
    file.write_text(text, encoding="utf-8")


BROKEN = {
    "conflict": conflict,
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:300]),
    "empty": lambda file: file.write_bytes(b""),
    "html": lambda file: file.write_text("<!DOCTYPE html>", encoding="utf-8"),
    "lfs": lambda file: file.write_text("version https://git-lfs.github.com/spec/v1", encoding="utf-8"),
    "utf-16": lambda file: file.write_text("# %%\nx = 1", encoding="utf-16"),
    "folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("ending", [".ipynb", ".py"])
@pytest.mark.parametrize("harm", BROKEN)
def test_a_broken_file_is_one_line_that_deletes_nothing(project, harm, ending):
    (chapter,) = project.chapters()
    pairs.pair(chapter)
    file = chapter.source.with_suffix(ending)
    BROKEN[harm](file)
    if ending == ".py" and harm in ("truncated", "html", "lfs"):
        return  # Python cannot tell: a script may be any text
    other = chapter.source.with_suffix({".py": ".ipynb", ".ipynb": ".py"}[ending])
    before = other.read_bytes()
    for act in (pairs.pair, pairs.take_notebook, pairs.out_of_step):
        with pytest.raises(CourseError) as error:
            act(chapter)
        text = str(error.value)
        assert file.name in text and "delete" not in text and "\n" not in text
    assert other.read_bytes() == before and file.exists()


def test_a_notebook_that_was_not_edited_never_replaces_a_script_that_was(project, write):
    (chapter,) = project.chapters()
    pairs.pair(chapter)
    write("print('newer')")
    before = chapter.source.read_bytes()
    with pytest.raises(CourseError, match="was not edited"):
        pairs.take_notebook(chapter)
    assert chapter.source.read_bytes() == before


def test_committed_notebooks_hold_nothing_of_an_editor():
    for chapter in Project(Path(__file__).parents[2]).chapters():
        notebook = pairs._paired(chapter, pairs.read_notebook(chapter))
        assert pairs.to_text(notebook) == chapter.notebook.read_text(encoding="utf-8"), chapter.name

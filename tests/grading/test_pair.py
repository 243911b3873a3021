"""The student's pair: an edit in one file reaches the other, whatever an editor did, and none is lost."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks import pair
from checks.script import NOTEBOOK, SCRIPT
from course_lib.errors import CourseError

HEADER = "# ---\n# jupyter:\n#   jupytext:\n#     formats: ipynb,py:percent\n# ---\n\n"
SOURCES = (
    "%%time\ndef f():\n    return 1",
    "%matplotlib inline\nimport math",
    "!pip install torch\nx = !ls\ntorch.cat?\n??",
    "def f():\r\n    return 1\r\n",
    "def f():\n    return 1\n\x0c\ndef g():\n    return 2",
    "def f():\n    return 1\n\n\n# %% my part\ndef g():\n    return 2",
    "def f():\n    # %% my part\n    return 1",
    "def f():\n    return 1\n# +\ndef g():\n    return 2\n# -\n# In[3]:\nx = 1",
    "s = 'a\u2028b\x85c'",
    "s = '''\n# %% tags=[\"answer\"]\n# %% [markdown]\n'''\nx = 1",
    "def f(:\n  broken",
    "s = '''never closed",
    "猫 = 'שלום 🐈 \\\\ $'\n\n\n",
)
EDITORS = {
    "colab": lambda cell: cell["metadata"].update(id="a", executionInfo={"user": {"displayName": "Ann Example"}}),
    "vscode": lambda cell: cell["metadata"].update(vscode={"languageId": "python"}),
    "collapsed": lambda cell: cell["metadata"].update(collapsed=True, jupyter={"source_hidden": True}),
    "ids": lambda cell: cell.pop("id", None),
    "windows": lambda cell: cell.update(source="".join(cell["source"]).replace("\r", "").replace("\n", "\r\n")),
    "lines": lambda cell: cell.update(source="".join(cell["source"]).splitlines(keepends=True)),
    "tags null": lambda cell: cell["metadata"].setdefault("tags", None),
    "metadata null": lambda cell: cell.update(metadata=cell["metadata"] or None),
    "outputs": lambda cell: cell.pop("outputs", None) if cell["cell_type"] == "code" else None,
}


def code(source, *tags):
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def save(folder, cells, ending=b"\n"):
    metadata = {"jupytext": {"formats": "ipynb,py:percent"}}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (folder / NOTEBOOK).write_bytes(json.dumps(content, indent=1).encode().replace(b"\n", ending))


def made(folder, *sources):
    """A folder in which both files agree, and were seen to."""
    cells = [{"cell_type": "markdown", "metadata": {}, "source": "# Title"}, code("scratch = 1")]
    save(folder, [*cells, *(code(source, "answer", f"task-{i}") for i, source in enumerate(sources, 1))])
    (folder / SCRIPT).write_text(HEADER, encoding="utf-8")
    (folder / SCRIPT).unlink()
    assert SCRIPT in pair.synchronise(folder) and pair.synchronise(folder) == ""
    return json.loads((folder / NOTEBOOK).read_text(encoding="utf-8"))["cells"]


def files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name[0] != "."}


def edit_script(folder, text='# %% tags=["answer", "task-9"]\nnew = \'a\u2028b\'\n'):
    script = (folder / SCRIPT).read_text(encoding="utf-8")
    (folder / SCRIPT).write_text(f"{script}\n{text}", encoding="utf-8")


@given(
    sources=st.lists(st.sampled_from(SOURCES), min_size=1, max_size=4),
    editors=st.lists(st.sampled_from(sorted(EDITORS)), max_size=4),
    crlf=st.booleans(),
)
def test_a_pair_through_editors_stays_in_step(sources, editors, crlf):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cells = made(folder, *sources)
        for editor in editors:
            for cell in cells:
                cell["metadata"] = cell["metadata"] or {}
                EDITORS[editor](cell)
        save(folder, cells, b"\r\n" if crlf else b"\n")
        if crlf:
            (folder / SCRIPT).write_bytes((folder / SCRIPT).read_bytes().replace(b"\n", b"\r\n"))
        before = files(folder)
        assert pair.synchronise(folder) == ""
        assert files(folder) == before
        edit_script(folder)
        assert f"{NOTEBOOK} follows" in pair.synchronise(folder)
        cells = json.loads((folder / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
        assert any("new = 'a\u2028b'" in "".join(cell["source"]) for cell in cells)
        assert pair.synchronise(folder) == ""


@given(
    sources=st.lists(st.sampled_from(SOURCES), min_size=2, max_size=4),
    change=st.sampled_from(["reordered", "split", "added", "no text", "edited", "tag lost"]),
)
def test_the_notebook_alone_was_edited(sources, change):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cells = made(folder, *sources)
        first, *rest = cells[2:]
        cells = {
            "reordered": [*cells[:2], *rest, first],
            "split": [*cells, code("a = 1", "answer"), code("b = 2", "answer")],
            "added": [code("import math", "answer"), *cells],
            "no text": [*cells[1:], code("x = 9", "answer")],
            "edited": [*cells[:2], code("y = 2  # mine", "answer", "task-1"), *rest],
            "tag lost": [*cells[:2], code("z = 3"), *rest],
        }[change]
        for cell in cells:
            EDITORS["colab"](cell)
        save(folder, cells)
        pair.synchronise(folder)
        assert pair.synchronise(folder) == ""
        script = (folder / SCRIPT).read_text(encoding="utf-8")
        assert pair._cells(script) == pair._cells(pair._script_of(pair._read_notebook(folder), script))
        assert "Ann Example" not in script


@pytest.mark.parametrize("source", SOURCES)
def test_what_jupyterlab_saves_in_both_files_is_in_step_and_keeps_its_strings(tmp_path, source):
    made(tmp_path, "x = 1")
    cells = [code(source, "answer", "task-1"), code("y = 1", "answer")]
    save(tmp_path, cells)
    (tmp_path / SCRIPT).write_text(pair._as_jupyter_saves(pair._read_notebook(tmp_path)), encoding="utf-8")
    pair.synchronise(tmp_path)
    assert pair.synchronise(tmp_path) == ""
    if "\u2028" in source:
        assert source in (tmp_path / SCRIPT).read_text(encoding="utf-8")


def test_where_both_were_edited_neither_is_lost(tmp_path):
    cells = made(tmp_path, "x = 1")
    edit_script(tmp_path)
    save(tmp_path, [*cells, code("z = 3", "answer")])
    before = files(tmp_path)
    with pytest.raises(CourseError, match=r"both edited.*python check\.py --keep"):
        pair.synchronise(tmp_path)
    assert files(tmp_path) == before
    for keep, other in ((NOTEBOOK, "answers-before-1.py"), (SCRIPT, "answers-before-2.py")):
        for name, content in before.items():
            (tmp_path / name).write_bytes(content)
        other = other if keep == NOTEBOOK else "answers-before-1.ipynb"
        assert other in pair.synchronise(tmp_path, keep)
        lost = SCRIPT if keep == NOTEBOOK else NOTEBOOK
        assert (tmp_path / other).read_bytes() == before[lost]
        assert (tmp_path / keep).read_bytes() == before[keep]
        assert pair.synchronise(tmp_path) == ""
        (tmp_path / pair.AGREED).write_text("0")


def test_where_both_were_edited_and_the_answers_agree_nothing_is_written(tmp_path):
    cells = made(tmp_path, "x = 1")
    edit_script(tmp_path, "# %%\nmine = 1\n")
    save(tmp_path, [*cells, code("yours = 2")])
    before = files(tmp_path)
    assert pair.synchronise(tmp_path) == "" and files(tmp_path) == before


@pytest.mark.parametrize(("age", "winner"), [(5, NOTEBOOK), (-5, SCRIPT), (0, SCRIPT)])
def test_where_it_is_not_known_when_they_agreed_the_last_one_wins_and_the_other_is_kept(tmp_path, age, winner):
    cells = made(tmp_path, "x = 1")
    (tmp_path / pair.AGREED).unlink()
    save(tmp_path, [*cells, code("z = 3", "answer")])
    edit_script(tmp_path)
    before, now = files(tmp_path), 1_700_000_000
    os.utime(tmp_path / SCRIPT, (now, now))
    os.utime(tmp_path / NOTEBOOK, (now + age, now + age))
    assert f"{winner} was edited" in pair.synchronise(tmp_path)
    after = files(tmp_path)
    assert set(before.values()) <= set(after.values()) and after[winner] == before[winner]


@pytest.mark.parametrize(
    "content",
    ["", "{}", '{"cells": []}', "<<<<<<< HEAD\n{}", '{"cells": [{"cell_type"', '{"cells": 3}', "<html>", None],
)
def test_a_notebook_that_cannot_be_read_stops_nothing_and_is_left_alone(tmp_path, content):
    made(tmp_path, "x = 1")
    if content is None:
        (tmp_path / NOTEBOOK).unlink()
        (tmp_path / NOTEBOOK).mkdir()
    else:
        (tmp_path / NOTEBOOK).write_text(content, encoding="utf-8")
    script = (tmp_path / SCRIPT).read_bytes()
    said = pair.synchronise(tmp_path)
    assert said.endswith(f"{SCRIPT} alone is checked.") and "delete" not in said and "\n" not in said
    assert (tmp_path / SCRIPT).read_bytes() == script and os.path.lexists(tmp_path / NOTEBOOK)


def test_an_indented_comment_like_a_cells_first_line_splits_no_answer(tmp_path):
    made(tmp_path, "x = 1")
    edit_script(tmp_path, '# %% tags=["answer", "task-2"]\ndef f():\n    # %% my part\n    return 1\n')
    pair.synchronise(tmp_path)
    last = json.loads((tmp_path / NOTEBOOK).read_text(encoding="utf-8"))["cells"][-1]
    assert last["metadata"]["tags"] == ["answer", "task-2"] and "return 1" in "".join(last["source"])


def test_a_script_that_lost_its_answers_does_not_empty_the_notebook(tmp_path):
    made(tmp_path, "x = 1")
    before = (tmp_path / NOTEBOOK).read_bytes()
    (tmp_path / SCRIPT).write_text("print('something else')\n", encoding="utf-8")
    assert "no cell tagged answer" in pair.synchronise(tmp_path)
    (tmp_path / SCRIPT).write_bytes(b"")
    assert f"{SCRIPT} follows" in pair.synchronise(tmp_path) and (tmp_path / NOTEBOOK).read_bytes() == before
    assert "x = 1" in (tmp_path / SCRIPT).read_text(encoding="utf-8")


def test_outputs_of_cells_that_did_not_change_stay(tmp_path):
    cells = made(tmp_path, "x = 1")
    cells[-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "kept"}]
    save(tmp_path, cells)
    notebook = json.loads((tmp_path / NOTEBOOK).read_text(encoding="utf-8"))
    notebook["metadata"] |= {"kernelspec": {"name": "mine", "display_name": "Mine"}, "my own": 1}
    (tmp_path / NOTEBOOK).write_text(json.dumps(notebook), encoding="utf-8")
    edit_script(tmp_path)
    pair.synchronise(tmp_path)
    after = json.loads((tmp_path / NOTEBOOK).read_text(encoding="utf-8"))
    assert "kept" in json.dumps(after["cells"]) and after["metadata"] == notebook["metadata"]

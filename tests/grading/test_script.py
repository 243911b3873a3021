"""What is read of a submission, and what is refused."""

import json
import os

import jupytext
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks import script
from course_lib.errors import CourseError

CELL = '# %% tags=["answer", "task-1"]\n'


def write(folder, text, name="answers.py"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_only_answer_cells_are_read_with_their_place(tmp_path):
    words = "# %% [markdown]\n# tags=['answer']\n\n"
    text = f"{words}# %%\nprint('no')\n\n{CELL}def f():\n    return 1\n\n\n{words}"
    (cell,) = script.read_script(write(tmp_path, text))
    assert cell.source == "def f():\n    return 1"
    assert text.splitlines()[cell.line - 1] == "def f():"
    assert cell.task == 1 and cell.problem is None


def test_cells_are_those_of_jupytext(master):
    text = (master / "answers.py").read_text(encoding="utf-8")
    cells = jupytext.reads(text, "py:percent").cells
    answers = [cell.source for cell in cells if "answer" in cell.metadata.get("tags", [])]
    assert [cell.source for cell in script.cells_of(text)] == answers
    assert {cell.task for cell in script.cells_of(text)} == {None, *range(1, 9)}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("def f(:\n    pass", "cannot read this cell: invalid syntax, line 2 of answers.py"),
        ("import course_lib", "line 2 of answers.py imports course_lib"),
        ("from course_lib.models import VGG", "imports course_lib.models"),
        ("def f():\n    import torchvision", "line 3 of answers.py imports torchvision"),
        ("from . import beside", "imports a neighbouring file"),
        ("x = '\0'", "null byte"),
        ("(" * 5000 + ")" * 5000, "cannot read this cell"),
        ("import torch.nn.functional as F, numpy as np, math\nfrom collections import Counter", None),
    ],
)
def test_a_cell_that_may_not_run_has_its_problem(source, problem):
    (cell,) = script.cells_of(CELL + source)
    assert (cell.problem is None) == (problem is None)
    assert problem is None or (problem in cell.problem and "\n" not in cell.problem)


TEXT = CELL + "def f():\n\treturn 'é\u00fc'\n\n\n# %% tags=[\"answer\"]\nx = 2\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp437"])
def test_a_script_of_any_editor_has_its_cells(tmp_path, encoding, newline):
    text = f"# -*- coding: cp437 -*-\n{TEXT}" if encoding == "cp437" else TEXT
    newline = "\n" if encoding == "cp437" else newline
    (tmp_path / "answers.py").write_bytes(text.replace("\n", newline).encode(encoding))
    assert [cell.source for cell in script.read_script(tmp_path)] == ["def f():\n\treturn 'éü'", "x = 2"]


@given(st.text(st.sampled_from("a \t\f\v\x1c\x1e\x85\u2028\u2029#%[]"), max_size=9))
def test_a_string_may_hold_any_character(text):
    source = f'x = {text!r}; y = \'{text}\'\n\f\nz = """\n# %% {text}\n# %%\n"""'
    for cell in (*script.cells_of(f"{CELL}{source}\n# %%\n"), *notebook(source)):
        names = {}
        exec(cell.source, names)
        assert cell.problem is None and names["x"] == names["y"] == text and names["z"] == f"\n# %% {text}\n# %%\n"


def notebook(*sources):
    cells = [
        {"cell_type": "code", "metadata": {"tags": ["answer", "task-1"]}, "source": source.splitlines(keepends=True)}
        for source in sources
    ]
    others = [{"cell_type": "markdown", "source": "x"}, {"cell_type": "code", "metadata": {"tags": None}, "source": ""}]
    return script.cells_of_notebook(json.dumps({"cells": cells + others}))


MAGICS = ["%%time", "!pip install x", "%matplotlib inline", "torch.cat?", "?print", "x = !ls", "    !ls"]


@pytest.mark.parametrize("line", [*MAGICS, *(f"# {line}" for line in MAGICS)])
@pytest.mark.parametrize("read", [notebook, lambda text: script.cells_of(f"{CELL}{text}\n# %%\n!ls\n")])
def test_what_only_ipython_reads_costs_nothing(read, line):
    (cell,) = read(f"if True:\n{line}\n    y = 1" if line[0] == " " else f"{line}\ny = 1\n{line}")
    names = {}
    exec(cell.source, names)
    assert cell.problem is None and cell.task == 1 and names["y"] == 1


@pytest.mark.parametrize(
    ("rest", "sources"),
    [
        ("def f():\n    y = 1\n# %% then\n    return y", ["def f():\n    y = 1\n# %% then\n    return y"]),
        ("x = 1\n# %% then\ndef f():\n    pass", ["x = 1", "def f():\n    pass"]),
        ("x = 1\n# %% try it\nprint(x)\n# %% lr = 1\ny = 2", ["x = 1", "y = 2"]),
        ("x = 1\n# %%\ny = 2\n# %% then\nz = 1", ["x = 1"]),
        ('x = 1\n# %% cellView="form"\ny = 2', ["x = 1"]),
        ('x = """\n' + CELL + 'y = 2  # """', ['x = """', 'y = 2  # """']),
    ],
)
def test_a_comment_like_a_cells_first_line_loses_no_definition(rest, sources):
    cells = script.cells_of(f"{CELL}{rest}\n# %% [markdown]\n# words\n")
    assert [cell.source for cell in cells] == sources and {cell.task for cell in cells} == {1}


def link(folder):
    write(folder, CELL, "elsewhere.py")
    (folder / "answers.py").symlink_to(folder / "elsewhere.py")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: None, "There is no answers.py here: run this in the folder of your assignment"),
        (link, "is a link or no regular file"),
        (lambda folder: os.mkfifo(folder / "answers.py"), "is a link or no regular file"),
        (lambda folder: (folder / "answers.py").mkdir(), "is a link or no regular file"),
        (lambda folder: write(folder, CELL + "#" * 1_000_001), "larger than 1 MB"),
        (lambda folder: (folder / "answers.py").write_bytes(b"# %%\n\xff\xfe"), r"not UTF-8 text \(byte 5\)"),
        (lambda folder: write(folder, '{"worksheets": []}'), "notebook cannot be read: open it in Jupyter"),
        (lambda folder: write(folder, "def f():\n    pass\n"), "has no cell tagged answer"),
        (lambda folder: write(folder, 51 * f"{CELL}x = 1\n"), "51 answer cells, and 50 are the most"),
    ],
)
def test_refuses_what_is_no_script(tmp_path, make, reason):
    make(tmp_path)
    with pytest.raises(CourseError, match=reason) as error:
        script.read_script(tmp_path)
    assert "\n" not in str(error.value)

"""What is read of a submission, and what is refused."""

import json
import os

import jupytext
import pytest

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


def test_cells_are_those_that_jupytext_sees(master):
    text = (master / "answers.py").read_text(encoding="utf-8")
    seen = [
        cell.source for cell in jupytext.reads(text, "py:percent").cells if "answer" in cell.metadata.get("tags", [])
    ]
    assert [cell.source for cell in script.cells_of(text)] == seen
    assert {cell.task for cell in script.cells_of(text)} == {None, *range(1, 9)}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f(:\n    pass", "cannot read this cell: invalid syntax, line 2 of answers.py"),
        ("import course_lib", "line 2 of answers.py imports course_lib"),
        ("from course_lib.models import VGG", "imports course_lib.models"),
        ("def f():\n    import torchvision", "line 3 of answers.py imports torchvision"),
        ("from . import beside", "imports a neighbouring file"),
        ("x = '\0'", "null byte"),
        ("(" * 5000 + ")" * 5000, "cannot read this cell"),
    ],
)
def test_what_may_not_run_says_why(source, said):
    (cell,) = script.cells_of(CELL + source)
    assert said in cell.problem and "\n" not in cell.problem


@pytest.mark.parametrize(
    "source", ["import torch.nn.functional as F", "import numpy as np, math", "from collections import Counter"]
)
def test_what_answers_may_import(source):
    assert script.cells_of(CELL + source)[0].problem is None


def refused(folder, said):
    with pytest.raises(CourseError, match=said) as error:
        script.read_script(folder)
    assert "\n" not in str(error.value)


def test_no_script(tmp_path):
    refused(tmp_path, r"There is no answers.py here: run this in the folder of your assignment")


def test_a_link_is_no_script(tmp_path):
    write(tmp_path, CELL + "x = 1", "elsewhere.py")
    try:
        (tmp_path / "answers.py").symlink_to(tmp_path / "elsewhere.py")
    except OSError:
        pytest.fail("this system makes no links")
    refused(tmp_path, "is a link or no regular file")


def test_a_pipe_is_no_script_and_blocks_nobody(tmp_path):
    os.mkfifo(tmp_path / "answers.py")
    refused(tmp_path, "is a link or no regular file")


def test_a_folder_is_no_script(tmp_path):
    (tmp_path / "answers.py").mkdir()
    refused(tmp_path, "is a link or no regular file")


def test_a_huge_script(tmp_path):
    refused(write(tmp_path, CELL + "#" * 1_000_001), "larger than 1 MB")


def test_no_text(tmp_path):
    (tmp_path / "answers.py").write_bytes(b"# %%\n\xff\xfe")
    refused(tmp_path, r"not UTF-8 text \(byte 5\)")


def test_no_answer_cell(tmp_path):
    refused(write(tmp_path, "def f():\n    pass\n"), "has no cell tagged answer")


def test_cells_without_end(tmp_path):
    assert len(script.read_script(write(tmp_path, 50 * f"{CELL}x = 1\n"))) == 50
    refused(write(tmp_path, 51 * f"{CELL}x = 1\n"), "51 answer cells, and 50 are the most")


def pair(folder, source, age):
    cells = [{"cell_type": "code", "metadata": {"tags": ["answer"]}, "source": source.splitlines(keepends=True)}]
    write(folder, json.dumps({"cells": cells}), "answers.ipynb")
    write(folder, CELL + "x = 1\n")
    now = 1_700_000_000
    os.utime(folder / "answers.py", (now, now))
    os.utime(folder / "answers.ipynb", (now + age, now + age))


def test_a_pair_in_step(tmp_path):
    pair(tmp_path, "x = 1", 0)
    assert script.difference_of_the_pair(tmp_path) is None


@pytest.mark.parametrize(("age", "newer"), [(5, "answers.ipynb was saved last"), (-5, "answers.py was saved last")])
def test_a_notebook_and_a_script_that_differ(tmp_path, age, newer):
    """A notebook saved but its .py not, and the reverse: which was saved last, and the command for either way."""
    pair(tmp_path, "x = 2", age)
    said = script.difference_of_the_pair(tmp_path)
    assert newer in said and "differ in answer cell 1" in said
    assert "jupytext --to py:percent answers.ipynb" in said and "jupytext --update --to ipynb answers.py" in said


def test_a_script_alone_is_in_step(tmp_path):
    write(tmp_path, CELL + "x = 1")
    assert script.difference_of_the_pair(tmp_path) is None


def test_a_notebook_that_is_none(tmp_path):
    write(write(tmp_path, CELL + "x = 1"), "{}", "answers.ipynb")
    with pytest.raises(CourseError, match=r"answers.ipynb is not a notebook: delete it"):
        script.difference_of_the_pair(tmp_path)

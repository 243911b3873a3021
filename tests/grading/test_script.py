"""What is read of a submission, and what is refused."""

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
        (lambda folder: write(folder, "def f():\n    pass\n"), "has no cell tagged answer"),
        (lambda folder: write(folder, 51 * f"{CELL}x = 1\n"), "51 answer cells, and 50 are the most"),
    ],
)
def test_refuses_what_is_no_script(tmp_path, make, reason):
    make(tmp_path)
    with pytest.raises(CourseError, match=reason) as error:
        script.read_script(tmp_path)
    assert "\n" not in str(error.value)

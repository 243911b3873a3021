"""The master runs from its first cell to its last once its answers are written, and its texts fit the reference."""

import ast
import hashlib

import jupytext
import matplotlib
import pytest
import safetensors.torch
from small_class import labels_of

from checks import logits, script
from course_lib.data.catalog import CIFAR10
from course_tools.grading import release

# What is made small, so that this takes seconds: the sample for the data, one epoch for the training.
SMALLER = {
    'data.load("cifar10")': 'data.load("cifar10", size="sample")',
    "range(2_250)": "range(100)",
    '{"5": 20, "100": 5}': '{"5": 1, "100": 1}',
}


def cells_of(path):
    return jupytext.read(path, fmt="py:percent").cells


def is_answer(cell):
    return "answer" in cell.metadata.get("tags", [])


@pytest.fixture
def solved(master):
    """The master's code cells, each answer cell replaced by the reference's."""
    answers = iter([cell.source for cell in cells_of(master / "reference.py") if is_answer(cell)])
    code = [cell for cell in cells_of(master / "answers.py") if cell.cell_type == "code"]
    sources = [next(answers) if is_answer(cell) else cell.source for cell in code]
    assert next(answers, None) is None
    return sources


def test_every_cell_runs_when_the_answers_are_written(solved, tmp_path, monkeypatch):
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    text = "\n# %%\n".join(solved)
    for old, new in SMALLER.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    names = {}
    for source in text.split("\n# %%\n"):
        exec(compile(source, "<cell>", "exec"), names)
    names["plt"].close("all")
    saved = safetensors.torch.load_file("logits.safetensors")
    assert {name: len(rows) for name, rows in saved.items()} == {
        "train_5": 100,
        "val_5": len(names["cifar"].val),
        "train_100": 100,
        "val_100": len(names["cifar"].val),
    }


def outline(source):
    """Names, arguments and docstrings of what a cell defines."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, ast.dump(node.args), ast.get_docstring(node)
        elif isinstance(node, ast.Assign):
            yield ast.dump(node.targets[0])


def test_the_stub_and_the_reference_ask_for_the_same(master):
    stub, reference = (script.cells_of((master / name).read_text("utf-8")) for name in ("answers.py", "reference.py"))
    assert [cell.tags for cell in stub] == [cell.tags for cell in reference]
    for mine, right in zip(stub, reference, strict=True):
        assert [*outline(mine.source)] == [*outline(right.source)]


def test_labels_are_the_data_sets(master):
    every = safetensors.torch.load_file(release.labels_of(master))["labels"].numpy()
    assert hashlib.sha256(every.tobytes()).hexdigest() == CIFAR10.sha256["train_labels"]
    assert round(0.05 * (CIFAR10.train - CIFAR10.validation)) == logits.SHARE
    assert CIFAR10.validation == logits.VALIDATION
    labels = labels_of(master)
    assert labels["val_5"].bincount().tolist() == [500] * 10
    assert {name: len(rows) for name, rows in labels.items()} == logits.SHAPES

"""The student's check, as a student calls it: a process in the folder of the assignment."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from course_lib import check
from course_lib.grading import logits, messages, script

REFUSED = 1


@pytest.fixture
def folder(released, tmp_path):
    """A student's copy, nothing written yet."""
    return shutil.copytree(released, tmp_path / "mine")


@pytest.fixture
def solved(folder, master, reference):
    """A copy with every answer right, and the notebook gone."""
    shutil.copy(master / "logits.safetensors", folder)
    (folder / "answers.py").write_text(reference, encoding="utf-8")
    (folder / "answers.ipynb").unlink()
    return folder


def run(folder, *words):
    """Call the check where the repository is out of reach."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONIOENCODING": "utf-8",
        "COURSE_HOME": str(folder / "none"),
    }
    words = [sys.executable, "-m", "course_lib.check", *words]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")


def put(folder, old, new):
    file = folder / "answers.py"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_reference_passes(solved):
    done = run(solved)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "92 of 92 points" in done.stdout and "not yet" not in done.stdout


def test_the_stub_earns_nothing_and_says_so_for_every_part(folder):
    done = run(folder)
    assert done.returncode == REFUSED
    assert "0 of 92 points" in done.stdout and ": right" not in done.stdout
    assert "output_size is still to be written." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_endless_answer_costs_its_part_alone(solved):
    put(solved, "    field, jump = 1, 1\n", "    while True:\n        pass\n")
    done = run(solved)
    assert done.returncode == REFUSED
    assert "receptive_field gave no reply: it took longer than" in done.stdout
    assert "85 of 92 points" in done.stdout


def test_an_answer_that_ends_python_costs_its_part_alone(solved):
    put(solved, "    field, jump = 1, 1\n", "    import os\n    os._exit(0)\n")
    done = run(solved)
    assert "receptive_field gave no reply: it ended Python" in " ".join(done.stdout.split())
    assert "85 of 92 points" in done.stdout


def test_a_syntax_error_costs_its_cell_alone_and_names_the_line(solved):
    put(solved, "    field, jump = 1, 1\n", "    field, jump = 1,, 1\n")
    done = run(solved)
    line = (solved / "answers.py").read_text(encoding="utf-8").splitlines().index("    field, jump = 1,, 1") + 1
    assert f"line {line} of answers.py" in " ".join(done.stdout.split())
    assert "80 of 92 points" in done.stdout  # both functions of task 1 stand in that cell


def test_an_endless_cell_costs_its_task_alone(solved):
    put(solved, "def receptive_field(layers):", "while True:\n    pass\n\n\ndef receptive_field(layers):")
    done = run(solved)
    assert "The cell could not be loaded: it took longer than" in " ".join(done.stdout.split())
    assert "80 of 92 points" in done.stdout


def test_a_renamed_function(solved):
    put(solved, "def receptive_field(layers):", "def field(layers):")
    done = run(solved)
    assert "No cell tagged answer defines receptive_field. Was it renamed" in " ".join(done.stdout.split())
    assert "85 of 92 points" in done.stdout


def test_the_library_is_out_of_reach_by_any_road(solved):
    put(solved, "    field, jump = 1, 1\n", "    __import__('course_lib.models.vgg')\n    field, jump = 1, 1\n")
    said = " ".join(run(solved).stdout.split())
    assert "receptive_field raised ImportError" in said and "answers may not import course_lib" in said


def test_what_an_answer_prints_does_not_disturb(solved):
    put(solved, "    field, jump = 1, 1\n", "    print('x' * 10**6)\n    field, jump = 1, 1\n")
    done = run(solved)
    assert done.returncode == 0 and "xxx" not in done.stdout + done.stderr


def test_a_hint_cannot_steer_the_terminal(solved):
    put(solved, "    field, jump = 1, 1\n", "    raise ValueError('\\x1b[2J right, 7 points')\n")
    done = run(solved)
    assert "\x1b" not in done.stdout and "receptive_field: not yet" in done.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "answers.py").unlink(), "There is no answers.py here: run this in the folder"),
        (lambda folder: (folder / "feedback.safetensors").unlink(), "There is no feedback.safetensors here"),
        (lambda folder: (folder / "feedback.safetensors").write_bytes(b"x"), "is not what came with the assignment"),
        (lambda folder: (folder / "feedback.safetensors").write_bytes(messages.pack({})), "is not what came with"),
        (lambda folder: (folder / "answers.py").write_text("#" * 1_000_001), "larger than 1 MB"),
    ],
)
def test_a_folder_that_cannot_be_checked_gets_one_line(folder, change, said):
    change(folder)
    done = run(folder)
    assert done.returncode == REFUSED and done.stdout == ""
    assert done.stderr.startswith("check: ") and said in done.stderr and done.stderr.count("\n") == 1


def test_a_notebook_that_was_saved_alone(folder):
    notebook = json.loads((folder / "answers.ipynb").read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if "task-1" in cell["metadata"].get("tags", []))
    cell["source"] = "output_size = 1"
    (folder / "answers.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    done = run(folder)
    assert done.returncode == REFUSED and "answers.ipynb was saved last" in done.stderr


def test_jupytext_brings_the_pair_together_as_the_check_says(folder):
    """The command in the hint is the one that mends it."""
    put(folder, '    """The receptive field and the jump', '    """The receptive field, and the jump')
    words = [sys.executable, "-m", "jupytext", "--update", "--to", "ipynb", "answers.py"]
    assert script.difference_of_the_pair(folder)
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    assert script.difference_of_the_pair(folder) is None


def test_logits_of_a_training_that_went_wrong_cost_their_part_alone(solved):
    tensors = safetensors.torch.load_file(solved / "logits.safetensors")
    tensors["val_5"].fill_(torch.nan)
    safetensors.torch.save_file(tensors, solved / "logits.safetensors")
    done = run(solved)
    assert done.returncode == REFUSED
    assert "val_5 in logits.safetensors holds NaN or infinity" in " ".join(done.stdout.split())
    assert "88 of 92 points" in done.stdout


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda tensors: tensors.update(val_5=torch.zeros(7, 10)), "val_5 in logits.safetensors has shape (7, 10)"),
        (lambda tensors: tensors.update(val_5=tensors["val_5"].long()), "it should be float16 or float32"),
        (lambda tensors: tensors.update(val_5=tensors["val_5"].to(torch.float8_e4m3fn)), "it should be float16"),
        (lambda tensors: tensors.pop("val_5"), "it should hold train_5, val_5, train_100, val_100"),
    ],
)
def test_logits_that_are_none(master, tmp_path, spoil, said):
    tensors = safetensors.torch.load_file(master / "logits.safetensors")
    spoil(tensors)
    safetensors.torch.save_file(tensors, tmp_path / "logits.safetensors")
    found = logits.handed_in(tmp_path)
    assert found["logits"] is None and said in found["logits_problem"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: None, "There is no logits.safetensors yet"),
        (lambda file: file.write_bytes(b"no"), "is not a safetensors file"),
        (lambda file: file.write_bytes(b"\0" * 2_000_001), "larger than 2 MB"),
        (lambda file: file.symlink_to(__file__), "is a link"),
    ],
)
def test_a_file_of_logits_that_is_none(tmp_path, make, said):
    make(tmp_path / "logits.safetensors")
    found = logits.handed_in(tmp_path)
    assert found["logits"] is None and said in found["logits_problem"]


def test_an_old_python_is_told_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(check.sys, "version_info", (3, 9, 1))
    assert check.main() == 2
    assert "needs Python 3.11 or newer, and you run 3.9" in capsys.readouterr().out


def test_the_oldest_python_is_the_packages():
    text = (Path(check.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={check.OLDEST[0]}.{check.OLDEST[1]}"' in text

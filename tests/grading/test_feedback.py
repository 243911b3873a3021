"""The student's check, as a student calls it: in the folder of the assignment."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import check
import jupytext
import pytest
import safetensors.torch
import torch
from running_here import Here

from checks import feedback, logits, marking, messages

REFUSED = 1
MASTER = Path(__file__).parents[2] / "assignments" / "cifar10"
FIELD = "    field, jump = 1, 1\n"  # how the reference's receptive_field begins


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


@pytest.fixture
def run(folder, monkeypatch, capfd):
    """``run()``: call the check in this process, where the repository is out of reach: its status and its output.

    Answers run in this process, too, unless ``runner`` is ``feedback.Worker``.
    """

    def run(runner=Here, words=()):
        monkeypatch.chdir(folder)
        monkeypatch.setenv("COURSE_HOME", str(folder / "none"))
        monkeypatch.setattr(feedback, "Worker", runner)
        monkeypatch.setattr(sys, "argv", ["check", *words])
        capfd.readouterr()
        status = check.main()
        return status, *capfd.readouterr()

    return run


def put(folder, old, new):
    file = folder / "answers.py"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_reference_passes(solved):
    """The whole check, as a process of its own, called from another folder."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", "COURSE_HOME": str(solved / "no")}
    words = [sys.executable, "mine/check.py", "mine"]
    done = subprocess.run(words, cwd=solved.parent, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "92 of 92 points" in done.stdout and "not yet" not in done.stdout


def test_the_stub_earns_nothing_and_says_so_for_every_part(folder, run):
    status, out, errors = run()
    assert status == REFUSED
    assert "0 of 92 points" in out and ": right" not in out and "handed in" not in out
    assert "output_size is still to be written." in out
    assert "Traceback" not in out + errors


@pytest.fixture
def short(monkeypatch):
    """A cell has half a second to load, and ``receptive_field`` half a second to answer."""
    tasks = [replace(task, parts=tuple(map(_shortened, task.parts))) for task in marking.TASKS]
    monkeypatch.setattr(marking, "TASKS", tasks)
    monkeypatch.setattr(marking, "LOADING", 0.5)


def _shortened(part):
    return replace(part, seconds=0.5) if part.key == "receptive_field" else part


def test_whatever_an_answer_does_costs_its_own_part_alone(solved, short, run):
    """One answer never ends, one ends Python, one wants the library, one prints; and the cell of a task never ends."""
    put(solved, FIELD, "    while True:\n        pass\n")
    put(solved, "    conv = norm = 0\n", "    import os\n    os._exit(0)\n")
    put(solved, "    return math.log(num_classes)\n", "    __import__('course_lib.models.vgg')\n")
    put(solved, "    scores = []\n", "    scores = []\n    print('x' * 10**6)\n")
    put(solved, "def memorise(", "while True:\n    pass\n\n\ndef memorise(")
    status, out, errors = run(feedback.Worker)
    lost = re.findall(r"(?m)^  ([^:]+): not yet, .*\n((?:      .*\n)+)", out)
    lost = {key: " ".join(hint.split()) for key, hint in lost}
    hints = {
        "receptive_field": "receptive_field gave no reply: it took longer than 0.5 seconds.",
        "count_parameters": "count_parameters gave no reply: it ended Python",
        "train_step": "The cell could not be loaded: it took longer than 0.5 seconds.",
        "memorise": "The cell could not be loaded: it took longer than 0.5 seconds.",
        "chance_loss": "chance_loss raised ImportError",
    }
    assert set(lost) == set(hints), out
    assert all(hint in lost[key] for key, hint in hints.items()), out
    assert "answers may not import course_lib" in lost["chance_loss"]
    assert status == REFUSED and "xxx" not in out + errors
    assert f"{92 - sum(feedback.PARTS[key].points for key in hints)} of 92 points" in out


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        (FIELD, "    raise ValueError('\\x1b[2J right')\n", "raised ValueError, line @ of answers.py"),
        (FIELD, "    elsewhere\n", "Only cells tagged answer are run: what they use must be defined in one."),
        ("def receptive_field(", "def field(", "No cell tagged answer defines receptive_field. Was it renamed"),
    ],
)
def test_a_problem_costs_its_part_and_gets_one_hint_with_its_line(solved, run, old, new, hint):
    put(solved, old, new)
    lines = (solved / "answers.py").read_text(encoding="utf-8").splitlines(keepends=True)
    _, out, _ = run()
    assert "\x1b" not in out and "85 of 92 points" in out
    assert hint.replace("@", str(lines.index(new) + 1) if new in lines else "") in " ".join(out.split())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda folder: [*map(Path.unlink, folder.glob("answers.*"))],
            "There is no answers.py here: run this in the folder",
        ),
        (lambda folder: (folder / "feedback.safetensors").unlink(), "There is no feedback.safetensors here"),
        (lambda folder: (folder / "feedback.safetensors").write_bytes(b"x"), "is not what came with the assignment"),
        (lambda folder: (folder / "feedback.safetensors").write_bytes(messages.pack({})), "is not what came with"),
    ],
)
def test_a_folder_that_cannot_be_checked_gets_one_line(folder, run, change, reason):
    change(folder)
    status, nothing, line = run()
    assert status == REFUSED and nothing == ""
    assert line.startswith("check: ") and reason in line and line.count("\n") == 1


def test_a_notebook_that_was_saved_alone(folder, run):
    notebook = json.loads((folder / "answers.ipynb").read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if "task-1" in cell["metadata"].get("tags", []))
    cell["source"] = "output_size = 1"
    (folder / "answers.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    status, out, _ = run()
    assert status == REFUSED and "answers.ipynb was edited: answers.py follows" in out
    assert "output_size = 1" in (folder / "answers.py").read_text(encoding="utf-8")


LINES = (
    "%matplotlib inline",
    "!pip list",
    "torch.cat?",
    "??",
    "# +",
    "# -",
    "\x0c",
    "x = !ls",
    "# In[3]:",
    "",
    "%time 1",
)


def test_answers_as_editors_save_them_earn_their_points(solved, run):
    """In a notebook, each with another line that Python does not have; the script has them from the check alone."""
    notebook = jupytext.reads((solved / "answers.py").read_text(encoding="utf-8"), fmt="py:percent")
    answers = [cell for cell in notebook.cells if "answer" in cell.metadata.get("tags", [])]
    for place, cell in enumerate(answers):
        cell.source = f"%%time\n{cell.source}" if place == 3 else f"{cell.source}\n{LINES[place % len(LINES)]}"
        cell.source = cell.source.replace("\n", "\r\n")
    (solved / "answers.py").unlink()
    (solved / "answers.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    status, out, _ = run()
    assert status == 0 and "answers.py follows" in out and "92 of 92 points" in out


def test_where_both_files_were_edited_the_student_chooses(folder, run):
    run()
    put(folder, "def output_size(", "def output_sizes(")
    notebook = json.loads((folder / "answers.ipynb").read_text(encoding="utf-8"))
    notebook["cells"].append({"cell_type": "code", "metadata": {"tags": ["answer"]}, "source": "mine = 1"})
    (folder / "answers.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    status, out, errors = run()
    assert status == REFUSED and out == "" and errors.count("\n") == 1 and "python check.py --keep" in errors
    status, out, _ = run(words=["--keep", "answers.ipynb"])
    assert "0 of 92 points" in out and "mine = 1" in (folder / "answers.py").read_text(encoding="utf-8")
    assert "output_sizes(" in (folder / "answers-before-1.py").read_text(encoding="utf-8")


def test_bad_logits_cost_their_part_alone(solved, run):
    (solved / "logits.safetensors").unlink()
    status, out, _ = run()
    assert status == REFUSED and "There is no logits.safetensors yet" in " ".join(out.split())
    assert "88 of 92 points" in out


def spoiled(change):
    def spoil(file):
        tensors = safetensors.torch.load_file(MASTER / "logits.safetensors")
        change(tensors)
        safetensors.torch.save_file(tensors, file)

    return spoil


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (spoiled(lambda tensors: tensors.update(val_5=torch.zeros(7, 10))), "val_5 in logits.safetensors has shape (7"),
        (spoiled(lambda tensors: tensors.update(val_5=tensors["val_5"].long())), "it should be float16 or float32"),
        (spoiled(lambda tensors: tensors.update(val_5=tensors["val_5"].to(torch.float8_e4m3fn))), "should be float16"),
        (spoiled(lambda tensors: tensors["val_5"].fill_(torch.nan)), "val_5 in logits.safetensors holds NaN"),
        (spoiled(lambda tensors: tensors.pop("val_5")), "it should hold train_5, val_5, train_100, val_100"),
        (lambda file: file.write_bytes(b"no"), "is not a safetensors file"),
    ],
)
def test_a_file_that_holds_no_logits_has_its_problem(tmp_path, make, problem):
    make(tmp_path / "logits.safetensors")
    handed_in = logits.handed_in(tmp_path)
    assert handed_in["logits"] is None and problem in handed_in["logits_problem"]


def test_an_old_python_gets_one_line(monkeypatch, capsys):
    monkeypatch.setattr(check.sys, "version_info", (3, 9, 1))
    assert check.main() == 2
    assert "needs Python 3.11 or newer, and you run 3.9" in capsys.readouterr().out
    oldest = ".".join(map(str, check.OLDEST))
    assert f'requires-python = ">={oldest}"' in (MASTER.parents[1] / "pyproject.toml").read_text(encoding="utf-8")


def test_a_python_without_the_requirements_gets_one_line(folder):
    words = [sys.executable, "-I", "-S", "check.py"]  # no package but the standard library's
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr == ""
    assert "run the commands of the README" in done.stdout and done.stdout.count("\n") == 1

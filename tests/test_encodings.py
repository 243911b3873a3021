"""Text goes to files and consoles in an encoding that is named, and a console that lacks a character shows ``?``."""

import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.training.display import Terminal
from course_lib.training.history import History

ROOT = Path(__file__).parents[1]
FOLDERS = ("course_lib", "course_tools", "studies", "assignments")


def without_encoding(code):
    """The calls that read or write text, or a program's output, in whatever encoding the machine has."""
    for call in [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]:
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        words = {keyword.arg: keyword.value for keyword in call.keywords}
        modes = [value.value for value in (*call.args, *words.values()) if isinstance(value, ast.Constant)]
        opens = name in ("open", "fdopen") and {"r", "w", "a", "x", "r+", "w+", "a+"} & set(map(str, modes))
        if (opens or name in ("read_text", "write_text") or "text" in words) and "encoding" not in words:
            yield f"line {call.lineno}: {ast.unparse(call)}"


def test_every_text_file_is_opened_with_its_encoding():
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    found = {str(file): list(without_encoding(file.read_text(encoding="utf-8"))) for file in files}
    assert {file: calls for file, calls in found.items() if calls and "/grading/" not in file} == {}
    assert len(list(without_encoding("f.read_text(); f.open('w'); run(c, text=True); f.open('rb')"))) == 3


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_training_prints_on_any_console(encoding, monkeypatch):
    console = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(console, encoding, write_through=True))
    display = Terminal(1, 1)
    display.close(History(warnings={"symptom": "→ 猫 ×"}), "2 epochs → 猫 × done")
    assert b"2 epochs " in console.getvalue() and b" done" in console.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(
    "words",
    [
        ("-m", "course_lib.recipes", "--help"),
        ("-m", "course_lib.data", "where"),
        ("-m", "course_lib.data", "fetch", "n→"),
        ("-m", "course_tools.cli", "run", "n→"),
        ("assignments/cifar10/check.py", "n→"),
    ],
    ids=" ".join,
)
def test_commands_print_on_any_console(words, encoding, tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COURSE_HOME": str(tmp_path / "h→")}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "assignments" / "cifar10")])
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True)
    assert b"Traceback" not in done.stderr, done.stderr.decode(encoding)
    assert done.returncode == (words[-1] == "n→") and done.stdout + done.stderr

"""Thirty drills, and the recorded ones: commands that are killed at any moment, and what they leave."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COUNT = 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL and fork are POSIX")
def test_a_killed_command_run_again_ends_as_if_nothing_had_happened():
    """In a process of its own, which forks before it computes anything. A failed drill prints its seed."""
    script = HERE / "drill.py"
    done = subprocess.run([sys.executable, script, str(COUNT), "--seed", "7"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout[done.stdout.index("{") :])
    assert result["drills"] == COUNT and set(result["steps"]) == set(recorded()["steps"])
    assert sum(step["kills"] for step in result["steps"].values()) > COUNT / 2, "most kills come before the end"


def recorded():
    return json.loads((HERE.parents[1] / "results" / "fault-drill.json").read_text(encoding="utf-8"))


def test_in_the_recorded_drill_nothing_was_lost():
    result = recorded()
    steps = result["steps"].values()
    assert result["failed"] == [] and all(step["recovered"] == step["drills"] > 0 for step in steps)
    assert sum(step["drills"] for step in steps) == result["drills"] == sum(result["ways"].values())


# ---- the page


def test_each_row_of_the_page_names_a_test_that_exists_and_each_test_of_faults_has_a_row():
    page = (HERE.parents[1] / "book" / "faults.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| .* \| 0 \| `(tests/[\w/]+\.py)::(test_\w+)` \|$", page)
    assert len(rows) == len(re.findall(r"(?m)^\| ", page)) - 1, "apart from its head, every row has this form"
    for file, test in rows:
        assert test in names_in(HERE.parents[1] / file), f"{file} has no {test}"
    named = {test for _, test in rows}
    unnamed = names_in(HERE / "test_faults.py") - named - {"test_writers_at_once_leave_each_other_s_files_alone"}
    assert not unnamed, "a fault that no row has"


def names_in(file):
    """The names of a file's tests."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}

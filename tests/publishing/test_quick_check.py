"""The one quick run of ``make test``, in a copy of this checkout with one chapter."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTER = "11-assignment"  # the shortest


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the checkout, with that chapter alone."""
    folder = tmp_path_factory.mktemp("quick-check") / "checkout"
    listed = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file() and (not name.startswith("notebooks/") or CHAPTER in name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def check(copy: Path) -> subprocess.CompletedProcess:
    words = ["-p", "course_tools.publishing.quick_check", "--nbval-lax", "--nbval-kernel-name", "course-colab"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words, "notebooks"]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True)


@pytest.mark.nightly
def test_a_change_of_results_is_red_and_names_the_chapter_and_the_remedy(copy):
    done = check(copy)
    assert done.returncode == 0, done.stdout
    file = copy / "course_lib" / "training" / "run.py"
    file.write_text(file.read_text().replace("= peak * factor", "= 1.01 * peak * factor"))
    done = check(copy)
    assert done.returncode == 1
    assert f"{CHAPTER}: the library no longer computes what the published page shows" in done.stdout
    assert "learning rates" in done.stdout and f"`course run {CHAPTER} --profile cpu`" in done.stdout


@pytest.mark.nightly
def test_a_chapter_that_leaves_a_file_behind_is_red(copy):
    notebook = copy / "notebooks" / f"{CHAPTER}.ipynb"
    before = notebook.read_text()
    notebook.write_text(
        before.replace('PROFILE = \\"auto\\"', 'PROFILE = \\"auto\\"\\nopen(\\"left.txt\\", \\"w\\").close()')
    )
    assert notebook.read_text() != before
    done = check(copy)
    notebook.write_text(before)
    assert done.returncode == 1 and "left left.txt in its folder" in done.stdout


@pytest.mark.nightly
def test_a_first_cell_that_installs_something_else_is_red(copy):
    notebook = copy / "notebooks" / f"{CHAPTER}.ipynb"
    notebook.write_text(notebook.read_text().replace("install --quiet {address}", "install --quiet {address}@old"))
    done = check(copy)
    assert done.returncode == 1 and "this cell runs `pip install" in done.stdout

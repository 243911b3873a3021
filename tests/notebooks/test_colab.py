"""Each chapter as Colab runs it: an empty folder, just the .ipynb, and an environment with the base package only.

The first cell really installs the library with ``%pip install git+https://…``; git is told to take that address from a
copy of this checkout. Torch and the other base dependencies, which Colab has, are linked into the environment; nothing
of the publishing tools is.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient
from packaging.requirements import Requirement

from course_lib.publishing.project import Project

ROOT = Path(__file__).parents[2]
CHAPTERS = [chapter.name for chapter in Project(ROOT).chapters()]
BACKSTAGE = ("papermill", "jupytext", "jupyter_book", "sphinx", "joblib", "nbval", "pytest")


def closure(*names: str) -> set[str]:
    """The named distributions and everything that they need here."""
    found, todo = set(), list(names)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name not in found:
            found.add(name)
            for line in metadata.requires(name) or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                    todo.append(needed.name)
    return found


def base_requirements() -> list[str]:
    lines = metadata.requires("convnets-measured")
    return [Requirement(line).name for line in lines if "extra ==" not in line]


@pytest.fixture(scope="session")
def colab(tmp_path_factory):
    """A Colab in miniature: the command line of its kernels, and their environment."""
    folder = tmp_path_factory.mktemp("colab")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    packages = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
    for name in closure(*base_requirements(), "ipykernel"):
        for file in metadata.files(name) or []:
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (packages / top).exists():
                (packages / top).symlink_to(metadata.distribution(name).locate_file(top))
    (packages / "google" / "colab").mkdir(parents=True)
    (packages / "google" / "colab" / "__init__.py").write_text("")
    (packages / "sitecustomize.py").write_text("import google.colab\n")

    repository = folder / "repository"
    listed = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, repository / name)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "copy"]):
        subprocess.run(["git", *words], cwd=repository, check=True)

    address = re.search(r"https://github\.com/[\w.-]+/[\w.-]+", (ROOT / "_config.yml").read_text())[0]
    environment = {
        **os.environ,
        "COURSE_PROFILE": "quick",
        "COURSE_HOME": str(folder / "drive" / "convnets"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "COURSE_RECORDS"):
        environment.pop(name, None)
    return folder / "venv" / "bin" / "python", environment


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_runs_as_in_colab(chapter, colab, tmp_path):
    python, environment = colab
    notebook = nbformat.read(ROOT / "notebooks" / f"{chapter}.ipynb", as_version=4)
    question = (
        "import importlib.util, json, course_lib\n"
        f"there = [name for name in {BACKSTAGE!r} if importlib.util.find_spec(name)]\n"
        "print(json.dumps([course_lib.__file__, there]))"
    )
    notebook.cells.append(nbformat.v4.new_code_cell(question))
    manager = KernelManager()
    manager.kernel_spec.argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    client = NotebookClient(notebook, km=manager, timeout=600, resources={"metadata": {"path": str(tmp_path)}})
    try:
        client.execute(env=environment)
    finally:
        manager.shutdown_kernel(now=True)  # the client does so only with a manager that it made itself
    library, backstage = json.loads(notebook.cells[-1].outputs[0].text)
    assert Path(library).is_relative_to(python.parents[1]), "the library must be the one that the first cell installed"
    assert backstage == [], "a chapter must run without the publishing tools"
    assert list(tmp_path.iterdir()) == [], "a chapter leaves nothing behind in its folder"


def test_data_and_checkpoints_survive_a_disconnect_on_a_mounted_drive(tmp_path):
    """The way that chapter 1 shows: the same cell, run again in a new session, goes on from the drive."""
    cell = (
        "import sys\nfrom course_lib import data, models, training\n"
        "digits = data.load('mnist', size='sample')\n"
        "training.set_seed(0)\nmine = models.mlp(dropout=0.2)\n"
        "if sys.argv[1] == 'cut off':\n"
        "    from course_lib.training import fitting\n"
        "    save = fitting.save_checkpoint\n"
        "    fitting.save_checkpoint = lambda *words: (save(*words), sys.exit(9))\n"
        "history = training.fit(mine, digits.train, epochs=2, show=False, device='cpu',\n"
        "    checkpoint=training.checkpoint_path('my-first-run'), checkpoint_seconds=1e9)\n"
        "print(len(history), training.evaluate(mine, digits.val).accuracy)"
    )
    environment = {**os.environ, "COURSE_HOME": str(tmp_path / "drive"), "OMP_NUM_THREADS": "1"}

    def session(kind: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-c", cell, kind], env=environment, capture_output=True, text=True)

    assert session("cut off").returncode == 9
    assert (tmp_path / "drive" / "checkpoints" / "my-first-run.pt").exists()
    resumed = session("again")
    shutil.rmtree(tmp_path / "drive")
    assert resumed.stdout == session("again").stdout, resumed.stderr
    assert resumed.stdout.startswith("2 ")

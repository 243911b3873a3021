"""A small imitation of Colab, to run chapters as their learners do.

Its environment holds torch and the other base dependencies of the package, as Colab's does, a stand-in for
``google.colab``, and none of the publishing tools. The first cell of a chapter installs the library there, with pip,
from a copy of this checkout: git is configured to use that copy in place of the course's address.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from packaging.requirements import Requirement

from course_lib.errors import CourseError
from course_tools.publishing import pairs
from course_tools.publishing.computation import INSTALL
from course_tools.publishing.kernels import private_kernel
from course_tools.publishing.project import Project

KERNEL = "course-colab"
PUBLISHING = ("papermill", "jupytext", "jupyter_book", "sphinx", "joblib", "nbval", "pytest")
# Every chapter's first cell installs the library. The first one does; each later one must have the same line.
_PIP = """
def _pip(line):
    import pathlib, shlex, subprocess, sys

    record = pathlib.Path({record!r})
    if not record.exists():
        subprocess.run([sys.executable, "-m", "pip", *shlex.split(line)], check=True)
        record.write_text(line)
    if line != record.read_text():
        raise ValueError(f"this cell runs `pip {{line}}`, and the first chapter's `pip {{record.read_text()}}`")

get_ipython().register_magic_function(_pip, "line", "pip")
"""


def prepare(project: Project) -> Path:
    """Make the environment and its kernel in ``_build/colab``, unless they are those of exactly this library.

    Returns: a folder for ``JUPYTER_PATH``, with the kernel ``course-colab``.
    Raises: CourseError where the first cell of the first chapter does not install the library.
    """
    folder = project.build / "colab"
    files, first = _files(project), _first_cell(project)
    key = hashlib.sha256(first.encode() + sys.version.encode())
    for name in files:
        key.update(name.encode() + (project.root / name).read_bytes())
    key_file = folder / "key"
    if not key_file.exists() or key_file.read_text(encoding="utf-8") != key.hexdigest():
        shutil.rmtree(folder, ignore_errors=True)
        python = _environment(folder)
        _copy(project, files, folder / "repository")
        _kernel(project, folder, python)
        _run(first, folder)
        key_file.write_text(key.hexdigest(), encoding="utf-8")
    return folder / "jupyter"


def _first_cell(project: Project) -> str:
    cells = pairs.read_source(project.chapters()[0]).cells
    return next(cell.source for cell in cells if INSTALL in cell.metadata.get("tags", []))


def _files(project: Project) -> list[str]:
    """The package's files."""
    words = ["git", "-C", str(project.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, capture_output=True, encoding="utf-8", check=True).stdout.split("\0")
    return sorted(
        name
        for name in names
        if name.startswith(("course_lib/", "results/")) or "/" not in name
        if name and (project.root / name).is_file()
    )


def _environment(folder: Path) -> Path:
    """A virtual environment into which the base dependencies are linked. Returns its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    packages = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
    base = [line for line in metadata.requires("convnets-measured") or [] if "extra ==" not in line]
    for name in _closure(*(Requirement(line).name for line in base), "ipykernel"):
        for file in metadata.files(name) or []:
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (packages / top).exists():
                (packages / top).symlink_to(metadata.distribution(name).locate_file(top))
    (packages / "google" / "colab").mkdir(parents=True)
    (packages / "google" / "colab" / "__init__.py").write_text("", encoding="utf-8")
    (packages / "sitecustomize.py").write_text("import google.colab\n", encoding="utf-8")
    return folder / "venv" / "bin" / "python"


def _closure(*names: str) -> set[str]:
    """The named distributions and their dependencies."""
    closure: set[str] = set()
    todo = list(names)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name not in closure:
            closure.add(name)
            for line in metadata.requires(name) or []:
                requirement = Requirement(line)
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                    todo.append(requirement.name)
    return closure


def _copy(project: Project, files: list[str], repository: Path) -> None:
    for name in files:
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project.root / name, repository / name)
    identity = ["-c", "user.name=course", "-c", "user.email=course@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "copy"]):
        subprocess.run(["git", *words], cwd=repository, check=True)


def _kernel(project: Project, folder: Path, python: Path) -> None:
    config = (project.root / "_config.yml").read_text(encoding="utf-8")
    address = re.search(r"https://github\.com/[\w.-]+/[\w.-]+", config)
    if address is None:
        raise CourseError("_config.yml has no repository on GitHub: run `course set-repository OWNER/NAME`.")
    home = folder / "jupyter" / "kernels" / KERNEL
    home.mkdir(parents=True)
    start = folder / "start.py"
    start.write_text(_PIP.format(record=str(folder / "installed")), encoding="utf-8")
    launch = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    launch += [f"--IPKernelApp.exec_files={start}", "--IPKernelApp.log_level=40"]
    git = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{(folder / 'repository').resolve().as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address[0],
    }
    spec = {"argv": launch, "display_name": "An imitation of Colab", "language": "python", "env": git}
    (home / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def _run(cell: str, folder: Path) -> None:
    """Run the first cell in a kernel of the new environment."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    spec = json.loads((folder / "jupyter" / "kernels" / KERNEL / "kernel.json").read_text(encoding="utf-8"))
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    with private_kernel(spec["env"], spec["argv"]) as kernel:
        client = NotebookClient(notebook, km=kernel, timeout=600, resources={"metadata": {"path": str(folder)}})
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            raise CourseError(
                f"A chapter's first cell does not install the library: {error.ename}: {error.evalue}"
            ) from error
    if not (folder / "installed").exists():
        raise CourseError("A chapter's first cell has to install the library where there is google.colab.")

"""Makes the students' repository: ``course assignment release``."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jupytext

from checks import feedback, marking, script
from course_lib.errors import CourseError
from course_tools.grading import guard
from course_tools.publishing import pairs
from course_tools.publishing.project import Project

PUBLIC_SEED = 2026  # of the questions that every student sees; marks are given on others
_OWN = ("README.md", "requirements.txt", ".gitignore", ".github/workflows/feedback.yml")  # from the folder "released"
_MADE = (script.NOTEBOOK, feedback.PUBLIC, "wheel/*.whl", "LICENSE")
_PUBLIC = ("released", script.SCRIPT, "check.py", "checks")  # what students get of the assignment's folder
_AUTHOR = {"NAME": "Convnets, Measured", "EMAIL": "convnets-measured@users.noreply.github.com"}


def master_of(project: Project) -> Path:
    """The folder of the assignment and its reference. Raises CourseError where it is not there."""
    folder = project.root / "assignments" / "cifar10"
    if not (folder / script.SCRIPT).is_file() or not (folder / "reference.py").is_file():
        raise CourseError(f"There is no assignment in {folder.relative_to(project.root)}: take it from git.")
    return folder


def reference_of(master: Path) -> list[script.Cell]:
    """The answer cells that get full marks."""
    return script.cells_of((master / "reference.py").read_text(encoding="utf-8"))


def labels_of(master: Path) -> Path:
    """The classes of all 50,000 training images of CIFAR-10, uint8: task 6 is judged by them."""
    return master / "labels.safetensors"


def release(project: Project, target: Path) -> list[str]:
    """Make the students' repository at ``target``, whole or not at all.

    Returns: the names of its files.
    Raises: CourseError where ``target`` is not empty or lies in the checkout, there is no git, or something is secret.
    """
    master, target = master_of(project), target.absolute()
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise CourseError(f"{target} exists and is not empty: name a new folder.")
    if target.resolve().is_relative_to(project.root.resolve()):
        raise CourseError(f"{target} lies in the checkout and would share its history: name a folder outside of it.")
    if not shutil.which("git"):
        raise CourseError("git is not installed, and a release is a git repository: install git.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        made = Path(scratch, "made")
        _fill(project, master, made)
        files = [*_OWN, *_files_of_check(master), script.SCRIPT, *_MADE]
        guard.check(made, files, master, _PUBLIC)
        names = [file.relative_to(made).as_posix() for file in sorted(made.rglob("*")) if file.is_file()]
        _commit(made)
        if target.exists():
            target.rmdir()
        made.rename(target)
    return names


def _files_of_check(master: Path) -> list[str]:
    files = [master / "check.py", *sorted((master / "checks").rglob("*"))]
    return [file.relative_to(master).as_posix() for file in files if file.is_file() and file.suffix != ".pyc"]


def _fill(project: Project, master: Path, made: Path) -> None:
    """Copy and make the files, ``_OWN``, the check and ``_MADE``."""
    for folder, names in ((master / "released", _OWN), (master, [script.SCRIPT, *_files_of_check(master)])):
        for name in names:
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, made / name)
    shutil.copyfile(project.root / "LICENSE", made / "LICENSE")
    notebook = jupytext.read(master / script.SCRIPT, fmt="py:percent")
    pairs.number_cells(notebook)
    pairs.write_notebook(notebook, made / script.NOTEBOOK)
    feedback.write(made / feedback.PUBLIC, marking.ask(reference_of(master), PUBLIC_SEED))
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(made / "wheel")]
    built = subprocess.run(words, cwd=project.root, capture_output=True, text=True)
    if built.returncode:
        last = (built.stderr or built.stdout).strip().splitlines()[-1:]
        raise CourseError(f"The wheel could not be built ({' '.join(last)}): run make setup, then try again.")


def _commit(made: Path) -> None:
    """Make a history of one commit, without the user's name, hooks and other settings of git."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    own |= {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in _AUTHOR.items()}
    for words in (
        ("init", "--quiet", "--template=", "--initial-branch=main"),
        ("add", "--all", "--force"),
        ("commit", "--quiet", "--message", "The CIFAR-10 assignment of Convnets, Measured"),
    ):
        subprocess.run(["git", *words], cwd=made, env=own, check=True, capture_output=True)

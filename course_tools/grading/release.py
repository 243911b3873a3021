"""Makes the student's repository out of the master: ``course assignment release``."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jupytext

from checks import feedback, marking, script
from course_lib.errors import CourseError
from course_tools.grading import own_git
from course_tools.grading.leaks import Guard, Secrets
from course_tools.publishing import pairs
from course_tools.publishing.project import Project

PUBLIC_SEED = 2026  # of the questions that every student sees; marks are given on others
# What a release holds, and from where: its own files lie in the master's folder "released" under the names they get.
_OWN = ("README.md", "requirements.txt", ".gitignore", ".github/workflows/feedback.yml")
_CHECK = ("check.py", "checks")
_FILES = (*_OWN, "LICENSE", script.SCRIPT, script.NOTEBOOK, feedback.PUBLIC, "wheel/*.whl")
_PUBLIC = ("released", script.SCRIPT, *_CHECK)
_AUTHOR = ("-c", "user.name=Convnets, Measured", "-c", "user.email=convnets-measured@users.noreply.github.com")


def master_of(project: Project) -> Path:
    """The folder of the assignment's master and its reference. Raises CourseError where it is not there."""
    folder = project.root / "assignments" / "cifar10"
    if not (folder / script.SCRIPT).is_file() or not (folder / "reference.py").is_file():
        raise CourseError(f"There is no assignment in {folder.relative_to(project.root)}: take it from git.")
    return folder


def reference_of(master: Path) -> list[script.Cell]:
    """The answer cells that get full marks."""
    return script.cells_of((master / "reference.py").read_text(encoding="utf-8"))


def release(project: Project, target: Path) -> list[str]:
    """Make the student's repository at ``target``, whole or not at all.

    Returns: the names of its files.
    Raises: CourseError where ``target`` is not empty or lies in the checkout, there is no git, or something leaks.
    """
    master, target = master_of(project), target.absolute()
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise CourseError(f"{target} exists and is not empty: name a new folder.")
    if target.resolve().is_relative_to(project.root.resolve()):
        raise CourseError(
            f"{target} lies in the checkout, whose history it may not share: name a folder outside of it."
        )
    if not shutil.which("git"):
        raise CourseError("git is not installed, and a release is a git repository: install git.")
    secrets = Secrets.beside(master, _PUBLIC)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        made = Path(scratch, "made")
        _fill(project, master, made)
        guard = Guard(secrets)
        guard.check_files(made, [*_FILES, *_check_of(master)])
        _commit(made)
        guard.check_history(made)
        if target.exists():
            target.rmdir()
        made.rename(target)
    return [file.relative_to(target).as_posix() for file in sorted(target.rglob("*")) if _is_released(file)]


def _check_of(master: Path) -> list[str]:
    """The files of the student's check."""
    files = (file for name in _CHECK for file in [master / name, *(master / name).rglob("*.*")])
    return [file.relative_to(master).as_posix() for file in files if file.is_file() and file.suffix != ".pyc"]


def _is_released(file: Path) -> bool:
    return ".git" not in file.parts and file.is_file()


def _fill(project: Project, master: Path, made: Path) -> None:
    for source, names in ((master / "released", _OWN), (master, _check_of(master))):
        for name in names:
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, made / name)
    shutil.copyfile(project.root / "LICENSE", made / "LICENSE")
    shutil.copyfile(master / script.SCRIPT, made / script.SCRIPT)
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
    """A history of one commit, with nothing of this machine's own git settings in it."""
    for words in (
        ("init", "--quiet", "--template=", "--initial-branch=main"),
        ("add", "--all"),
        (*_AUTHOR, "commit", "--quiet", "--message", "The CIFAR-10 assignment of Convnets, Measured"),
    ):
        subprocess.run(["git", *words], cwd=made, env=own_git.environment(), check=True, capture_output=True)

"""Leaks are planted in a release, one at a time, and each is found."""

import base64
import gzip
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import jupytext
import pytest

from course_lib.errors import CourseError
from course_tools.grading import leaks, release
from course_tools.grading.leaks import Guard, Secrets
from course_tools.publishing.project import Project

MASTER = release.master_of(Project(Path(__file__).parents[2]))
FILES = [*release._FILES, *release._check_of(MASTER)]


@pytest.fixture(scope="session")
def secrets(master):
    return Secrets.beside(master, release._PUBLIC)


@pytest.fixture
def copy(released, tmp_path):
    return shutil.copytree(released, tmp_path / "release")


@pytest.fixture(scope="session")
def solution(reference):
    """One function of the reference, as text."""
    start = reference.index("def output_size(")
    return reference[start : reference.index("\n\n\n", start)]


def add(folder, name, text):
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write(text)


def found(folder, secrets, said):
    with pytest.raises(CourseError, match=said) as error:
        Guard(secrets).check_files(folder, FILES)
    assert "nothing was released" in str(error.value)


def found_in_history(folder, secrets, said):
    with pytest.raises(CourseError, match=said):
        Guard(secrets).check_history(folder)


def git(folder, *words, **more):
    words = ["git", "-c", "user.name=x", "-c", "user.email=x@x.x", "-C", folder, *words]
    return subprocess.run(words, check=True, capture_output=True, text=True, **more).stdout.strip()


def test_a_clean_release_passes(copy, secrets):
    guard = Guard(secrets)
    guard.check_files(copy, FILES)
    guard.check_history(copy)


def test_the_guard_knows_every_function_of_the_reference(secrets, reference):
    """A function that is too short to be told from others is the only one that may be missing, and is named here."""
    names = {line.split("(")[0].removeprefix("def ") for line in reference.splitlines() if line.startswith("def ")}
    known = {piece.name.removeprefix("the reference's ") for piece in secrets.pieces}
    assert names - known <= {"chance_loss"}


def test_the_solution_word_for_word(copy, secrets, solution):
    add(copy, "answers.py", solution)
    found(copy, secrets, "answers.py tells the reference's output_size")


def test_the_solution_with_other_names_and_line_breaks(copy, secrets, solution):
    for old, new in (("size", "n"), ("layers", "stack"), ("reach", "w"), ("room", "r"), ("steps", "count")):
        solution = solution.replace(old, new)
    add(copy, "README.md", solution.replace("    ", "  ").replace(" + ", "+").replace(":\n", ":  # so\n"))
    found(copy, secrets, "README.md tells the reference's")


def test_the_solution_in_an_output_of_the_notebook(copy, secrets, solution):
    notebook = json.loads((copy / "answers.ipynb").read_text(encoding="utf-8"))
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [{"output_type": "stream", "name": "stdout", "text": solution.splitlines(keepends=True)}]
    (copy / "answers.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    found(copy, secrets, "answers.ipynb tells the reference's output_size")


def test_the_solution_in_the_notebooks_metadata_as_base64(copy, secrets, solution):
    notebook = jupytext.read(copy / "answers.ipynb")
    notebook.metadata["backup"] = base64.b64encode(solution.encode()).decode()
    jupytext.write(notebook, copy / "answers.ipynb")
    found(copy, secrets, "base64 tells the reference's output_size")


def test_the_solution_in_the_wheel(copy, secrets, solution):
    (wheel,) = (copy / "wheel").iterdir()
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("course_lib/old.py", solution)
    found(copy, secrets, "course_lib/old.py tells the reference's output_size")


def test_the_reference_packed_in_the_wheel(copy, secrets, reference):
    (wheel,) = (copy / "wheel").iterdir()
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("course_lib/data.bin", gzip.compress(reference.encode()))
    found(copy, secrets, "unpacked is a secret file")


def test_a_canary_alone(copy, secrets, master):
    canary = leaks.CANARY.search((master / "reference.py").read_text())[0]
    add(copy, "LICENSE", f"\n{canary}\n")
    found(copy, secrets, "LICENSE holds a secret file's canary")


def test_a_sentence_of_a_model_answer(copy, secrets, master):
    piece = next(piece for piece in secrets.pieces if piece.of_words and len(piece.runs) > 6)
    text = (master / "model-answers.md").read_text(encoding="utf-8")
    start = text.index(piece.name.split("“")[1].removesuffix(" …”"))
    add(copy, "README.md", text[start:].split(". ")[0].replace("\n", "  ").upper())
    found(copy, secrets, "README.md tells the answer in words")


def test_the_references_logits(copy, secrets, master):
    shutil.copy(master / "logits.safetensors", copy / "feedback.safetensors")
    found(copy, secrets, "feedback.safetensors is a secret file")


@pytest.mark.parametrize("name", ["reference.py", "notes/todo.txt", "wheel/second.whl", ".github/workflows/deploy.yml"])
def test_a_file_too_many(copy, secrets, name):
    (copy / name).parent.mkdir(exist_ok=True, parents=True)
    (copy / name).write_text("harmless")
    found(copy, secrets, "does not belong there|should hold .* files and holds")


def test_a_link(copy, secrets, master):
    (copy / "LICENSE").unlink()
    (copy / "LICENSE").symlink_to(master / "reference.py")
    found(copy, secrets, "LICENSE, which does not belong there")


def test_a_file_too_few(copy, secrets):
    (copy / "LICENSE").unlink()
    found(copy, secrets, "should hold .* files and holds")


def test_an_earlier_commit_with_the_solution(copy, secrets, solution):
    add(copy, "answers.py", solution)
    git(copy, "commit", "-aqm", "with solution")
    git(copy, "revert", "--no-edit", "HEAD")
    found_in_history(copy, secrets, "more than one commit")


def test_the_solution_in_the_one_commit(copy, secrets, solution):
    add(copy, "answers.py", solution)
    git(copy, "commit", "-aq", "--amend", "-m", "with solution")
    git(copy, "reflog", "expire", "--expire=now", "--all")
    git(copy, "gc", "-q", "--prune=now")
    found_in_history(copy, secrets, "blob .* of the history tells the reference's output_size")


def test_the_solution_in_the_commits_message(copy, secrets, solution):
    git(copy, "commit", "-q", "--amend", "-F", "-", input=solution)
    git(copy, "reflog", "expire", "--expire=now", "--all")
    git(copy, "gc", "-q", "--prune=now")
    found_in_history(copy, secrets, "commit .* of the history tells the reference's output_size")


def test_an_object_that_no_commit_reaches(copy, secrets, solution):
    git(copy, "hash-object", "-w", "--stdin", input=solution)
    found_in_history(copy, secrets, "objects of no commit")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("branch", "old"), "more than one branch or tag"),
        (("tag", "v1"), "more than one branch or tag"),
        (("remote", "add", "origin", "elsewhere"), "has a remote"),
    ],
)
def test_traces_of_another_history(copy, secrets, words, said):
    git(copy, *words)
    found_in_history(copy, secrets, said)


def test_borrowed_objects_and_hooks(copy, secrets, master):
    info = copy / ".git" / "objects" / "info"
    info.mkdir(exist_ok=True)
    (info / "alternates").write_text(f"{copy / '.git' / 'objects'}\n")
    found_in_history(copy, secrets, "borrows objects")
    (info / "alternates").unlink()
    (copy / ".git" / "hooks").mkdir(exist_ok=True)
    (copy / ".git" / "hooks" / "post-checkout").write_text("true")
    found_in_history(copy, secrets, "has hooks")


def test_a_file_that_git_ignores(copy, secrets):
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "reference.pyc").write_bytes(b"x")
    found_in_history(copy, secrets, "not committed")


def test_nobodys_git_settings_blind_the_guard(copy, secrets, tmp_path, monkeypatch, released):
    (tmp_path / "gitconfig").write_text("[status]\nshowUntrackedFiles = no\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_DIR", str(released / ".git"))  # a clean one
    (copy / "solution.txt").write_text("x")
    found_in_history(copy, secrets, "not committed")


def test_a_secret_file_without_a_canary_is_refused(master, tmp_path):
    mine = shutil.copytree(master, tmp_path / "cifar10")
    (mine / "hidden.py").write_text("x = 1\n")
    with pytest.raises(CourseError, match=r"hidden.py has no canary"):
        Secrets.beside(mine, release._PUBLIC)

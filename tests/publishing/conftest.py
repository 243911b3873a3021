"""A checkout in miniature: one chapter that runs in a second, and the pages around it."""

import shutil

import pytest

from course_lib.publishing import running
from course_lib.publishing.project import Project

HEADER = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 · A small chapter
#
# Its only [paper](https://doi.org/10.1/paper), an *epoch*.

# %% tags=["parameters"]
PROFILE = "auto"

"""


def script(*cells: str) -> str:
    """A chapter's source with the given code cells."""
    return HEADER + "\n".join(f"# %%\n{cell}\n" for cell in cells)


@pytest.fixture
def project(tmp_path):
    """A project with the chapter ``01-small``, whose one code cell prints its profile."""
    root = tmp_path / "checkout"
    (root / "notebooks").mkdir(parents=True)
    (root / "book").mkdir()
    (root / "notebooks" / "01-small.py").write_text(script('print("profile", PROFILE)'))
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n- file: notebooks/01-small\n- file: book/glossary\n"
    )
    (root / "_config.yml").write_text("title: Small\nonly_build_toc_files: true\n")
    (root / "book" / "index.md").write_text("# Small\n")
    (root / "book" / "glossary.md").write_text("# Glossary\n\n```{glossary}\nepoch\n  One pass.\n```\n")
    (root / "book" / "references.bib").write_text(
        "@misc{paper2000, title={T}, author={A, B}, year={2000}, doi={10.1/paper}}\n"
    )
    return Project(root)


@pytest.fixture
def write(project):
    """Replace the chapter's code cells, or add another chapter."""

    def put(*cells: str, name: str = "01-small"):
        (project.notebooks / f"{name}.py").write_text(script(*cells))
        return project.pick([name])[0]

    return put


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """Where a module keeps the checkout in which its chapters ran first."""
    return tmp_path_factory.mktemp("first-run") / "checkout"


@pytest.fixture
def run_once(project, first_run):
    """Run all chapters; in later tests of the same module take the checkout as the first run left it."""

    def run(profile: str) -> None:
        if first_run.exists():
            shutil.copytree(first_run, project.root, dirs_exist_ok=True)
        else:
            assert all(outcome.ok for outcome in running.run_chapters(project, project.chapters(), profile))
            shutil.copytree(project.root, first_run)

    return run

"""A checkout in miniature: chapters that run in a second, and the pages around them."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from course_tools.publishing.project import Project
from course_tools.publishing.run import run_chapters
from course_tools.publishing.stage import stage

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


def make_checkout(root: Path) -> Path:
    """A checkout with the chapter ``01-small``, whose one code cell prints its profile."""
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
    return root


@pytest.fixture(scope="session")
def chapter_in():
    """Make a checkout in a folder; its one chapter has the given code cells."""

    def make(folder: Path, *cells: str):
        (chapter,) = Project(make_checkout(folder)).chapters()
        chapter.source.write_text(script(*cells), encoding="utf-8")
        return chapter

    return make


@pytest.fixture
def project(tmp_path):
    """A project with one chapter that never ran."""
    return Project(make_checkout(tmp_path / "checkout"))


@pytest.fixture
def write_in():
    """Replace a chapter's code cells, or add a chapter."""

    def put(project: Project, *cells: str, name: str = "01-small"):
        (project.notebooks / f"{name}.py").write_text(script(*cells))
        return project.pick([name])[0]

    return put


@pytest.fixture
def write(project, write_in):
    """The same for the project with one chapter."""
    return partial(write_in, project)


SMALL = (
    "from course_lib import data, models, records, training\n"
    "from course_lib.profiles import resolve_profile\n"
    "profile = resolve_profile(PROFILE)\n"
    "width = {'quick': 4, 'cpu': 8, 'full': 8}[profile]",
    "digits = data.load('mnist', size='sample')\n"
    "few = digits.train.select(range(64))\n"
    "training.set_seed(0)\n"
    "network = models.mlp(hidden=(width,))\n"
    "history = training.fit(network, few, epochs=1, batch_size=32, show=False)\n"
    "answers = training.predict(network, few)\n"
    "_ = training.record('perceptron', history, answers, digits)\n"
    "print('profile', profile)",
)
DRAWN = "def count(name):\n    return len(records.table(name))\n\n\nprint(count('01-small'), 'runs are recorded')"
YOURS = "assert False, 'for the reader to write: no run executes it'"
OTHER = "from course_lib import plots\nfigure, axes = plots.new_figure()\nplots.finish(figure, 'A line that rises.')"


@pytest.fixture(scope="session")
def first_book(tmp_path_factory):
    """A checkout with two chapters, which ran in quick and in cpu: ``01-small`` trains, ``02-other`` plots.

    ``02-other`` ends in a cell that its reader is to write.
    """
    root = make_checkout(tmp_path_factory.mktemp("book") / "checkout")
    drawn = f'\n# %% tags=["drawn"]\n{DRAWN}\n'
    (root / "notebooks" / "01-small.py").write_text(script(*SMALL) + drawn)
    (root / "notebooks" / "02-other.py").write_text(script(OTHER) + f'\n# %% tags=["your-turn"]\n{YOURS}\n')
    with (root / "_toc.yml").open("a") as toc:
        toc.write("- file: notebooks/02-other\n")
    (root / "results").mkdir()
    project = Project(root)
    outcomes = run_chapters(project, project.chapters(), "cpu")
    assert all(outcome.ok for outcome in outcomes), outcomes
    for profile in ("cpu", "quick"):
        stage(project, profile)  # keeps what was drawn
    return root


@pytest.fixture
def book(first_book, tmp_path):
    """A copy of that checkout, to be changed."""
    shutil.copytree(first_book, tmp_path / "checkout")
    return Project(tmp_path / "checkout")

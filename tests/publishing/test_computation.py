"""What belongs to a chapter's computation in a profile, and what does not."""

import ast

import nbformat
import pytest

from course_tools.publishing.computation import canonical, computation, folded


def same(one: str, other: str, profile: str = "cpu") -> bool:
    return folded(one, profile) == folded(other, profile)


@pytest.mark.parametrize(
    ("written", "runs"),
    [
        ("epochs = {'quick': 2, 'cpu': 8}[profile]", "epochs = 8"),
        ("epochs = {'quick': 2}.get(profile, 8)", "epochs = 8"),
        ("epochs = {'cpu': 8}.get(profile, 2)", "epochs = 8"),
        ("seeds = range(2 if profile == 'quick' else 5)", "seeds = range(5)"),
        ("size = 'full' if profile != 'quick' else 'sample'", "size = 'full'"),
        ("if profile == 'quick':\n    small()\nelse:\n    large()", "large()"),
        ("if profile == 'quick':\n    small()\nrest()", "rest()"),
        ("def f():\n    if profile == 'quick':\n        return 1", "def f():\n    pass"),
        ("import math\nfrom torch import nn\nx = 1", "x = 1"),
        ("x = 1  # one", "x   =   1"),
    ],
)
def test_only_what_the_profile_runs_is_left(written, runs):
    assert same(written, runs)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("epochs = {'quick': 2, 'cpu': 8}[profile]", "epochs = {'quick': 2, 'cpu': 9}[profile]"),
        ("epochs = {'quick': 2, 'cpu': 8}[size]", "epochs = 8"),
        ("if profile == kind:\n    small()", "if profile == other:\n    small()"),
        ("x = 1", "x = 2"),
    ],
)
def test_what_the_profile_runs_is_kept(one, other):
    assert not same(one, other)


def test_cells_that_install_import_are_drawn_or_the_readers_compute_nothing():
    def cell(source, *tags):
        return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})

    cells = [cell("x = 1"), cell("print(records)", "drawn"), cell("pip()", "install"), cell("import math")]
    cells.append(cell("write()", "your-turn"))
    assert computation(nbformat.v4.new_notebook(cells=cells), "cpu") == [folded("x = 1", "cpu")]


def test_canonical_text_is_the_same_in_all_versions_of_python():
    """Newer versions have fields that older ones lack, and ``ast.dump`` shows empty ones in some versions only."""
    tree = ast.parse("print(x)")
    before = canonical(tree)
    del tree.body[0].value.keywords
    assert canonical(tree) == before and "keywords" not in before


def test_code_that_does_not_parse_is_kept_as_it_is():
    assert folded("%matplotlib inline", "cpu") == "%matplotlib inline"

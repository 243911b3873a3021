"""What the eye overlooks in the chapters' Markdown."""

from pathlib import Path

import jupytext
import pytest

CHAPTERS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.py"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_no_line_begins_with_a_comment(chapter):
    """Markdown would end the paragraph there: a claim stands behind its number, never at the start of a line."""
    for cell in jupytext.read(chapter).cells:
        if cell.cell_type == "markdown":
            assert not [line for line in cell.source.splitlines() if line.startswith("<!--")]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_nothing_is_left_to_be_filled_in(chapter):
    for word in ("CPU_TIME", "CPU_MEMORY", "TODO", "TBD", "XXX"):
        assert word not in chapter.read_text()

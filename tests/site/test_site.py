"""The published edition, built strictly into a folder of its own, and read as a reader's browser would."""

import re
from urllib.parse import urlparse

import nbformat

from book_pages import ROOT


def test_pages_load_local_files_that_are_there_and_nothing_of_another_host(pages, built):
    for path, page in pages.items():
        for tag in page.find_all(["script", "link", "img", "iframe", "source"]):
            address = urlparse(tag.get("src") or tag.get("href") or "")
            assert not address.netloc or "canonical" in (tag.get("rel") or []), f"{path}: {address}"
            if not address.netloc and address.path and address.scheme != "data":
                assert (built / path.parent / address.path).exists(), f"{path}: {address.path}"


def test_every_figure_says_what_it_shows(chapters):
    for path, page in chapters.items():
        figures = page.select("div.cell_output img")
        assert figures, path
        for figure in figures:
            alt = figure.get("alt", "")
            assert len(alt) > 30 and not alt.startswith(("../", "_images")), f"{path}: {alt!r}"


def test_every_chapter_says_where_its_outputs_come_from(chapters):
    for path, page in chapters.items():
        footer = page.select_one(".course-provenance")
        assert footer is not None, path
        for word in ("Profile", "torch", "commit"):
            assert word in footer.text


def test_solutions_are_folded_and_there_are_at_least_three(chapters):
    for path, page in chapters.items():
        solutions = page.select("div.solution")
        assert len(solutions) >= 3, path
        assert all("dropdown" in solution["class"] for solution in solutions)
        assert len(page.select("div.exercise")) == len(solutions)


def test_every_goal_is_answered_by_its_cell(chapters):
    for path, page in chapters.items():
        goals = len(page.select_one(".admonition ol").find_all("li"))
        answered = re.findall(r"# Goal (\d+)[a-z]?:", "\n".join(cell.text for cell in page.select("div.cell_input")))
        assert sorted({int(number) for number in answered}) == list(range(1, goals + 1)), path


def test_the_install_cell_stays_in_the_notebook(chapters):
    for path, page in chapters.items():
        assert "google.colab" not in page.select_one("div.cell_input").text, path
        notebook = nbformat.read(ROOT / path.with_suffix(".ipynb"), 4)
        first = next(cell for cell in notebook.cells if cell.cell_type == "code")
        assert "install" in first.metadata.tags and "google.colab" in first.source


def test_committed_tables_and_figures_over_records_are_those_of_today(built):
    """The site draws them anew; who opens a notebook in Colab sees the committed ones."""

    def texts(file):
        cells = [cell for cell in nbformat.read(file, 4).cells if "drawn" in cell.metadata.get("tags", [])]
        outputs = [output for cell in cells for output in cell.outputs]
        return ["".join(one.get("text", "") or one.get("data", {}).get("text/plain", "")) for one in outputs]

    stage = built.parent / "stage" / "notebooks"
    shown = {file.name: texts(file) for file in stage.glob("*.ipynb")}
    assert sum(map(len, shown.values())) > 20
    behind = [name for name in shown if shown[name] != texts(ROOT / "notebooks" / name)]
    assert not behind, "`course draw` brings them up to date"

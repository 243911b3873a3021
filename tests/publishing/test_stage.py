"""What staging shows, refuses and leaves alone."""

import io
from base64 import b64encode

import nbformat
import pytest
import yaml
from PIL import Image

from course_lib.errors import CourseError
from course_tools import cli
from course_tools.publishing import pairs
from course_tools.publishing.page import CARD_PIXELS, caption_of, card_of
from course_tools.publishing.site import build_site
from course_tools.publishing.stage import stage


def staged(book, name="01-small"):
    return nbformat.read(book.stage / "notebooks" / f"{name}.ipynb", 4)


def test_page_is_in_myst_with_banner_alt_text_and_provenance(book):
    stage(book, "quick")
    page = staged(book, "02-other")
    text = page.cells[0].source
    assert "{cite:t}`paper2000`" in text and "{term}`epoch <epoch>`" in text
    assert "quick run" in text, "a quick page says that it is one"
    assert "Where these outputs come from" in page.cells[-1].source
    image = next(cell.metadata["mystnb"]["image"] for cell in page.cells if "mystnb" in cell.metadata)
    assert image["alt"] == "A line that rises." and image["width"].endswith("px")
    assert not any("injected-parameters" in cell.metadata.get("tags", []) for cell in page.cells)


def test_a_chapter_begins_with_its_question_and_its_times_and_others_link_with_the_question(book):
    stage(book, "quick")
    top = staged(book).cells[0].source
    assert top.index("course-question") < top.index("course-meta") < top.index("quick run")
    run = nbformat.read(book.run_folder("quick") / "01-small.ipynb", 4).metadata.course.run
    assert "5 min to read" in top and f"{run.peak_memory_mb / 1000:.1f} GB of memory" in top
    config = yaml.safe_load((book.stage / "_config.yml").read_text())
    assert config["title"] == "Small"
    assert config["sphinx"]["config"]["html_context"]["questions"]["01-small.html"] == "Its only paper, an epoch."


def test_the_figure_of_the_tagged_cell_is_the_chapters_card(book):
    stage(book, "quick")
    assert not (book.stage / "book" / "cards").exists()
    (_, other) = book.chapters()
    text = other.source.read_text().replace(
        "# %%\nfrom course_lib import plots", '# %% tags=["card"]\nfrom course_lib import plots'
    )
    other.source.write_text(text)
    pairs.pair(other)
    stage(book, "quick")
    with Image.open(book.stage / "book" / "cards" / "02-other.png") as card:
        assert card.size == CARD_PIXELS


@pytest.mark.parametrize("size", [(900, 200), (300, 600)])
def test_a_card_shows_the_whole_figure(size):
    figure = Image.new("RGB", size, "white")
    for corner in ((0, 0), (size[0] - 40, size[1] - 40)):
        figure.paste("black", (*corner, corner[0] + 40, corner[1] + 40))
    packed = io.BytesIO()
    figure.save(packed, format="png")
    output = nbformat.v4.new_output("display_data", {"image/png": b64encode(packed.getvalue()).decode()})
    cell = nbformat.v4.new_code_cell(outputs=[output], metadata={"tags": ["card"]})
    card = Image.open(io.BytesIO(card_of(nbformat.v4.new_notebook(cells=[cell])))).convert("L")
    ink = card.point(lambda grey: 255 * (grey < 100)).getbbox()
    assert ink, "the figure's corners are cut away"
    scale = min(CARD_PIXELS[0] / size[0], CARD_PIXELS[1] / size[1])
    assert ink[2] - ink[0] == pytest.approx(scale * size[0], abs=3)
    assert ink[3] - ink[1] == pytest.approx(scale * size[1], abs=3)


@pytest.mark.parametrize(
    ("alt", "caption"),
    [
        ("A line that rises. It ends at 0.5.", "A line that rises."),
        ("Two curves: a from 1 to 2; b from 2 to 3.", "Two curves."),
        ("Loss of 0.25 at 1. So.", "Loss of 0.25 at 1."),
        ("Price in $ of a_b *now*.", "Price in \\$ of a\\_b \\*now\\*."),
        ("x" * 200, ""),
    ],
)
def test_a_caption_is_a_short_first_sentence_that_markdown_leaves_alone(alt, caption):
    assert caption_of(alt) == caption


def test_staging_again_touches_nothing_and_removes_pages_that_left_the_book(book):
    extra = book.root / "book" / "extra.md"
    extra.write_text("# Extra\n")
    stage(book, "quick")
    times = {file: file.stat().st_mtime_ns for file in book.stage.rglob("*") if file.is_file()}
    assert book.stage / "book" / "extra.md" in times
    extra.unlink()
    stage(book, "quick")
    del times[book.stage / "book" / "extra.md"]
    assert times == {file: file.stat().st_mtime_ns for file in book.stage.rglob("*") if file.is_file()}


def test_of_claims_nothing_reaches_the_site(book):
    (book.root / "book" / "claims").mkdir()
    (book.root / "book" / "claims" / "own.py").write_text("x = 1\n")
    (book.root / "book" / "extra.md").write_text("# Extra\n\nIt reaches 97 % <!-- claim: small -->. So\n")
    stage(book, "quick")
    assert (book.stage / "book" / "extra.md").read_text() == "# Extra\n\nIt reaches 97 %. So\n"
    assert not list((book.stage / "book").rglob("*.py"))


def test_prose_layout_and_imports_may_change_after_a_run(book):
    (chapter, _) = book.chapters()
    text = chapter.source.read_text().replace("# Its only", "# Its new, only")
    text = text.replace("print('profile', profile)", "# a comment\nprint('profile',\n      profile)")
    chapter.source.write_text(text.replace("\n# %%\ndigits", "\n# %%\nimport math\n\n# %%\ndigits"))
    pairs.pair(chapter)
    stage(book, "quick")
    page = staged(book)
    assert "Its new, only" in page.cells[0].source
    shown = next(cell for cell in page.cells if "a comment" in cell.source)
    assert shown.outputs[0].text == "profile quick\n"


def test_refuses_missing_run_and_code_edited_after_its_run(book, write_in):
    with pytest.raises(CourseError, match="01-small has no run in profile full"):
        stage(book, "full")
    pairs.pair(write_in(book, "print('something else')"))
    with pytest.raises(CourseError, match="its code was edited after its run"):
        stage(book, "quick")


def an_error(cell):
    cell.outputs.append(nbformat.v4.new_output("error", ename="E", evalue="", traceback=[]))


def not_run(cell):
    cell.execution_count = None


def too_much(cell):
    cell.outputs.append(nbformat.v4.new_output("stream", text="x" * 1_100_000))


def two_figures(cell):
    cell.outputs += [nbformat.v4.new_output("display_data", {"image/png": ""})] * 2


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (an_error, "raised an error"),
        (not_run, "did not run"),
        (too_much, "1 MB is the limit"),
        (two_figures, "more than one figure"),
    ],
)
def test_refuses_bad_outputs(book, harm, problem):
    file = book.run_folder("quick") / "02-other.ipynb"
    notebook = nbformat.read(file, 4)
    harm(notebook.cells[-2])  # the last one is the reader's to write
    pairs.write_notebook(notebook, file)
    with pytest.raises(CourseError, match=problem):
        stage(book, "quick")


def test_refuses_page_that_is_missing_or_not_in_the_toc(book, monkeypatch, capsys):
    toc = book.root / "_toc.yml"
    whole = toc.read_text()
    toc.write_text(whole + "- file: book/nowhere\n")
    monkeypatch.chdir(book.root)
    capsys.readouterr()
    assert cli.main(["book", "--profile", "quick"]) == 1
    assert capsys.readouterr().err == (
        "course: _toc.yml names 'book/nowhere', but there is no such page: add it or take the line out.\n"
    )
    toc.write_text(whole.replace("- file: notebooks/01-small\n", ""))
    with pytest.raises(CourseError, match=r"01-small is not in _toc\.yml"):
        stage(book, "quick")
    toc.write_text("root: [")
    with pytest.raises(CourseError, match="not a table of contents"):
        stage(book, "quick")


def test_sphinx_warning_fails_the_build_and_keeps_the_last_site(book, capsys):
    stage(book, "quick")
    (book.root / "_config.yml").write_text(
        "title: Small\nonly_build_toc_files: true\nexecute:\n  execute_notebooks: 'off'\n"
        "bibtex_bibfiles: [book/references.bib]\n"
    )
    (book.root / "book" / "index.md").write_text("# Small\n\n```{bibliography}\n```\n")
    stage(book, "quick")
    front = build_site(book)
    assert front.exists()
    (book.root / "book" / "index.md").write_text("# Small\n\nSee {ref}`nowhere`.\n\n```{bibliography}\n```\n")
    stage(book, "quick")
    with pytest.raises(CourseError, match="jupyter-book found errors"):
        build_site(book)
    assert "undefined label: 'nowhere'" in capsys.readouterr().err
    assert front.exists()


def test_guess_on_a_page_and_on_the_list_of_guesses_without_its_claims(book):
    chapter = book.pick(["02-other"])[0]
    guess = "# > **Your guess.** Of 7 % <!-- claim: b --> how many? <!-- guess: a, 0 to 9 -->\n"
    found = "# > **What we found.** It is 5 <!-- claim: a -->.\n"
    with chapter.source.open("a") as source:
        source.write(f"\n# %% [markdown]\n{guess}\n# %% [markdown]\n{found}")
    pairs.pair(chapter)
    (book.root / "book" / "glossary.md").write_text("# Glossary\n\n<!-- guesses -->\n")
    stage(book, "quick")
    page, listed = staged(book, "02-other"), (book.stage / "book" / "glossary.md").read_text()
    assert any('<details class="admonition finding"' in cell.source for cell in page.cells)
    assert "../notebooks/02-other.html#guess-a" in listed and "**1 · A small chapter**" in listed
    assert "Of 7 % how many?" in listed and "<!--" not in listed

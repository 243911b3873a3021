"""The published edition, built strictly into a folder of its own, and read as a reader's browser would."""

import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import nbformat
import yaml
from book_pages import BOOK, ROOT
from PIL import Image


def place(address, path, base):
    """The file of the site that an address on a page leads to. On GitHub Pages the site lies below ``base``."""
    file = posixpath.join(path.parent, unquote(address.path)) if address.path else path
    return posixpath.normpath(posixpath.join(base, file))


def test_pages_load_local_files_that_are_there_and_nothing_of_another_host(pages, built, base):
    for path, page in pages.items():
        for tag in page.find_all(["script", "link", "img", "iframe", "source"]):
            address = urlsplit(tag.get("src") or tag.get("href") or "")
            assert not address.netloc or "canonical" in (tag.get("rel") or []), f"{path}: {address}"
            if not address.netloc and address.path and address.scheme != "data":
                file = place(address, path, base)
                assert file.startswith(base) and (built / file.removeprefix(base)).is_file(), f"{path}: {address.path}"


def test_links_within_the_site_lead_to_pages_and_anchors_that_are_there(pages, built, base):
    anchors = {str(path): {tag["id"] for tag in page.select("[id]")} for path, page in pages.items()}
    links = 0
    for path, page in pages.items():
        for tag in page.select("a[href]"):
            address = urlsplit(tag["href"])
            if address.netloc or address.scheme:
                continue
            file = place(address, path, base).removeprefix(base)
            assert (built / file).is_file(), f"{path}: {tag['href']}"
            if address.fragment and file in anchors:
                assert unquote(address.fragment) in anchors[file], f"{path}: {tag['href']}"
            links += 1
    assert links > 1500


def test_addresses_of_the_first_edition_lead_to_what_they_led_to(pages):
    anchors = {str(path): {tag["id"] for tag in page.select("[id]")} for path, page in pages.items()}
    addresses = (ROOT / "tests" / "site" / "edition_1.txt").read_text(encoding="utf-8").split()
    lost = []
    for address in addresses:
        page, _, anchor = address.partition("#")
        if f"{page}.html" not in anchors or (anchor and anchor not in anchors[f"{page}.html"]):
            lost.append(address)
    assert len(addresses) > 450
    assert not lost, f"add them to book/moved.yml, with their new names: {lost}"


def test_every_page_has_a_description_and_a_picture_for_previews(pages, built):
    base = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["html"]["baseurl"]
    about = {}
    for name in BOOK:
        page = pages[Path(f"{name}.html")]
        told = {tag.get("property") or tag["name"]: tag["content"] for tag in page.select("head meta[content]")}
        assert 15 < len(told["description"]) <= 200 and told["og:title"] and told["og:image:alt"], name
        about[told["description"]] = name
        assert told["og:url"] == f"{base}{name}.html" == page.select_one("link[rel=canonical]")["href"]
        with Image.open(built / told["og:image"].removeprefix(base)) as card:
            assert card.size == (1200, 630)
        assert (built / told["og:image"].removeprefix(base)).stat().st_size < 150_000
    assert len(about) == len(BOOK), "two pages have one description"


def test_the_sitemap_lists_every_page_of_the_book(built):
    base = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["html"]["baseurl"]
    listed = [one.text for one in ElementTree.parse(built / "sitemap.xml").iter() if one.tag.endswith("}loc")]
    assert sorted(listed) == sorted(f"{base}{name}.html" for name in BOOK)


def test_notebook_and_script_can_be_downloaded_as_colab_shows_them(chapters, built):
    for path, page in chapters.items():
        for ending in (".ipynb", ".py"):
            links = page.select(f"a[href$='download/{path.stem}{ending}']")
            assert len(links) == 2, f"{path}: one in the header, one at the foot"
            given = (built / "download" / f"{path.stem}{ending}").read_bytes()
            assert given == (ROOT / path.with_suffix(ending)).read_bytes()


def test_words_of_the_glossary_carry_their_definitions(chapters):
    to_glossary = "article a.reference[href*='glossary.html#term-']"
    words = [link for page in chapters.values() for link in page.select(to_glossary)]
    assert len(words) > 50
    assert all(len(word.get("title", "")) > 15 for word in words)


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
        solutions = page.select("details.solution:not([open])")
        assert len(solutions) >= 3, path
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

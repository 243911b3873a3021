"""Ways out: plain Sphinx and myst-nb build the same addresses from the staged pages, and paper shows the whole book."""

import re
import shutil
import subprocess
import sys

import pikepdf
import pytest
from book_pages import BOOK, ROOT
from bs4 import BeautifulSoup

from course_tools.publishing.pdf import print_book
from course_tools.publishing.project import Project

# Ids that Sphinx counts from page to page, so they depend on the order in which pages are read.
COUNTED = re.compile(r"(id|codecell|toggle-)\d+")


def addresses(site):
    """Every page, and every anchor of its article."""
    found = set()
    for file in site.rglob("*.html"):
        path = file.relative_to(site)
        if path.parts[0] in ("_static", "index.html"):  # the front door
            continue
        found.add(str(path))
        article = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser").select_one("article.bd-article")
        anchors = [tag["id"] for tag in article.select("[id]")] if article else []
        found |= {f"{path}#{anchor}" for anchor in anchors if not COUNTED.fullmatch(anchor)}
    return found


@pytest.mark.nightly
def test_plain_sphinx_builds_the_same_pages_and_anchors(built, tmp_path):
    source, site = tmp_path / "source", tmp_path / "html"
    shutil.copytree(built.parent / "stage", source)
    configure = ["-c", "from jupyter_book.cli.main import main; main()", "config", "sphinx", source]
    for words in (configure, ["-m", "sphinx", "-q", "-b", "html", source, site]):
        done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    ours, plain = addresses(built), addresses(site)
    assert len(ours) > 500
    assert ours == plain


@pytest.mark.nightly
def test_the_pdf_has_every_page_with_a_bookmark_for_every_heading(built, browser):
    pdf = print_book(Project(ROOT, build=built.parent))
    pages = [BeautifulSoup((built / f"{name}.html").read_text(encoding="utf-8"), "html.parser") for name in BOOK]
    headings = [" ".join(one.text.rstrip("#").split()) for page in pages for one in page.select("article :is(h1, h2)")]
    with pikepdf.open(pdf) as book, book.open_outline() as outline:
        titles = [item.title for chapter in outline.root for item in (chapter, *chapter.children)]
        assert len(book.pages) > 200
    assert [title for title in titles if title != "Contents"] == headings
    assert not (built / "print.html").exists()
    assert pdf.stat().st_size < 20_000_000

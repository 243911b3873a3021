"""The staged pages build with plain Sphinx and myst-nb, without jupyter-book's command, to the same addresses."""

import re
import shutil
import subprocess
import sys

import pytest
from book_pages import ROOT
from bs4 import BeautifulSoup

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

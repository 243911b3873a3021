"""Old addresses, previews and the printed book, on a site of two pages."""

import re
from types import SimpleNamespace

import pytest
from docutils import nodes
from PIL import Image, ImageChops

from course_lib.errors import CourseError
from course_tools.publishing import browser, discovery, pdf
from course_tools.publishing.social_card import SIZE, social_card


@pytest.fixture
def app(tmp_path):
    """As much of a Sphinx application as these functions read."""
    (tmp_path / "book").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "404.html").write_text('<a href="#main">')
    page = nodes.document("", "")
    page += nodes.paragraph(text="A page.")
    return SimpleNamespace(
        srcdir=tmp_path,
        outdir=tmp_path / "out",
        builder=SimpleNamespace(name="html", get_target_uri=lambda name: f"{name}.html"),
        config=SimpleNamespace(
            html_baseurl="https://a.github.io/b/", root_doc="book/index", html_title="Book", language="en"
        ),
        env=SimpleNamespace(
            docname="book/index",
            found_docs={"book/index", "book/new"},
            titles={"book/index": nodes.title(text="Front"), "book/new": nodes.title(text="New & better")},
            get_doctree=lambda name: page,
        ),
    )


def moved(app, text):
    (app.srcdir / "book" / "moved.yml").write_text(text)


def test_a_page_that_moved_leads_on_with_and_without_javascript(app):
    moved(app, "pages: {book/deep/old: book/new}\nanchors:")
    discovery.write_map(app, None)
    page = (app.outdir / "book" / "deep" / "old.html").read_text()
    assert 'location.replace("../../book/new.html" + location.search + location.hash)' in page
    assert 'content="0; url=../../book/new.html"' in page and "New &amp; better" in page
    assert (app.outdir / "sitemap.xml").read_text().count("<loc>https://a.github.io/b/book/") == 2
    assert (app.outdir / "404.html").read_text() == '<a href="404.html#main">'
    assert "og:image" in (app.outdir / "index.html").read_text()


def test_a_moved_page_or_anchor_that_leads_nowhere_is_named(app):
    moved(app, "pages: {book/old: book/gone}\nanchors: {book/index: {was: gone}}")
    with pytest.raises(discovery.ExtensionError, match="no page 'book/gone', to which 'book/old' leads"):
        discovery.write_map(app, None)
    with pytest.raises(discovery.ExtensionError, match="book/index has no 'gone', to which 'was' leads"):
        discovery.keep_anchors(app, nodes.document("", ""))


def test_an_old_anchor_is_a_second_name_of_its_section(app):
    moved(app, "pages:\nanchors: {book/index: {was: now}}")
    page = nodes.document("", "")
    page += nodes.section(ids=["now"])
    discovery.keep_anchors(app, page)
    assert page[0]["ids"] == ["now", "was"]


def test_a_description_is_the_first_paragraph_of_the_text_cut_between_words():
    page, box = nodes.document("", ""), nodes.note()
    box += nodes.paragraph(text="A banner in a box.")
    page += [box, nodes.paragraph(text="word, " * 60), nodes.paragraph(text="Second.")]
    text = discovery.description(page)
    assert re.fullmatch(r"(word, )+word …", text) and 180 < len(text) <= 200


@pytest.mark.parametrize("figure", [None, (2000, 300), (100, 900)])
def test_a_card_shows_a_figure_of_any_shape_whole(tmp_path, figure):
    file = tmp_path / "figure.png"
    if figure:
        Image.new("RGB", figure, "#ff0000").save(file)
    social_card(tmp_path / "cards" / "a.png", "A title " * 9, "Book", "About it. " * 15, file if figure else None)
    with Image.open(tmp_path / "cards" / "a.png") as card:
        card = card.convert("RGB")
        assert card.size == SIZE
        red = card.point(lambda value: 255 * (value > 200)).split()[0]
        green = card.point(lambda value: 255 * (value < 90)).split()[1]
        left, top, right, bottom = ImageChops.multiply(red, green).getbbox() or (0, 0, 0, 0)
    if figure:
        assert left > 0 and right < SIZE[0] and bottom < SIZE[1]
        assert abs((right - left) / (bottom - top) - figure[0] / figure[1]) < 0.1 * figure[0] / figure[1]


def test_pages_become_one_with_open_folds_unique_names_and_inner_links(tmp_path):
    head = '<head><title>T — Book</title><link rel="stylesheet" href="../_static/a.css"></head>'
    for name, body in {
        "book/a": '<h1 id="x">A<a class="headerlink" href="#x">#</a></h1><a href="../notes/b.html#x">b</a>'
        '<details class="toggle"><summary>More</summary>hidden</details>'
        '<details class="hide"><summary>Show</summary>code</details>'
        '<a href="../download/b.py">file</a>',
        "notes/b": '<h1 id="x">B</h1><a href="#x">up</a><img loading="lazy" src="../_images/i.png"><script>1</script>',
    }.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.html").write_text(f'<html>{head}<article class="bd-article">{body}</article></html>')
    page = pdf.one_page(tmp_path, ["book/a", "notes/b"])
    assert re.findall(r'id="([^"]+)"', page) == ["book-a", "book-a--x", "notes-b", "notes-b--x"]
    links = re.findall(r'<a href="([^"]+)"', page)
    assert links == ["#notes-b--x", "#book-a", "#notes-b", "#notes-b--x"]
    assert '@bottom-left { content: "Book"; }' in page, "the book's name stands at the foot of each page"
    assert (
        '<details class="toggle" open="">' in page and 'src="_images/i.png"' in page and 'href="_static/a.css"' in page
    )
    assert '<div class="hide" open="">code</div>' in page
    assert "loading" not in page and "<script" not in page and "headerlink" not in page


def test_without_a_browser_the_message_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    monkeypatch.setattr(browser, "_PLACES", ())
    monkeypatch.delenv("COURSE_BROWSER", raising=False)
    with pytest.raises(CourseError, match="apt install chromium"):
        browser.find_browser()
    monkeypatch.setenv("COURSE_BROWSER", "nowhere")
    with pytest.raises(CourseError, match="COURSE_BROWSER names 'nowhere'"):
        browser.find_browser()

"""Published pages: lighter than Sphinx's, fixed for readers who do not see or use a mouse, and otherwise the same."""

import pytest
from matplotlib import pyplot
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Token
from selectolax.lexbor import LexborHTMLParser

from course_tools.publishing import html

PAGE = """<!DOCTYPE html><html lang="en" data-theme="auto"><head>
<script>document.documentElement.dataset.mode = localStorage.getItem("mode")</script>
<link rel="stylesheet" href="../_static/a.css"><link rel="stylesheet" href="../_static/b.css">
<script src="../_static/scripts/fontawesome.js"></script><script src="../_static/one.js"></script>
<script src="../_static/documentation_options.js"></script><script src="../_static/searchtools.js"></script>
</head><body><div id="pst-primary-sidebar">Book</div><article><h1>Title</h1>
<img src="../_images/early.png" alt="early"><h2>Part</h2><img src="../_images/late.png" alt="late">
<div class="solution dropdown admonition" id="one"><p class="admonition-title">Solution to <a href="#e">E</a></p>
<p>It is <b>2</b>.</p><div class="dropdown admonition"><p class="admonition-title">More</p><p>Why</p></div></div>
<button aria-label="Search">Search <kbd>K</kbd></button>
<button aria-label="Close"><i class="fa-solid fa-x"></i></button>
<table><tr> <th></th> <th class="head"><p></p></th> <th>number</th> </tr></table>
<div class="highlight"><pre><span class="n">x</span> <span class="o">=</span> <span class="mi">1</span></pre></div>
</article><script src="../_static/two.js"></script>
<script type="module" src="../_static/own.js"></script></body></html>"""


@pytest.fixture
def site(tmp_path):
    for folder in ("_static", "_images", "book"):
        (tmp_path / folder).mkdir()
    for name in ("early", "late"):
        pyplot.imsave(tmp_path / "_images" / f"{name}.png", [[0, 1], [1, 0], [0, 0]])
    files = {
        "a.css": ".idle{top:0}article{top:0}",
        "b.css": "h1{top:0}@font-face{src:url(late.woff2)}@font-face{src:url(text.woff2);font-display:optional}",
        "one.js": '"use strict"; const one = 1',
        "two.js": "two = one\n//# sourceMappingURL=two.js.map",
        "own.js": "const one = 2",
        "documentation_options.js": "const OPTIONS = {}",
        "searchtools.js": "",
    }
    for name, text in files.items():
        (tmp_path / "_static" / name).write_text(text)
    (tmp_path / "book" / "page.html").write_text(PAGE)
    (tmp_path / "search.html").write_text(PAGE.replace("../", ""))
    html.finish(tmp_path)
    return tmp_path


@pytest.fixture
def page(site):
    return LexborHTMLParser((site / "book" / "page.html").read_text())


def test_one_stylesheet_and_one_script_that_files_of_all_depths_find(site, page):
    for depth, document in (("../", page), ("", LexborHTMLParser((site / "search.html").read_text()))):
        (sheet,) = document.css("link[rel=stylesheet]")
        assert sheet.attrs["href"].startswith(f"{depth}_static/site.css?v=")
        assert document.css("script[src]")[0].attrs["src"].startswith(f"{depth}_static/site.js?v=")
        assert all("defer" in script.attrs for script in document.css("script[src]:not([type=module])"))
        assert document.css_first("script[type=module]").attrs["src"] == f"{depth}_static/own.js"
    assert (site / "_static" / "site.css").read_text().startswith("article{top:0}h1{top:0}")


def test_a_font_that_is_used_only_if_it_comes_early_is_announced(page):
    (link,) = page.css("head link[rel=preload]")
    assert (link.attrs["href"], link.attrs["as"]) == ("../_static/text.woff2", "font") and "crossorigin" in link.attrs


def test_scripts_keep_their_order_and_none_makes_the_others_strict(site):
    text = (site / "_static" / "site.js").read_text()
    assert text.index("const one") < text.index("two = one") and text.startswith(";")
    assert "sourceMappingURL" not in text
    assert "const one = 2" not in text, "a module's names are its own"


def test_idle_scripts_are_gone_and_only_the_search_page_searches(site, page):
    assert "fontawesome" not in page.html and "searchtools" not in page.html
    assert "searchtools.js" in (site / "search.html").read_text()
    assert "const OPTIONS = {}" in page.html, "scripts in the page read it at once"


def test_boxes_fold_without_a_script(page):
    outer, inner = page.css("article details.fold.admonition")
    assert (
        outer.css_first("summary.admonition-title").html == '<summary class="admonition-title">Solution to E</summary>'
    )
    assert outer.attrs["id"] == "one" and "It is <b>2</b>" in outer.html and not page.css(".dropdown")
    assert inner.css_first("summary").text() == "More" and inner.parent.attrs["id"] == "one"


def test_without_scripts_the_theme_has_its_colours(page):
    assert "data-theme" not in page.css_first("html").attrs


def test_pictures_have_their_room_and_late_ones_wait(page):
    early, late = page.css("img")
    assert (early.attrs["width"], early.attrs["height"]) == (late.attrs["width"], late.attrs["height"]) == ("2", "3")
    assert "loading" not in early.attrs and late.attrs["loading"] == "lazy"


def test_names_are_what_a_reader_sees(page):
    search, close = page.css("button")
    assert "aria-label" not in search.attrs and close.attrs["aria-label"] == "Close"
    assert page.css_first("i").attrs["aria-hidden"] == "true"
    assert page.css_first("#pst-primary-sidebar").attrs["role"] == "complementary"


def test_an_empty_header_is_a_cell_and_others_stay(page):
    assert [cell.tag for cell in page.css("tr > *")] == ["td", "td", "th"]
    assert page.css_first("td.head") is not None


def test_code_reads_as_before_with_fewer_marks(page):
    code = page.css_first("pre")
    assert code.text() == "x = 1" and [mark.attrs["class"] for mark in code.css("span")] == ["mi"]


@pytest.mark.parametrize("name", ["a11y-light", "a11y-high-contrast-light", "a11y-dark", "a11y-high-contrast-dark"])
def test_plain_marks_have_the_colour_of_plain_code(name):
    style = get_style_by_name(name)
    plain = {style.style_for_token(Token)["color"] or style.style_for_token(Token.Text)["color"]}
    for token, short in STANDARD_TYPES.items():
        if short in html.PLAIN_CODE and short != "o":  # operators are made plain
            assert style.style_for_token(token)["color"] in plain | {None}, short

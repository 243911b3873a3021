"""Every live figure: it starts on the site and in a notebook, fits a phone, asks no other host, and has a picture."""

import io
import re

import numpy as np
import pytest
from live_pages import live_page, problems_of_axe
from PIL import Image

from course_lib.errors import CourseError
from course_lib.live.figure import FOLDER, STILLS, still
from course_lib.live.files import FILES, read_file
from course_tools.publishing.stills import WIDTHS, figures, take_still

FIGURES = figures()
MOST_BYTES = 1_300_000


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, name, scheme):
    page = live_page(browser, FIGURES[name], scheme=scheme)
    assert problems_of_axe(page) == []
    assert page.problems == []
    page.context.close()


@pytest.mark.parametrize("name", FIGURES)
def test_it_fits_a_phone_and_its_targets_are_large_enough(browser, name):
    page = live_page(browser, FIGURES[name], width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for target in page.locator(
        "[data-live] button:visible, [data-live] select:visible, [data-live] label:visible"
    ).all():
        assert target.bounding_box()["height"] >= 24, target.evaluate("target => target.outerHTML")
    assert not re.search(r"\b(NaN|Infinity|undefined|null)\b", page.locator(".live").inner_text())
    page.context.close()


@pytest.mark.parametrize("name", FIGURES)
def test_what_it_loads_is_small_and_here(name):
    figure = FIGURES[name]
    assert sum(len(read_file(file)) for file in figure.files) <= MOST_BYTES
    for module in figure.needed_modules():
        assert not re.search(r"https?://(?!www\.w3\.org)", (FOLDER / f"{module}.js").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("suffix", WIDTHS)
def test_its_picture_shows_what_it_looks_like_today(browser, name, suffix):
    kept = Image.open(io.BytesIO(still(name, bool(suffix)))).convert("L")
    today = Image.open(io.BytesIO(take_still(browser, FIGURES[name], WIDTHS[suffix]))).convert("L")
    assert abs(today.height / kept.height - 1) < 0.02, f"`course live {name}` takes a new picture"
    size = (kept.width // 8, kept.height // 8)  # another version of the browser smooths letters in another way
    difference = np.abs(np.asarray(today.resize(size), int) - np.asarray(kept.resize(size), int))
    assert difference.mean() < 4, f"`course live {name}` takes a new picture"


def test_nothing_is_left_over():
    """Each module, picture and file belongs to some figure."""
    modules = {module for figure in FIGURES.values() for module in figure.needed_modules()}
    assert {file.stem for file in FOLDER.glob("*.js")} == modules | {"start"}
    assert {file.stem.removesuffix("-narrow") for file in STILLS.glob("*.png")} == set(FIGURES)
    assert set(FILES) == {file for figure in FIGURES.values() for file in figure.files}


def test_an_unknown_file_is_refused_with_the_names_of_all():
    with pytest.raises(CourseError, match=r"perceptron\.safetensors"):
        read_file("nonsense")


@pytest.fixture(scope="module")
def places(pages):
    """Each page of the site with live figures, and their names."""
    found = {
        path.as_posix().removesuffix(".html"): [place["data-figure"] for place in page.select("[data-figure]")]
        for path, page in pages.items()
    }
    return {path: names for path, names in found.items() if names}


def test_every_figure_stands_on_some_page_and_on_the_front_page_one(places):
    assert {name for names in places.values() for name in names} == set(FIGURES)
    assert places["book/index"] == ["drag-a-digit"]


def test_on_the_site_each_starts_when_the_reader_comes_near(visit, places):
    for path in places:
        page = visit(path, width=390)
        for place in page.locator("[data-figure]").all():
            place.scroll_into_view_if_needed()
            page.wait_for_function("place => place.dataset.live === 'on'", arg=place.element_handle())
            assert place.locator(".live").is_visible()
            assert not place.locator("img").is_visible()
        assert page.problems == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_figure_far_below_loads_nothing(visit):
    page = visit("notebooks/01-mlp")
    assert page.locator("[data-live=waits]").count() > 0
    loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert not [address for address in loaded if address.endswith(".safetensors")]


def test_without_javascript_its_picture_and_its_sentence_are_there(visit, places):
    page = visit("notebooks/02-lenet", width=390, javascript=False)
    place = page.locator("figure.live-figure").first
    place.scroll_into_view_if_needed()
    assert place.locator("img").is_visible() and place.locator("figcaption").is_visible()
    assert len(place.locator("img").get_attribute("alt")) > 40


def test_where_its_files_cannot_be_had_the_picture_stays_and_a_line_says_why(browser, address):
    page = browser.new_page()
    page.route("**/*.safetensors", lambda route: route.fulfill(status=404))
    page.goto(f"{address}book/index.html")
    place = page.locator("[data-figure=drag-a-digit]")
    place.scroll_into_view_if_needed()
    page.get_by_text("could not start").wait_for()
    assert place.locator("img").is_visible()
    page.close()


def test_in_the_dark_no_white_paper_is_around_a_figure(visit):
    page = visit("notebooks/02-lenet", scheme="dark")
    place = page.locator("figure.live-figure").first
    colours = place.evaluate(
        """figure => { const seen = []; for (let node = figure; node !== document.body; node = node.parentElement)
            seen.push(getComputedStyle(node).backgroundColor); return seen }"""
    )
    assert set(colours) <= {"rgba(0, 0, 0, 0)", page.evaluate("getComputedStyle(document.body).backgroundColor")}


def test_changing_the_mode_changes_the_figure_at_once(visit):
    page = visit("book/index", scheme="light")
    place = page.locator("[data-figure]").first
    place.scroll_into_view_if_needed()
    frame = place.locator(".live")
    assert frame.get_attribute("data-theme") == "light"
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function("frame => frame.dataset.theme === 'dark'", arg=frame.element_handle())

"""What a reader does on the published site, in a real browser: on a phone, in the dark, without JavaScript."""

import re

import pytest
from book_pages import BOOK, CHAPTERS, PAGES, UNFOLD


@pytest.mark.parametrize("name", PAGES)
def test_page_loads_whole_from_its_own_host_and_fits_a_phone(visit, name):
    page = visit(name, width=390)
    assert page.problems == []
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", CHAPTERS)
def test_without_javascript_text_math_and_figures_are_whole(visit, name):
    page = visit(name, width=390, javascript=False)
    assert page.problems == []
    figures = page.locator("article .cell_output img")
    assert figures.count() > 0
    assert page.evaluate("[...document.querySelectorAll('article img')].every(image => image.naturalWidth > 0)")
    assert page.locator("article details.solution").count() > 0
    for fold in page.locator("article details").all():
        fold.locator("summary").first.click()
        assert fold.locator(":scope > *").last.is_visible()
    assert "\\(" not in page.locator("article").inner_text(), "formulas are TeX"


def test_next_and_previous_lead_through_the_whole_book(visit):
    page = visit(BOOK[0])
    seen = []
    while True:
        seen.append(re.search(r"((?:book|notebooks)/[\w-]+)\.html", page.url)[1])
        after = page.locator("a.right-next")
        if not after.count():
            break
        after.click()
        page.wait_for_load_state("domcontentloaded")
    assert seen == BOOK
    page.locator("a.left-prev").click()
    page.wait_for_url(f"**/{seen[-2]}.html")


def test_the_sidebar_opens_on_a_phone_and_leads_to_a_chapter(visit):
    page = visit("book/index", width=390)
    link = page.locator(".bd-sidebar-primary a[href*='02-lenet']")
    assert not link.is_visible()
    page.locator("button.primary-toggle").click()
    link.click()
    page.wait_for_url("**/notebooks/02-lenet.html")
    assert page.locator("article h1").inner_text().startswith("2. LeNet-5")


def test_search_by_keyboard_finds_the_chapter(visit):
    page = visit("book/index")
    page.keyboard.press("Control+k")
    page.keyboard.type("receptive field")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=receptive**")
    hit = page.locator("#search-results a[href*='02-lenet']").first
    hit.wait_for()
    assert page.problems == []
    hit.click()
    page.wait_for_url("**/notebooks/02-lenet.html**")


def brightness(page):
    """Of the page behind its text, 0 to 255."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_a_first_visit_is_as_dark_as_the_system(visit, scheme, dark):
    assert (brightness(visit("book/index", scheme=scheme)) < 128) == dark


def test_a_chosen_mode_stays_on_the_next_page_and_figures_stay_white(visit):
    page = visit("book/index")
    for _ in range(3):
        if page.evaluate("document.documentElement.dataset.mode") == "dark":
            break
        page.locator("button.theme-switch-button:visible").first.click()
    assert brightness(page) < 128
    page.goto(page.url.replace("book/index", CHAPTERS[0]))
    assert brightness(page) < 128
    figure = page.locator("article .cell_output img").first
    assert figure.evaluate("image => getComputedStyle(image).backgroundColor") == "rgb(255, 255, 255)"
    assert figure.evaluate("image => getComputedStyle(image).filter") == "none"


@pytest.mark.parametrize("fold", ["details.solution", "details.hide"])
def test_a_fold_opens_by_click_and_by_keyboard(visit, fold):
    page = visit(CHAPTERS[0])
    box = page.locator(f"article {fold}").first
    content, handle = box.locator(":scope > :not(summary)").first, box.locator("summary").first
    assert not content.is_visible()
    handle.click()
    content.wait_for(state="visible")
    handle.focus()
    page.keyboard.press("Enter")
    content.wait_for(state="hidden")


def test_a_word_of_the_glossary_opens_its_definition_for_pointer_and_keyboard(visit):
    page = visit(CHAPTERS[1])
    word, box = page.locator("article a[href*='glossary.html#term-']").first, page.locator("#course-definition")
    word.hover()
    box.wait_for()
    assert box.inner_text() == word.get_attribute("data-definition")
    page.keyboard.press("Escape")
    box.wait_for(state="hidden")
    word.focus()
    box.wait_for()
    assert word.get_attribute("aria-describedby") == "course-definition"
    word.blur()
    box.wait_for(state="hidden")


def test_an_address_that_is_not_there_gets_a_page_that_leads_back(visit, address):
    page = visit("book/index")
    page.goto(f"{address}notebooks/99-nothing.html")
    assert "not here" in page.locator("article h1").inner_text()
    assert page.evaluate("getComputedStyle(document.querySelector('article')).display") == "block"
    page.locator("article a[href$='book/index.html']").click()
    page.wait_for_url("**/book/index.html")

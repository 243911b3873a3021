"""Guesses and quizzes in a real browser, on a small page that is staged as a chapter is."""

import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from nbformat.v4 import new_markdown_cell

from course_tools.publishing import boxes

STATIC = Path(__file__).parents[2] / "book" / "_static"

CHAPTER = """\
# A chapter

> **Your guess.** How many? <!-- guess: share, 0 to 100 % -->

> **Your guess.** What happens?
>
> - It falls.
> - It stays. <!-- answer: order -->

<details><summary>What we found</summary>

It reads 98.50 % <!-- claim: share --> of them.

</details>

**Question 1.** Which is it?

1. The first.
2. The second.

<details><summary>Answer</summary>

1. Goal 2 refutes that.
2. **Right.** It is.

</details>

**Question 2.** And now?

1. This.
2. That.

<details><summary>Answer</summary>

1. **Right.** This.
2. Goal 3 refutes that.

</details>
"""
PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>T</title><link rel="icon" href="data:,">'
    '<link rel="stylesheet" href="../_static/boxes.css"></head><body><main class="bd-content">{}</main></body></html>'
)
NO_STORAGE = (
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of a server with one chapter and the page of guesses."""
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(STATIC, root / "_static")
    markdown = MarkdownIt("commonmark", {"html": True})
    cells = [new_markdown_cell(CHAPTER)]
    guesses = boxes.translate(cells, "01-x", "https://example.org/issues/new", "abc")
    own = boxes.list_guesses('# Own\n\n<div id="own-guesses"></div>\n\n<!-- guesses -->\n', guesses, {"01-x": "1 · X"})
    for place, text in (("notebooks/01-x", "\n\n".join(cell.source for cell in cells)), ("book/guesses", own)):
        file = root / f"{place}.html"
        file.parent.mkdir()
        file.write_text(PAGE.format(markdown.render(text)), encoding="utf-8")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=root))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(browser, site):
    """Open a page of the site. Afterwards: no error in any console, no request to another host, none that failed."""
    problems, contexts = [], []

    def watch(page):
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.on(
            "request", lambda request: request.url.startswith((site, "blob:", "data:")) or problems.append(request.url)
        )
        page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))

    def open_page(place="notebooks/01-x", script="", **options):
        context = browser.new_context(**options)
        context.set_default_timeout(5000)
        contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        watch(page)
        page.goto(f"{site}/{place}.html")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems


def guess_share(page, number):
    page.locator("#guess-share input").fill(str(number))
    page.locator("#guess-share button").click()


def guess_order(page, choice, sure=""):
    page.get_by_label(choice).check()
    page.get_by_label("How sure are you?").select_option(sure)
    page.locator("#guess-order button").click()


def open_finding(page):
    page.locator("summary", has_text="What we found").click()
    page.locator(".beside p").first.wait_for()  # the browser reports the opening a moment later
    return page.locator(".beside").inner_text().replace("\u00a0", " ")


def test_guess_stands_beside_the_recorded_value_when_the_finding_is_opened(visit):
    page = visit()
    guess_share(page, 60)
    guess_order(page, "It falls.", "70")
    assert "98.50" not in page.locator("body").inner_text(), "nothing gives the answer away"
    beside = open_finding(page)
    assert "You guessed 60 %; recorded: 98.50 %. You were off by 38.5 points." in beside
    assert "You guessed, 70 % sure: It falls. Recorded: It stays." in beside


def test_guess_outlives_the_page_and_is_final_once_the_finding_was_open(visit):
    page = visit()
    guess_share(page, 60)
    page.reload()
    assert page.locator("#guess-share input").input_value() == "60"
    guess_share(page, 70)
    assert "70 %" in open_finding(page)
    page.reload()
    assert page.locator("#guess-share input").is_disabled() and "70 %" in open_finding(page)


def test_number_outside_of_the_range_is_not_taken(visit):
    page = visit()
    guess_share(page, 101)
    assert page.locator("#guess-share [role=status]").inner_text() == ""


def test_finding_opens_without_a_guess(visit):
    said = open_finding(visit())
    assert said.count("You opened this without a guess.") == 2 and "How many?" in said and "What happens?" in said


def test_where_storage_is_forbidden_a_word_says_so_and_all_works(visit):
    page = visit(script=NO_STORAGE)
    guess_share(page, 98.5)
    assert "until you leave" in page.locator("#guess-share [role=status]").inner_text()
    assert "Exactly right." in open_finding(page)
    page.locator(".quiz input").first.check()
    page.locator(".quiz button").first.click()
    assert "0 of 1 right" in page.locator(".quiz-score").inner_text()


def test_without_javascript_question_choices_and_folded_answers_are_there(visit):
    page = visit(java_script_enabled=False)
    assert page.locator(".guess li").all_inner_texts() == ["It falls.", "It stays."]
    assert page.locator(".quiz ol").first.locator("li").all_inner_texts() == ["The first.", "The second."]
    assert not [control for control in page.locator("input, select, button").all() if control.is_visible()]
    reads, right = page.get_by_text("It reads 98.50 %"), page.get_by_text("Right. It is.")
    assert not reads.is_visible() and not right.is_visible()
    page.locator("summary", has_text="What we found").click()
    page.locator("summary", has_text="Answer").first.click()
    assert reads.is_visible() and right.is_visible()


def test_quiz_by_keyboard_says_what_is_wrong_with_a_choice_and_counts_the_first_try(visit):
    page = visit()
    page.locator(".quiz input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    answers = page.locator(".quiz .answer")
    assert answers.first.inner_text() == "Not this one. Goal 2 refutes that."
    page.keyboard.press("ArrowDown")
    assert answers.first.inner_text() == "", "another choice takes the old answer away"
    page.keyboard.press("Enter")
    assert answers.first.inner_text() == "Right. It is."
    for key in ("Tab", "Tab", "Space", "Enter"):  # past the button to the next question
        page.keyboard.press(key)
    assert answers.last.inner_text() == "Right. This."
    score = "1 of 2 right at the first try, of 2 questions."
    assert page.locator(".quiz-score").inner_text() == score
    page.reload()
    assert page.locator(".quiz-score").inner_text() == score
    page.get_by_role("button", name="Start again").click()
    assert page.locator(".quiz-score").inner_text() == "" and answers.first.inner_text() == ""


def test_page_of_guesses_adds_up_exports_and_deletes(visit):
    page = visit()
    guess_share(page, 95)
    guess_order(page, "It falls.", "70")
    page.goto(page.url.replace("notebooks/01-x", "book/guesses"))
    assert page.get_by_text("You have guessed, and not opened the finding yet.").count() == 2
    page.go_back()
    open_finding(page)
    page.goto(page.url.replace("notebooks/01-x", "book/guesses"))
    text = page.locator("main").inner_text().replace("\u00a0", " ")
    for words in (
        "Numbers: 1 of 1 within a tenth",
        "Choices: 0 of 1 right",
        "70 %\t0 of 1",
        "You guessed 95 %; recorded",
    ):
        assert words in text

    with page.expect_download() as download:
        page.get_by_role("button", name="Save as JSON").click()
    rows = json.loads(Path(download.value.path()).read_text())
    assert [(row["guess"], row["guessed"], row["near"]) for row in rows] == [
        ("01-x/share", 95, True),
        ("01-x/order", "It falls.", False),
    ]
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    assert Path(download.value.path()).read_text().count("\n") == 2

    page.once("dialog", lambda dialog: dialog.accept())
    with page.expect_navigation():
        page.get_by_role("button", name="Delete all").click()
    assert page.get_by_text("Not guessed yet.").count() == 2
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("place", ["notebooks/01-x", "book/guesses"])
def test_nothing_is_wider_than_a_phone(visit, place):
    page = visit(place, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_script_is_small():
    for file in STATIC.glob("*.js"):
        if file.name in ("keep.js", "guess.js", "guesses.js", "quiz.js"):
            assert file.stat().st_size <= 6000, file.name

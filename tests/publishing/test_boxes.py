"""Findings, guesses, quizzes: what staging makes of each habit, and what it refuses."""

import html
import json
import re
from urllib.parse import parse_qs, urlparse

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from course_lib.errors import CourseError
from course_tools.publishing import boxes, literals
from course_tools.publishing.questions import without_wrong_choices

ISSUES = "https://github.com/o/n/issues/new"
GUESS = "> **Your guess.** How many? <!-- guess: read-share, 0 to 100 % -->\n"
FOUND = "<details><summary>What we found</summary>\n\nIt reads 98.5 ± 0.2 % <!-- claim: read-share -->.\n\n</details>\n"
CHOICE = "> **Your guess.** What happens?\n>\n> - It falls\n>   to 50 %.\n> - It stays. <!-- answer: order -->\n"
QUESTION = (
    "**Question 1.** Which?\n\n1. One, 50 %.\n2. Two,\n   in 4 min.\n\n<details><summary>Answer</summary>\n\n"
    "1. No, see goal 2.\n2. **Right.** It is.\n\n</details>\n"
)


def staged(*texts):
    """The cells after staging, as one text, and the guesses."""
    cells = [new_markdown_cell(text) if text else new_code_cell("run()") for text in texts]
    guesses = boxes.translate(cells, "01-x", ISSUES, "abc123")
    return "\n".join(cell.source for cell in cells), guesses


def data_of(page):
    return [json.loads(html.unescape(data)) for data in re.findall(r'data-guess="([^"]*)"', page)]


def test_quote_with_a_title_is_a_box_and_a_plain_quote_stays():
    page, _ = staged("Before.\n\n> **Mind this.** First\n> second.\n>\n> - third\n\nAfter.\n\n> A plain quote.")
    assert page == "Before.\n\n:::{admonition} Mind this\nFirst\nsecond.\n\n- third\n:::\n\nAfter.\n\n> A plain quote."


@pytest.mark.parametrize(("title", "kind"), [("Your turn", "your-turn"), ("Reference card", "reference-card")])
def test_boxes_with_classes_of_their_own(title, kind):
    assert staged(f"> **{title}.** Text\n")[0] == f":::{{admonition}} {title}\n:class: {kind}\nText\n:::\n"


def test_finding_without_a_guess_is_open_and_names_its_claims():
    page, guesses = staged("> **What we found.** It is 5.0 % <!-- claim: A.8 -->. It wins. <!-- claim: it-wins -->\n")
    assert '<div class="admonition finding" data-claims="A.8 it-wins">' in page and "<details" not in page
    assert not guesses and "<script" not in page


def test_report_link_names_chapter_claim_value_and_commit():
    page, _ = staged(FOUND)
    address = urlparse(html.unescape(re.search(r'href="([^"]*)"', page)[1]))
    fields = parse_qs(address.query)
    assert address._replace(query="").geturl() == ISSUES and fields["title"] == ["01-x: read-share"]
    for word in ("01-x", "read-share: 98.5 ± 0.2 %", "abc123"):
        assert word in fields["body"][0]


def test_guess_takes_its_answer_from_the_claim_in_the_next_finding():
    page, (guess,) = staged("Text.\n\n" + GUESS, "", "Then.\n\n" + FOUND, FOUND)
    assert data_of(page) == [
        {"key": "01-x/read-share", "value": 98.5, "recorded": "98.5 ± 0.2 %", "low": 0, "high": 100, "unit": "%"}
    ]
    assert page.count('data-answers="guess-read-share"') == 1, "the first finding answers it, and no other"
    assert guess.anchor in page and "\n\nHow many?\n\n" in page and "<!-- guess" not in page
    assert page.count('src="../_static/guess.js"') == 1


def test_finding_in_a_quote_is_folded_where_a_guess_stands_before_it():
    page, _ = staged(GUESS, "> **What we found.** It reads 98.5 % <!-- claim: read-share -->.\n")
    assert '<details class="admonition finding"' in page


def test_choice_keeps_its_list_and_hides_which_is_right():
    page, _ = staged(CHOICE, FOUND)
    choices = re.findall(r"(?m)^- <label><input [^>]*><span>(.*)</span></label>$", page)
    assert choices == ["It falls to 50 %.", "It stays."]
    assert data_of(page) == [{"key": "01-x/order", "value": 1, "recorded": ""}]


def test_several_guesses_may_wait_for_one_finding():
    page, guesses = staged(GUESS, CHOICE, FOUND)
    assert 'data-answers="guess-read-share guess-order"' in page and len(guesses) == 2


def test_forms_wait_for_their_script_and_ask_for_what_the_guess_allows():
    number = GUESS.replace("0 to 100 %", "−2.5 to 61,706 biases")
    page, _ = staged(number, CHOICE, FOUND.replace("%", "biases"), QUESTION)
    assert page.count("<form") == page.count("disabled>") == 3
    assert 'min="-2.5" max="61706"' in page and ">From −2.5 to 61,706\u00a0biases<" in page


def test_quiz_question_is_whole_and_its_key_changes_with_its_text():
    page, _ = staged("## Quiz\n\n" + QUESTION)
    folded = QUESTION[QUESTION.index("<details>") :].strip()
    for part in ("\n\n**Question 1.** Which?\n\n", "<span>Two, in 4 min.</span>", f"\n\n{folded}\n\n"):
        assert part in page
    assert page.count('src="../_static/quiz.js"') == 1
    key = re.compile(r'data-quiz="01-x" data-question="([0-9a-f]{8})"')
    assert key.search(page)[1] != key.search(staged(QUESTION.replace("Which?", "What?"))[0])[1]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ((GUESS,), "no finding follows the guess 'read-share'"),
        ((GUESS, FOUND.replace("read-share", "another")), "does not state it"),
        ((GUESS.replace("%", "s"), FOUND), "asks for 's', and its finding states '%'"),
        ((GUESS.replace("100", "90"), FOUND), "widen its range"),
        ((GUESS, GUESS, FOUND), "two guesses are called 'read-share'"),
        (("> **Your guess.** How many?\n", FOUND), "has no answer"),
        ((CHOICE.replace(" <!-- answer: order -->", ""), FOUND), "has no answer"),
        ((CHOICE.replace("50 %.", "50 %. <!-- answer: other -->"), FOUND), "has no answer"),
        ((QUESTION.replace("One, 50 %", "$1 + 1$"),), "write it as plain text"),
        ((CHOICE.replace("It stays", "$x$ stays"), FOUND), "write it as plain text"),
        ((QUESTION.replace("1. No, see goal 2.\n", ""),), "2 choices and 1 answers"),
        ((QUESTION.replace("**Right.** ", ""),), "one answer for each choice"),
        ((QUESTION.replace("No, see", "**Right.** See"),), "one answer for each choice"),
    ],
)
def test_refuses_what_has_no_clear_answer_and_names_the_chapter(texts, message):
    with pytest.raises(CourseError, match=f"^01-x: .*{re.escape(message)}"):
        staged(*texts)


def test_list_of_guesses_links_each_question_to_its_place():
    _, guesses = staged(GUESS, FOUND)
    page = boxes.list_guesses("# T\n\n<!-- guesses -->\n", guesses, {"01-x": "1 · X"})
    assert '<a href="../notebooks/01-x.html#guess-read-share">How many?</a>' in page and "**1 · X**" in page
    assert boxes.list_guesses("# Other\n", guesses, {}) == "# Other\n"


def test_wrong_choices_and_ranges_need_no_claim_and_all_else_does():
    text = f"It is 7 %.\n\n{GUESS}\n{CHOICE}\n{QUESTION}"
    missing = literals.uncovered(without_wrong_choices(text))
    assert [one.split("'")[1] for one in missing] == ["7 %", "4 min"], "a right choice states its number"
    assert len(without_wrong_choices(text)) == len(text)

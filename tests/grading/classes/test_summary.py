"""The pages for whoever grades: what they show, that they run nothing, and that nothing a student wrote is markup."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from small_class import ENTRY, PARTS, TEXTS, refused, row

from course_tools.grading.classes import reading, summary
from course_tools.grading.classes.judging import Marks

EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)>" style="x\' &amp; </td></table>'


def page(tmp_path, rows, remarks=()):
    summary.write(tmp_path / "summary.html", rows, remarks)
    return BeautifulSoup((tmp_path / "summary.html").read_text(encoding="utf-8"), "html.parser")


def read(tmp_path, rows):
    reading.write(tmp_path / "to-read.html", rows)
    return BeautifulSoup((tmp_path / "to-read.html").read_text(encoding="utf-8"), "html.parser")


def cells(soup, caption):
    found = next(one for one in soup.find_all("table") if one.caption.text == caption)
    return [[cell.text for cell in line.find_all("td")] for line in found.tbody.find_all("tr")]


CLASS = [
    row(wrong={"output_size": "Too small."}),
    row(id="s2", stem="s2", wrong={"output_size": "Too small."}, points={"WHY_STUCK": 4, "WHAT_DATA_BUYS": 3.5}),
    row(id="s3", stem="s3", late=True),
    refused(id="s4", stem="s4"),
    replace(refused(), entry=replace(ENTRY, stem="s5", id="s5"), marks=Marks(refusal="refused: no text")),
]


def test_tasks_have_their_averages_over_what_was_run(tmp_path):
    lines = cells(page(tmp_path, CLASS), "Points by task")
    assert lines[0] == ["1 · Sizes and receptive fields", "12", "3", "8.7", "7"]
    assert lines[7] == ["8 · In your own words", "8", "1", "7.5", "7.5"]
    assert lines[8][0] == "Total of what is known" and len(lines) == 9


def test_spreads_are_drawn_and_said_in_words(tmp_path):
    soup = page(tmp_path, CLASS)
    said = [picture["aria-label"] for picture in soup.find_all("svg", role="img")]
    assert "Task 1. Points, and how many got them: 7: 2, 12: 1." in said
    assert "output_size: 1 of 3" in said
    assert all(not picture.find_all(string=re.compile("nan|None")) for picture in soup.find_all("svg"))


def test_parts_have_their_share_and_the_most_frequent_hints(tmp_path):
    hints = ["a", "a", "b", "c", "d", "d", "d"]
    lines = cells(
        page(tmp_path, [row(wrong={"output_size": hint}) for hint in hints]), "Parts, and how many got them right"
    )
    assert lines[0][:3] == ["1", "output_size", "0 of 7"]
    assert lines[0][4] == "d (3)a (2)b (1)"
    assert len(lines) == len(PARTS)


def test_every_row_is_listed_with_its_status_and_letter(tmp_path):
    soup = page(tmp_path, CLASS, ["No folders, so not graded: a.zip."])
    lines = {line[0]: line[1:] for line in cells(soup, "One row a submission")}
    assert lines["s3"][1] == "late" and lines["s4"][1] == "no answers.py" and lines["s2"][-2] == "94.5 of 100"
    assert soup.find("a", href="feedback/s2.md").text == "s2"
    assert soup.find("li", string="No folders, so not graded: a.zip.")


def test_a_class_in_which_nothing_could_be_run(tmp_path):
    soup = page(tmp_path, [refused()])
    assert cells(soup, "Points by task")[0][2:] == ["0", "", ""]
    assert cells(soup, "Parts, and how many got them right")[0][2] == "0 of 0"


@pytest.mark.parametrize("of", [page, read])
def test_a_page_stands_alone_and_runs_nothing(tmp_path, of):
    soup = of(tmp_path, CLASS)
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    digest = base64.b64encode(hashlib.sha256(soup.style.string.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not soup.find_all(["script", "link", "img", "iframe", "object"]) and not soup.find_all(style=True)
    assert all(re.fullmatch(r"feedback/[\w.-]+\.md|history\.csv", link["href"]) for link in soup.find_all("a"))
    assert "prefers-color-scheme: dark" in soup.style.string
    assert soup.find("meta", {"name": "viewport"})["content"] == "width=device-width, initial-scale=1"
    assert soup.html["lang"] == "en"


@pytest.mark.parametrize("of", [page, read])
def test_nothing_that_a_student_wrote_is_markup(tmp_path, of):
    plain = of(tmp_path, [row(wrong={"output_size": "x", "WHY_STUCK": "x"})])
    evil = row(
        wrong={"output_size": EVIL, "WHY_STUCK": EVIL},
        texts=TEXTS | {"WHY_STUCK": EVIL},
        id=EVIL,
        name=EVIL,
        code=EVIL,
        handed_in=EVIL,
    )
    soup = of(tmp_path, [replace(evil, entry=replace(evil.entry, also=(EVIL,)))])
    assert [tag.name for tag in soup.find_all(True)] == [tag.name for tag in plain.find_all(True)]
    assert {*_attributes(soup)} <= {*_attributes(plain)}
    assert "<script>alert(1)</script>" in soup.text


def _attributes(soup):
    return [name for tag in soup.find_all(True) for name in tag.attrs]


# The answers in words


def test_answers_are_by_code_and_name_nobody(tmp_path):
    rows = [row(id="Ann A.", name="folder-of-ann", code="ffff", student="Ann A."), row(id="s2", code="aaaa")]
    soup = read(tmp_path, rows)
    assert [head.text for head in soup.find_all("h2")] == ["aaaa", "ffff", "The table"]
    assert "Ann" not in soup.text and "folder-of-ann" not in soup.text and "s2" not in soup.text
    assert soup.pre.text.splitlines() == ["code,WHY_STUCK,WHAT_DATA_BUYS", "aaaa,,", "ffff,,"]


def test_words_are_counted_and_lines_stay(tmp_path):
    soup = read(tmp_path, [row(texts={"WHY_STUCK": "one two\nthree"}, wrong={"WHY_STUCK": "WHY_STUCK has 3 words."})])
    assert soup.find("p", class_="quiet").text == "3 words · WHY_STUCK has 3 words."
    assert soup.find("div", class_="words").text == "one two\nthree"
    assert "white-space: pre-wrap" in soup.style.string


def test_who_wrote_nothing_is_not_to_be_read(tmp_path):
    assert [head.text for head in read(tmp_path, [row(texts={}), refused()]).find_all("h2")] == ["The table"]

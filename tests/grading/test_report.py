"""The pages for whoever grades: what they show, that they run nothing, and that nothing a student wrote is markup."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from small_class import ENTRY, PARTS, TEXTS, refused, row

from course_tools.grading import report
from course_tools.grading.judge import Marks

EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)>" style="x\' &amp; </td></table>'


def summary(tmp_path, rows, remarks=()):
    report.write_summary(tmp_path / "summary.html", rows, remarks)
    return BeautifulSoup((tmp_path / "summary.html").read_text(encoding="utf-8"), "html.parser")


def to_read(tmp_path, rows):
    report.write_answers(tmp_path / "to-read.html", rows)
    return BeautifulSoup((tmp_path / "to-read.html").read_text(encoding="utf-8"), "html.parser")


def cells(soup, caption):
    table = next(table for table in soup.find_all("table") if table.caption.text == caption)
    return [[cell.text for cell in line.find_all("td")] for line in table.tbody.find_all("tr")]


CLASS = [
    row(wrong={"output_size": "Too small."}),
    row(id="s2", stem="s2", wrong={"output_size": "Too small."}, points={"WHY_STUCK": 4, "WHAT_DATA_BUYS": 3.5}),
    row(id="s3", stem="s3", late=True),
    refused(id="s4", stem="s4"),
    replace(refused(), entry=replace(ENTRY, stem="s5", id="s5"), marks=Marks(refusal="refused: no text")),
]


def test_tasks_have_averages_and_spreads_over_what_was_run(tmp_path):
    soup = summary(tmp_path, CLASS)
    lines = cells(soup, "Points by task")
    assert lines[0] == ["1 · Sizes and receptive fields", "12", "3", "8.7", "7"]
    assert lines[7] == ["8 · In your own words", "8", "1", "7.5", "7.5"]
    assert lines[8][0] == "Total of what is known" and len(lines) == 9
    assert cells(soup, "Task 1") == [["7", " 2"], ["12", " 1"]]
    assert cells(soup, "Total") == [["77–87", " 1"], ["88–98", " 2"]]


def test_parts_have_their_share_and_the_most_frequent_hints(tmp_path):
    hints = ["a", "a", "b", "c", "d", "d", "d"]
    soup = summary(tmp_path, [row(wrong={"output_size": hint}) for hint in hints])
    lines = cells(soup, "Parts, and how many got them right")
    assert lines[0] == ["1", "output_size", "0 of 7", " 0", "d (3)a (2)b (1)"] and lines[1][2:4] == ["7 of 7", " 7"]
    assert len(lines) == len(PARTS)


def test_every_row_is_listed_with_its_status_and_feedback(tmp_path):
    soup = summary(tmp_path, CLASS, ["No folders, so not graded: a.zip."])
    lines = {line[0]: line[1:] for line in cells(soup, "One row a submission")}
    assert lines["s3"][1] == "late" and lines["s4"][1] == "no answers.py" and lines["s2"][-2] == "94.5 of 100"
    assert soup.find("a", href="feedback/s2.md").text == "s2"
    assert soup.find("li", string="No folders, so not graded: a.zip.")


def test_a_class_in_which_nothing_could_be_run(tmp_path):
    assert cells(summary(tmp_path, [refused()]), "Points by task")[0][2:] == ["0", "", ""]


@pytest.mark.parametrize("page", [summary, to_read])
def test_a_page_stands_alone_and_runs_nothing(tmp_path, page):
    soup = page(tmp_path, CLASS)
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    digest = base64.b64encode(hashlib.sha256(soup.style.string.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not soup.find_all(["script", "link", "img", "iframe", "object"]) and not soup.find_all(style=True)
    assert all(re.fullmatch(r"feedback/[\w.-]+\.md|history\.csv", link["href"]) for link in soup.find_all("a"))


@pytest.mark.parametrize("page", [summary, to_read])
def test_nothing_that_a_student_wrote_is_markup(tmp_path, page):
    plain = page(tmp_path, [row(wrong={"output_size": "x", "WHY_STUCK": "x"})])
    names = dict.fromkeys(("id", "name", "code", "handed_in"), EVIL)
    evil = row(wrong={"output_size": EVIL, "WHY_STUCK": EVIL}, texts=TEXTS | {"WHY_STUCK": EVIL}, also=(EVIL,), **names)
    soup = page(tmp_path, [evil])
    assert [tag.name for tag in soup.find_all(True)] == [tag.name for tag in plain.find_all(True)]
    assert {*_attributes(soup)} <= {*_attributes(plain)}
    assert "<script>alert(1)</script>" in soup.text


def _attributes(soup):
    return [name for tag in soup.find_all(True) for name in tag.attrs]


def test_answers_are_by_code_name_nobody_and_keep_their_lines(tmp_path):
    texts, wrong = {"WHY_STUCK": "one two\nthree"}, {"WHY_STUCK": "It has 3 words."}
    rows = [row(id="Ann A.", name="folder-of-ann", code="ffff", student="Ann A.", texts=texts, wrong=wrong)]
    soup = to_read(tmp_path, [*rows, row(id="s2", code="aaaa"), row(texts={}), refused()])
    assert [head.text for head in soup.find_all("h2")] == ["aaaa", "ffff", "The table"]
    assert "Ann" not in soup.text and "folder-of-ann" not in soup.text and "s2" not in soup.text
    assert soup.pre.text.splitlines() == ["code,WHY_STUCK,WHAT_DATA_BUYS", "aaaa,,", "ffff,,"]
    assert soup.find("p", string="3 words · It has 3 words.")
    assert to_read(tmp_path, [row(texts={"WHY_STUCK": "网络很深"})]).find("p", string="2–4 words")
    assert soup.find("div", class_="words", string="one two\nthree") and "white-space: pre-wrap" in soup.style.string

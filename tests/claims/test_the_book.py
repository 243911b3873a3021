"""The real book: its ledger, its pages, its prose; and on a copy of it, that no digit changes unnoticed."""

import re
import shutil
from pathlib import Path

import pytest

from course_lib.errors import CourseError
from course_tools import claims
from course_tools.claims import ledger, literals, prose
from course_tools.claims.ledger import Claim
from course_tools.publishing.project import Project

ROOT = Path(__file__).parents[2]
DOCUMENTS = {"A": 9, "B": 12, "C": 9, "D": 5, "E": 10}


@pytest.fixture(scope="module")
def read():
    return ledger.read(Project(ROOT))


@pytest.fixture
def copy(tmp_path):
    """The book in a place where it may be spoilt."""
    for folder, files in (("book", "*"), ("notebooks", "*.py"), ("notebooks", "*.ipynb"), ("results", "*.jsonl")):
        (tmp_path / folder).mkdir(exist_ok=True)
        for file in (ROOT / folder).glob(files):
            if file.is_file():
                shutil.copy(file, tmp_path / folder)
    for file in ("README.md", "_toc.yml"):
        shutil.copy(ROOT / file, tmp_path)
    return Project(tmp_path)


def test_the_large_networks_are_proven_by_a_gpu_or_not_at_all(read):
    measured = [fact for name in ("C.3", "C.4") for fact in read[name].facts if fact.proof in ("records", "order")]
    assert len(measured) >= 12
    assert {fact.query["profile"] for fact in measured} == {"full"}


def test_every_fact_is_on_the_scorecard_and_every_error_of_a_source_in_the_errata(read):
    scorecard, errata = ((ROOT / "book" / f"{name}.md").read_text() for name in ("scorecard", "errata"))
    facts = [fact for claim in read.values() if claim.document for fact in claim.facts]
    wrong = [fact for fact in facts if fact.wrong]
    assert len(wrong) > 20
    for fact in facts:
        assert f" | {fact.what} | " in scorecard, fact.title
        assert (f"\n### {fact.claim}: {fact.what}\n" in errata) is fact.wrong, fact.title
    assert len(re.findall(r"(?m)^### [A-E]\.\d+: ", errata)) == len(wrong)
    assert scorecard.count(" | ⚠ ") == len(wrong)


def test_every_claim_of_the_books_own_is_named_in_its_prose(read):
    named = {name for text in prose.texts(Project(ROOT)) for name in literals.named(text.content)}
    assert {name for name, claim in read.items() if not claim.document} <= named


def test_everything_agrees():
    assert claims.check(Project(ROOT)) == []


def other_digit(text):
    """A literal with its first digit raised by one; nine becomes one."""
    return re.sub(r"\d", lambda digit: str(int(digit[0]) % 9 + 1), text, count=1)


def problem_of(project, claim, text):
    """What is wrong with a literal; None where nothing is."""
    try:
        right = prose.corrected(project, claim, text)
    except CourseError as error:
        return str(error)
    return None if right == text else right


def test_no_literal_of_the_prose_takes_another_digit(read):
    """Except where the digit makes another value that the source gives in the same claim."""
    project, tried = Project(ROOT), 0
    for text in prose.texts(project):
        for place in literals.claimed(text.content):
            claim = read.get(place.claim, Claim("unknown", ""))
            changed = other_digit(place.text)
            said = literals.read(changed)
            known = [fact.literal.values for fact in claim.facts if fact.literal]
            ours = literals.read(place.text).is_range and not any(len(one) > 1 for one in known)
            if problem_of(project, claim, place.text) is None and said.values not in known and not ours:
                assert problem_of(project, claim, changed), f"{text.where}: {place.text} became {changed}"
                tried += 1
    assert tried > 5


def change(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_changed_digit_of_the_prose_is_found_where_it_stands(copy, read):
    before = prose.problems(copy, read)
    change(copy.notebooks / "04-vgg.py", "134,301,514 <!-- claim: A.5 -->", "134,301,515 <!-- claim: A.5 -->")
    (said,) = set(prose.problems(copy, read)) - set(before)
    assert said.startswith("04-vgg.py, cell ") and "the prose says 134,301,515, and A.5 has only " in said

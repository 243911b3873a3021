"""The real book: its ledger, its pages, its prose."""

import re
from pathlib import Path

from course_tools import claims
from course_tools.claims import ledger, prose
from course_tools.publishing import literals
from course_tools.publishing.project import Project

PROJECT = Project(Path(__file__).parents[2])


def test_everything_agrees():
    assert claims.check(PROJECT) == []


def test_every_claim_of_the_books_own_is_named_in_its_prose():
    named = {name for text in prose.texts(PROJECT) for name in literals.named(text.content)}
    assert {name for name, claim in ledger.read(PROJECT).items() if not claim.document} <= named


def test_no_share_and_no_difference_of_shares_is_above_one():
    """A claim that gives percents where shares are meant is written a hundred times too large."""
    number = re.compile(r"(\d+(?:\.\d+)?) (?:%|points)[.,:;]? <!-- claim")
    written = [(text.where, one) for text in prose.texts(PROJECT) for one in number.findall(text.content)]
    assert len(written) > 300
    assert [(where, one) for where, one in written if float(one) > 100] == []

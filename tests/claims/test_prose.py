import pytest
from small_book import fact

from course_lib.errors import CourseError
from course_tools.claims import prose
from course_tools.claims.ledger import Claim, Fact

REMEDY = "has no claim: add `<!-- claim: NAME -->` behind it, and a claim to book/claims."


def problems(checkout):
    return prose.problems(checkout.project, checkout.claims())


def rewrite(checkout):
    return prose.rewrite(checkout.project, checkout.claims())


def test_readme_pages_and_markdown_cells_are_prose_and_code_cells_are_not(checkout):
    texts = prose.texts(checkout.project)
    assert [one.where for one in texts] == [
        *("README.md", "errata.md", "scorecard.md"),
        *("01-small.py, cell 1", "01-small.py, cell 3"),
    ]
    assert texts[3].content.splitlines()[0] == "# 1 · A small chapter"
    assert "12 % of a comment" not in "".join(one.content for one in texts)


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("README.md", "It reaches 97 % there.\n", "README.md"),
        ("book/index.md", "It reaches 97 % there.\n", "index.md"),
        ("notebooks/01-small.py", "\n# %% [markdown]\n# It reaches\n# 97 % there.\n", "01-small.py, cell 4"),
        ("notebooks/01-small.py", "# It reaches 97\n# % there.\n", "01-small.py, cell 3"),
    ],
)
def test_a_number_without_a_claim_is_named_with_its_place(checkout, file, text, where):
    (checkout.root / file).touch()
    checkout.add(file, text)
    (said,) = problems(checkout)
    assert said.startswith(f"{where}: '97 %' in ") and "97 % there.' " in said and said.endswith(REMEDY)


@pytest.mark.parametrize(
    ("file", "text"),
    [("README.md", "{}\n"), ("notebooks/01-small.py", "# {}\n")],
)
def test_a_claim_that_nobody_made_is_named(checkout, file, text):
    checkout.add(file, text.format("It is better. <!-- claim: gohst --> It has 5 layers <!-- claim: A.99 -->."))
    assert [one.partition(" names ")[2] for one in problems(checkout)] == [
        "the claim 'gohst', which book/claims does not have.",
        "the claim 'A.99', which book/claims does not have.",
    ]


@pytest.mark.parametrize("word", ["claims", "conformance"])
def test_tables_that_a_program_writes_are_left_out(checkout, word):
    checkout.add("README.md", f"\n<!-- {word}: a -->\n| 97 % | 3,460 s |\n<!-- {word}: end -->\n")
    assert problems(checkout) == []
    checkout.add("README.md", "It takes 3,460 s.\n")
    (said,) = problems(checkout)
    assert said.startswith("README.md: '3,460 s' in ")


def corrected(checkout, text, *facts):
    return prose.corrected(checkout.project, Claim("A.8", list(facts)), text)


def calculated(value, source="", verdict="reproduced"):
    return Fact("A.8", "so", lambda: value, source, verdict)


def test_a_wrong_number_of_a_claim_with_several_values_is_named_in_the_text_and_not_rewritten(checkout):
    checkout.give("A.2", fact("Sum", "2 + 2", "No.", source="5", verdict="differs"))
    checkout.add("README.md", "It has 6 <!-- claim: A.2 --> of them.\n")
    assert problems(checkout) == ["README.md: the prose says 6, and A.2 has only 4 or 5."]
    before = (checkout.root / "README.md").read_bytes()
    with pytest.raises(CourseError, match="has only 4 or 5"):
        rewrite(checkout)
    assert (checkout.root / "README.md").read_bytes() == before


@pytest.mark.parametrize("text", ["97–98 %", "97 %", "98 %"])
def test_a_range_of_a_source_may_be_quoted_whole_or_by_its_ends(checkout, text):
    assert corrected(checkout, text, calculated(0.5, "97–98 %")) == text


@pytest.mark.parametrize(
    ("text", "right"), [("97–99 %", "97–99 %"), ("98–99 %", "98–99 %"), ("97.0–98.0 %", "98.5 %"), ("96–97 %", "98 %")]
)
def test_a_range_of_our_own_must_hold_the_mean(checkout, text, right):
    """The mean is 98.50 %, which rounds to 98 %, for ties go to the even neighbour."""
    claim = checkout.claims()["small-accuracy"]
    assert prose.corrected(checkout.project, claim, text) == right


def test_what_awaits_a_gpu_is_known_from_its_source_alone(checkout):
    assert prose.corrected(checkout.project, checkout.claims()["C.3"], "98.7 %") == "98.6 %"


# ``@`` is the comment sign of a chapter's prose, and nothing in a page.
WRONG = """
@  Two blanks,\ttabs   and `98.51 %` stay. It reaches 98.51 % <!-- claim: small-accuracy --> , 97 % <!-- claim: A.1 -->
@\tand 1,234 parameters <!-- claim: small-parameters --> ; or 98.5123 %
@ <!-- claim: small-accuracy -->, as 7.3 % <!-- claim: paper-error --> shows.  \n"""
RIGHT = (
    WRONG.replace("reaches 98.51 %", "reaches 98.50 %")
    .replace("1,234 parameters", "61,706 parameters")
    .replace("98.5123 %", "98.5000 %")
)


@pytest.mark.parametrize(("file", "sign"), [("README.md", ""), ("notebooks/01-small.py", "#")])
def test_a_rewrite_changes_the_wrong_literals_and_nothing_else(checkout, file, sign):
    path = checkout.root / file
    before = path.read_bytes()
    others = {one: one.read_bytes() for one in checkout.root.rglob("*") if one.is_file() and one != path}
    checkout.add(file, WRONG.replace("@", sign))
    changes = rewrite(checkout)
    assert path.read_bytes() == before + RIGHT.replace("@", sign).encode()
    assert sorted(changes) == [
        f"{path.name}: 1,234 parameters is now 61,706 parameters (small-parameters)",
        f"{path.name}: 98.51 % is now 98.50 % (small-accuracy)",
        f"{path.name}: 98.5123 % is now 98.5000 % (small-accuracy)",
    ]
    assert {one: one.read_bytes() for one in others} == others
    assert [one for one in problems(checkout) if "begins with" not in one] == []


def test_each_cell_is_rewritten_in_its_place_and_code_cells_are_not(checkout):
    checkout.add(checkout.source, "\n# %%\n# 5 <!-- claim: small-parameters -->\n")
    before = checkout.source.read_text()
    checkout.replace(checkout.source, "61,706", "6")
    checkout.replace(checkout.source, "13 min", "1,000 min")
    assert len(rewrite(checkout)) == 2
    assert checkout.source.read_text() == before


def test_a_claim_that_begins_a_line_would_end_the_paragraph(checkout):
    checkout.add("README.md", "\nIt reaches 98.50 ± 0.02 %\n<!-- claim: small-accuracy --> of them.\n")
    (said,) = problems(checkout)
    assert said.startswith("README.md: a line begins with '<!-- claim: small-accuracy -->', which ends the paragraph: ")

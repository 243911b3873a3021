import pytest
from small_book import IMPORTS, OWN, fact

from course_lib.errors import CourseError

NET = 'mean("study-small/net")'


def refused(checkout) -> str:
    with pytest.raises(CourseError) as caught:
        checkout.claims()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_fact_is_a_function_with_its_source_and_verdict(checkout):
    checkout.give(
        "C.6",
        fact("Test accuracy", NET, source="98.6 %", band=0.005, verdict="reproduced"),
        fact("A sum", "x = 2\nx + 2", "It\n    is not.", source="5", verdict="corrected", ours="four"),
    )
    measured, wrong = checkout.claims()["C.6"].facts
    assert (measured.title, measured.band, measured.device) == ("C.6, Test accuracy", 0.005, "meta")
    assert measured.literal.values == pytest.approx((0.986,))
    assert (wrong.because, wrong.ours, wrong.band) == ("It is not.", "four", None)
    assert wrong.evidence() == 4
    assert wrong.code == "x = 2\nx + 2"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x = 1\nif:\n", "line 2: SyntaxError: invalid syntax"),
        ("x = 1\n\ny = z\n", "line 3: NameError: name 'z' is not defined"),
        ("import course_tools.none\n", "line 1: ModuleNotFoundError"),
    ],
)
def test_a_file_that_cannot_be_imported_is_named_with_its_line(checkout, text, what):
    (checkout.claims_folder / "own.py").write_text(text)
    problem = refused(checkout)
    assert problem.startswith(f"book/claims/own.py, {what}") and problem.endswith(": fix it.")


NOT_SO = {"source": "2", "because": "No."}


@pytest.mark.parametrize(
    "text",
    [
        fact("An unknown verdict", "2", source="2", verdict="true"),
        fact("An unknown option", "2", source="2", verdict="reproduced", sauce="2"),
        fact("A band of nothing", "2", source="2", verdict="reproduced", band=0),
        fact("A band around words", "2", source="very good", verdict="reproduced", band=0.1),
        fact("No evidence", source="2", verdict="reproduced"),
        fact("No source", "2", verdict="reproduced"),
        fact("No paper", because="It was so.", verdict="explained"),
        fact("No reason", verdict="explained", cite=["paper2000"]),
        fact("No error is shown", source="2", because="So.", verdict="corrected"),
        fact("No reason either", "1 + 2", source="2", verdict="differs"),
        fact("What is smaller", "1 + 1", source="2", verdict="partly"),
        fact("A source states it", "1 + 1", source="2", verdict="ours"),
        fact("A source states nothing", "1 + 1", value="2", verdict="reproduced"),
    ],
)
def test_a_fact_that_does_not_fit_its_verdict_is_refused(checkout, text):
    checkout.give("B.1", text)
    assert refused(checkout).startswith("book/claims/b_1.py, line ")


@pytest.mark.parametrize(
    "text",
    [
        '@claim\ndef new():\n    """So."""\n',
        '@claim(value="2")\ndef new():\n    """So."""\n',
        '@claim(value="2", cite=["paper2000"])\ndef new():\n    """So."""\n    return 2\n',
        '@claim(cite=["paper2000"])\ndef new():\n    """So."""\n    return True\n',
    ],
)
def test_a_claim_of_the_book_returns_evidence_or_cites_a_value(checkout, text):
    (checkout.claims_folder / "new.py").write_text(IMPORTS + text)
    assert refused(checkout).startswith("book/claims/new.py, line 5: ValueError: new needs evidence")


def test_two_claims_of_one_name_are_refused(checkout):
    (checkout.claims_folder / "again.py").write_text(IMPORTS + OWN)
    assert refused(checkout) == "book/claims: small-accuracy stands there twice: rename one."


def test_no_claim_of_a_document_may_be_missing(checkout):
    checkout.give("E.10")
    assert refused(checkout) == "book/claims has no E.10: every claim of the documents needs a verdict."


@pytest.mark.parametrize("name", ["A.99", "A.0"])
def test_no_claim_may_be_invented(checkout, name):
    checkout.give(name, fact("One", "1", source="1", verdict="reproduced"))
    assert refused(checkout) == f"book/claims has {name}, which no document holds: take it out."


def test_what_can_be_measured_may_not_be_explained(checkout):
    checkout.give("A.8", fact("History", because="A paper has it.", verdict="explained", cite=["paper2000"]))
    assert "A.8, History: it may not be explained only" in refused(checkout)

import pytest

from course_lib.errors import CourseError
from course_tools.claims import verdicts

MEASURED = {"what": "test accuracy", "source": "98.6 %", "records": {"of": "study-small/net", "measure": "accuracy"}}
EXPLAINED = {"what": "history", "verdict": "explained", "cite": ["paper2000"], "because": "A paper has it."}


def refused(checkout) -> str:
    with pytest.raises(CourseError) as caught:
        checkout.claims()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_fact_knows_what_the_ledger_says_of_it(checkout):
    checkout.give(
        "C.6",
        MEASURED | {"band": 0.005, "verdict": "reproduced"},
        {"what": "a sum", "source": "as said", "calculate": "2 + 2", "numbers": True, "wrong": True}
        | {"because": "It\n  is not.", "ours": "four", "cite": ["paper2000"], "verdict": "corrected"},
    )
    measured, wrong = checkout.claims()["C.6"].facts
    assert (measured.title, measured.proof, measured.query) == ("C.6, test accuracy", "records", MEASURED["records"])
    assert (measured.band, measured.wrong, measured.needs_numbers) == (0.005, False, False)
    assert measured.literal.values == pytest.approx((0.986,))
    assert (wrong.proof, wrong.query, wrong.literal, wrong.band) == ("calculate", "2 + 2", None, None)
    assert (wrong.because, wrong.ours, wrong.cite) == ("It is not.", "four", ("paper2000",))
    assert wrong.wrong and wrong.needs_numbers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources:\n  A.1: [1\n", "line 3: expected ',' or ']'"),
        ("sources: {}\nbook:\n  one: {says: a, value: '2', value: '3'}\n", "line 3: value stands there twice"),
        ("sources: {}\nbook:\n  2012: {says: a}\n", "line 3: 2012 is not a name"),
        ("", "the file: None is not of type 'object'"),
    ],
)
def test_malformed_yaml_is_told_with_its_line(checkout, text, said):
    checkout.ledger_file.write_text(text)
    problem = refused(checkout)
    assert problem.startswith("book/claims.yml") and said in problem and problem.endswith(": fix it.")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sauce": "2"}, "C.6, fact 1: Additional properties are not allowed ('sauce' was unexpected)"),
        ({"verdict": "true"}, "C.6, fact 1, verdict: 'true' is not one of"),
        ({"band": -1}, "C.6, fact 1, band: -1 is less than"),
        ({"records": {"of": "study-small/net"}}, "C.6, fact 1, records: 'measure' is a required property"),
        ({"wrong": True}, "C.6, fact 1, verdict: 'corrected' was expected"),
    ],
)
def test_a_fact_that_is_not_as_it_should_be_is_named(checkout, change, said):
    checkout.give("C.6", MEASURED | {"band": 0.005, "verdict": "reproduced"} | change)
    assert said in refused(checkout)


@pytest.mark.parametrize(
    "fact",
    [
        {"what": "nothing proves it", "source": "2", "verdict": "reproduced"},
        {"what": "no paper", "because": "It was so.", "verdict": "explained"},
        {"what": "nothing can be measured", "source": "2", "verdict": "awaiting"},
        {"what": "no run is needed", "source": "2", "calculate": "1 + 1", "verdict": "awaiting"},
        {"what": "no error is shown", "source": "2", "calculate": "1 + 2", "because": "So.", "verdict": "corrected"},
        {"what": "no reason", "source": "2", "calculate": "1 + 2", "verdict": "differs"},
        {"what": "what is smaller?", "source": "2", "calculate": "1 + 1", "verdict": "partly"},
        {"what": "a source states it", "source": "2", "calculate": "1 + 1", "verdict": "ours"},
        {"what": "a source states nothing", "value": "2", "calculate": "1 + 1", "verdict": "reproduced"},
    ],
)
def test_a_fact_without_evidence_is_refused(checkout, fact):
    checkout.give("B.1", fact)
    assert refused(checkout).startswith("book/claims.yml: B.1, fact 1: ")


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"value": "2"},
        {"calculate": "1 + 1", "value": "2", "cite": ["paper2000"]},
        {"calculate": "1 + 1", "records": {"of": "study-small/net", "measure": "accuracy"}},
    ],
)
def test_a_claim_of_the_book_has_exactly_one_proof(checkout, entry):
    checkout.rewrite_ledger(lambda entries: entries["book"].update(new={"says": "So."} | entry))
    assert "book/claims.yml: book, new: " in refused(checkout)


def test_no_claim_of_a_document_may_be_missing(checkout):
    checkout.rewrite_ledger(lambda entries: entries["sources"].pop("E.10"))
    assert refused(checkout) == "book/claims.yml has no E.10: every claim of the documents needs a verdict."


@pytest.mark.parametrize("name", ["A.10", "A.0"])
def test_no_claim_may_be_invented(checkout, name):
    checkout.rewrite_ledger(lambda entries: entries["sources"].update({name: {"says": "x", "facts": [EXPLAINED]}}))
    assert refused(checkout) == f"book/claims.yml has {name}, which no document holds: take it out."


def test_what_can_be_measured_may_not_be_explained(checkout):
    checkout.give("A.8", EXPLAINED)
    assert refused(checkout) == "book/claims.yml: A.8, history may not be explained only: give the evidence."


@pytest.mark.parametrize("name", ["C.3", "C.4"])
@pytest.mark.parametrize("profile", [{}, {"profile": "cpu"}])
@pytest.mark.parametrize(
    ("proof", "query"),
    [
        ("records", {"of": "study-small/large", "measure": "accuracy"}),
        ("order", {"measure": "accuracy", "higher": "study-small/large", "than": ["study-small/net"]}),
    ],
)
def test_only_a_full_run_may_stand_for_the_large_networks(checkout, name, profile, proof, query):
    fact = {"what": "accuracy", "source": "98.6 %", "band": 0.01, "verdict": "reproduced", proof: query | profile}
    checkout.give(name, fact)
    problem = f"book/claims.yml: {name}, accuracy is proven by a full run only: ask for `profile: full`."
    assert refused(checkout) == problem
    checkout.give(name, fact | {proof: query | {"profile": "full"}})
    assert checkout.claims()[name].facts[0].query["profile"] == "full"


def test_a_measured_value_needs_a_band(checkout):
    checkout.give("C.6", MEASURED | {"verdict": "partly", "note": "half the width"})
    assert "C.6, test accuracy is measured, so it needs a band" in refused(checkout)


def test_a_setting_needs_none(checkout):
    query = {"of": "study-small/net", "measure": "epochs"}
    checkout.give("C.6", {"what": "epochs", "source": "2", "records": query, "verdict": "reproduced"})
    assert verdicts.problem_of(checkout.project, checkout.claims()["C.6"].facts[0]) is None


def test_a_band_needs_a_number_of_the_source(checkout):
    checkout.give("C.6", MEASURED | {"source": "very good", "band": 0.1, "verdict": "reproduced"})
    assert "C.6, test accuracy has a band, but no number of the source's" in refused(checkout)

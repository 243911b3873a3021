import pytest

from course_lib.errors import CourseError
from course_tools.claims import verdicts
from course_tools.claims.evidence import Evidence, NoEvidence
from course_tools.claims.ledger import Claim, Fact
from course_tools.claims.measurements import higher, level, mean
from course_tools.claims.published import figures


def net():
    return mean("study-small/net")  # 98.50 ± 0.02 % of three seeds


def above():
    return higher("study-small/net", "01-small/other")


def below():
    return higher("01-small/other", "study-small/net")


def near():
    return level("study-small/net", "01-small/other", within=0.02)


def far():
    return level("study-small/net", "01-small/other", within=0.001)


def problem(checkout, verdict, evidence=lambda: None, source="", **more):
    return verdicts.problem_of(checkout.project, Fact("C.6", "so", evidence, source, verdict, **more))


AGREES = [
    (net, "98.4 %", {"band": 0.002}),
    (net, "97–98 %", {"band": 0.005}),
    (net, "98.5 %", {"band": 0.001}),
    (lambda: mean("study-small/net", "epochs"), "2", {}),
    (above, "it is", {}),
    (near, "they are", {}),
    (lambda: 1 + 1, "2", {}),
    (lambda: f"in blocks {3}", "in blocks 3", {}),
    (lambda: figures({"01-small": ["plots.picture"]}), "one figure", {}),
]
DIFFERS = [
    (net, "98.4 %", {"band": 0.0005}),
    (below, "it is", {}),
    (far, "they are", {}),
    (lambda: 102_764_544, "102 M", {}),
    (lambda: "in blocks 3", "in each block", {}),
]


@pytest.mark.parametrize(("evidence", "source", "more"), AGREES)
def test_agreeing_evidence_reproduces_and_needs_no_correction(checkout, evidence, source, more):
    for verdict in ("reproduced", "partly", "ours"):
        assert problem(checkout, verdict, evidence, source, **more) is None
    for verdict in ("corrected", "differs"):
        line = problem(checkout, verdict, evidence, source, **more)
        assert line.startswith("C.6, so: ours is ") and line.endswith(
            ", as the source says: there is nothing to correct."
        )


@pytest.mark.parametrize(("evidence", "source", "more"), DIFFERS)
def test_differing_evidence_corrects_and_does_not_reproduce(checkout, evidence, source, more):
    for verdict in ("corrected", "differs"):
        assert problem(checkout, verdict, evidence, source, **more) is None
    for verdict in ("reproduced", "partly"):
        line = problem(checkout, verdict, evidence, source, **more)
        assert line.startswith(f"C.6, so: the source says {source}, and ours is ") and line.endswith(
            ": not reproduced."
        )
    ours = problem(checkout, "ours", evidence, source, **more)
    if evidence is net:  # what we measured may change
        assert ours is None
    else:
        assert ours.startswith(f"C.6, so: we say {source}, and the evidence is ")


@pytest.mark.parametrize(("evidence", "words"), [(net, "98.50 ± 0.02 %"), (above, "holds"), (below, "does not hold")])
def test_only_what_was_not_measured_awaits(checkout, evidence, words):
    line = problem(checkout, "awaiting", evidence, "98.4 %")
    assert line == f"C.6, so awaits a run, but it was measured: {words}. Give it its verdict."
    assert problem(checkout, "awaiting", lambda: mean("study-small/net", profile="full"), "98.4 %") is None


def test_only_an_order_of_too_few_seeds_is_undecided(checkout):
    def few():
        return higher("study-small/net", "01-small/few")

    for seed in range(3):
        checkout.record("01-small/few", 0.9, seed=seed)
    assert problem(checkout, "undecided", few, "it is") is None
    assert "is undecided" in problem(checkout, "reproduced", few, "it is")
    assert "is decided by now: holds" in problem(checkout, "undecided", above, "it is")
    assert "is undecided" in verdicts.problem_of(checkout.project, Fact("small-one", evidence=few))


@pytest.mark.parametrize("verdict", ["reproduced", "partly"])
def test_a_measured_value_needs_a_band(checkout, verdict):
    assert "is measured, so it needs a band" in problem(checkout, verdict, net, "98.5 %")


@pytest.mark.parametrize(
    "evidence",
    [
        lambda: mean("study-small/net", profile="full"),
        lambda: higher("study-small/net", "01-small/other", profile="full"),
        lambda: level("study-small/net", "01-small/other", within=0.02, profile="full"),
        lambda: figures({"01-small": ["plots.other"]}),
    ],
)
def test_a_verdict_without_evidence_is_an_error(checkout, evidence):
    with pytest.raises(NoEvidence, match=r"^C\.6, so: "):
        problem(checkout, "reproduced", evidence, "98.4 %", band=0.002)


def test_wrong_evidence_does_not_await(checkout):
    checkout.record("study-small/net", 0.5, seed=0)
    with pytest.raises(CourseError, match="disagree"):
        problem(checkout, "awaiting", net, "98.4 %")


@pytest.mark.parametrize("verdict", ["explained", "corrected"])
def test_what_a_paper_says_needs_no_evidence_of_ours(checkout, verdict):
    assert problem(checkout, verdict, source="7.3 %", cite=("paper2000",)) is None


def test_a_number_cannot_be_held_against_words(checkout):
    with pytest.raises(CourseError, match=r"C\.6, so: its evidence is the number 2, but the source's is no number"):
        problem(checkout, "reproduced", lambda: 1 + 1, "as listed")


@pytest.mark.parametrize(
    ("evidence", "holds"),
    [
        (above, True),
        (lambda: 1 < 2, True),
        (lambda: 0, True),  # a number, held against the prose
        (far, False),
        (lambda: 1 > 2, False),
    ],
)
def test_statement_of_the_book_has_to_hold(checkout, evidence, holds):
    line = verdicts.problem_of(checkout.project, Fact("small-one", evidence=evidence))
    assert line == (None if holds else "small-one does not hold any more: say so in the prose.")


def test_problems_are_collected_and_none_hides_another(checkout):
    cite = ("paper2000", "ghost1999")
    facts = [
        Fact("B.1", "one", verdict="explained", cite=cite, because="It was so."),
        Fact("B.1", "two", lambda: 1 / 0, "2", "reproduced"),
        Fact("B.1", "three", lambda: 1 + 1, "3", "reproduced"),
        Fact("B.1", "four", lambda: 1 + 1, "2", "reproduced"),
    ]
    assert verdicts.problems(checkout.project, [Claim("B.1", facts)], {"paper2000"}) == [
        "B.1, one: ghost1999 is not in references.bib.",
        "B.1, two: its calculation raised ZeroDivisionError: division by zero",
        "B.1, three: the source says 3, and ours is 2: not reproduced.",
    ]


@pytest.mark.parametrize(
    ("source", "found", "more", "said"),
    [
        ("98.6 %", Evidence(0.98504, 0.0002, 5), {}, "98.50 ± 0.02 %"),
        ("98.6 %", Evidence(0.98504, None, 1), {}, "98.5 %"),
        ("3,460 s", Evidence(2815.4, 12.3, 3), {}, "2,815 ± 12 s"),
        ("1.19 points", Evidence(-0.0544, 0.001, 5), {}, "−5.44 ± 0.10 points"),
        ("as listed", Evidence(1234.5), {}, "1,234.5"),
        ("in each block", Evidence("in block 3"), {}, "in block 3"),
        ("98.6 %", Evidence(0.9), {"ours": "much less"}, "much less"),
        ("97–98 %", Evidence(0.99251), {}, "99.3 %"),
        ("97–98 %", Evidence(0.99251, None, 1), {"band": 0.005}, "99 %"),
    ],
)
def test_the_evidence_is_told_in_the_style_of_the_source(source, found, more, said):
    assert verdicts.in_words(found, Fact("C.6", "so", source=source, **more)) == said


def test_what_differs_never_reads_like_the_source():
    """102.8 M are not 102 M, though both round to it from afar."""
    assert verdicts.in_words(Evidence(0.1066), Fact("B.5", "share", source="10.7 %")) == "10.7 %"
    assert verdicts.in_words(Evidence(0.9167), Fact("C.6", "saved", source="93 %", verdict="corrected")) == "91.7 %"
    near = Fact("B.5", "first layer", source="102 M")
    assert verdicts.in_words(Evidence(102_764_544), near) == "103 M"
    spread = Fact("C.6", "so", source="98.50 ± 0.02 %")
    assert verdicts.in_words(Evidence(0.98501), spread) == "98.501 %"

import pytest
from small_book import fact

from course_tools.claims.pages import pages_of

NET = 'mean("study-small/net")'


def made(checkout):
    """The tables of both pages as they should be."""
    scorecard, errata = pages_of(checkout.project, checkout.claims())
    return scorecard.tables(), errata.tables()


def rows(table):
    """Cells of a Markdown table, without its head."""
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_a_row_says_what_the_source_says_what_ours_is_and_from_which_runs(checkout):
    near = fact("Accuracy | F1", NET, source="98.60 %", band=0.01, verdict="reproduced")
    far = fact("It differs", NET, "No.", source="90 %", band=0.01, verdict="differs")
    settings = {"ours": "it is not", "verdict": "differs", "note": "half the width"}
    checkout.give("E.11", near, far, fact("It is better", "1 > 2", "No.", source="it is", **settings))
    last = rows(made(checkout)[0]["e"])[-3:]
    assert last == [
        [
            "**E.11**",
            "Accuracy \\| F1",
            "98.60 %",
            "98.50 ± 0.02 %, errors 1.50 %",
            "reproduced within ±1 points",
            "5, CPU",
        ],
        ["", "It differs", "90 %", "98.5 ± 0.0 %, errors 1.50 %", "differs by more than 1 points", "5, CPU"],
        ["", "It is better", "it is", "it is not", "differs: half the width", "—"],
    ]


def test_what_is_ours_has_a_table_without_a_source(checkout):
    checkout.give("E.11", fact("A sum", "2 + 2", value="4", note="by hand", verdict="ours"))
    compared, own = made(checkout)[0]["e"].split("**Ours, beyond the source.** No document states these.\n\n")
    assert rows(own) == [["**E.11**", "A sum", "4", "by hand", "—"]]
    assert "A sum" not in compared


def test_figures_say_where_they_are_drawn(checkout):
    code = 'figures({"01-small": ["plots.picture"]})'
    checkout.give("E.11", fact("A picture", code, source="one", verdict="reproduced"))
    assert rows(made(checkout)[0]["e"])[-1][4] == "reproduced, drawn in chapter 1"


def test_what_awaits_a_run_is_folded_away_even_when_it_was_measured(checkout):
    checkout.record("study-small/large", 0.986, profile="full")
    folded = made(checkout)[0]["c"].split("```")[1]
    assert folded.startswith("{dropdown} Awaiting a run: 2\n")
    assert rows(folded)[1:] == [
        ["**C.3**", "Test accuracy", "98.6 %", "a GPU"],
        ["**C.4**", "Test accuracy", "98.6 %", "a GPU"],
    ]


def test_the_summary_counts_facts_by_verdict(checkout):
    summary = made(checkout)[0]["summary"]
    verdicts = [cell.strip() for cell in summary.splitlines()[0].strip("|").split(" | ")][1:]
    counted = {row[0]: dict(zip(verdicts, map(int, row[1:]), strict=True)) for row in rows(summary)}
    seen = {document: {verdict: count for verdict, count in row.items() if count} for document, row in counted.items()}
    assert seen == {
        "A": {"reproduced": 8, "explained": 1},
        "B": {"reproduced": 7, "explained": 8},
        "C": {"reproduced": 9, "awaiting": 2, "explained": 1},
        "D": {"reproduced": 6, "corrected": 1},
        "E": {"reproduced": 10, "explained": 1},
    }


def test_an_erratum_has_both_values_the_reason_the_computation_and_the_paper(checkout):
    _, errata = made(checkout)
    assert errata["d"].split("\n\n") == [
        "### D.3: Two and two",
        "Source: **5**. Right: **4**.",
        "They are four.",
        '```python\nprint("two and two:")\n2 + 2\n```',
        "```text\ntwo and two:\n4\n```",
        "See {cite:t}`paper2000`.\n",
    ]
    assert [errata[document] for document in "abce"] == [""] * 4


@pytest.mark.parametrize(
    ("code", "shown"),
    [("1 > 2", "False"), ("138_357_544", "138,357,544"), ("0.5", "0.5"), ("'in block 3'", "in block 3")],
)
def test_the_value_of_a_computation_stands_below_it(checkout, code, shown):
    settings = {"source": "it is so", "ours": "not so", "verdict": "corrected"}
    checkout.give("A.2", fact("It is so", code, "No.", **settings))
    assert f"```python\n{code}\n```\n\n```text\n{shown}\n```" in made(checkout)[1]["a"]


def test_a_wrong_comparison_is_shown_with_its_means(checkout):
    settings = {"source": "it is", "ours": "it is worse", "verdict": "corrected"}
    checkout.give("A.2", fact("The other is better", 'higher("01-small/other", "study-small/net")', "No.", **settings))
    assert rows(made(checkout)[1]["a"].partition("No.\n\n")[2].strip()) == [
        ["01-small/other", "0.9750 ± 0.0002", "5"],
        ["study-small/net", "0.9850 ± 0.0002", "5"],
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "table"),
    [
        ("scorecard", "| A | 8 |", "| A | 9 |", "summary"),
        ("scorecard", "98.5 ±", "98.6 ±", "a"),
        ("errata", "Right: **4**", "Right: **5**", "d"),
    ],
)
def test_a_page_that_was_changed_by_hand_is_out_of_date(checkout, file, old, new, table):
    checkout.replace(f"book/{file}.md", old, new)
    assert checkout.check() == [f"book/{file}.md is out of date ({table}): run `course claims --update`."]

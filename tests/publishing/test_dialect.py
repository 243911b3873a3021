from nbformat.v4 import new_code_cell, new_markdown_cell

from course_tools.publishing.dialect import translate_text, wrap_exercises

PAPERS = {"https://doi.org/10.1/a": "a2000"}
TERMS = {"epoch": "epoch", "epochs": "epoch"}


def translate(text):
    return translate_text(text, PAPERS, TERMS, "01-x")


def test_known_papers_become_citations_and_other_links_stay():
    text = "As [they](https://doi.org/10.1/a) and [others](https://example.org) say."
    assert translate(text) == "As {cite:t}`a2000` and [others](https://example.org) say."


def test_terms_become_links_and_other_italics_stay():
    assert translate("Two *epochs*, *at* least.") == "Two {term}`epochs <epoch>`, *at* least."
    assert translate("**epoch** and ***epoch***") == "**epoch** and ***epoch***"


def test_a_mentioned_exercise_becomes_a_link_and_its_heading_stays():
    assert translate("Exercise 2 tries it.") == "{ref}`Exercise 2 <01-x-exercise-2>` tries it."
    assert translate("### Exercise 2: Try it") == "### Exercise 2: Try it"


def test_code_is_left_alone():
    text = "`[a](https://doi.org/10.1/a) *epoch*`\n\n```python\nx = *epoch*\n```"
    assert translate(text) == text


def test_a_titled_quote_becomes_a_box():
    text = "Before.\n\n> **Mind this.** First\n> second.\n>\n> - third\n\nAfter.\n\n> A plain quote."
    assert translate(text) == (
        "Before.\n\n:::{admonition} Mind this\nFirst\nsecond.\n\n- third\n:::\n\nAfter.\n\n> A plain quote."
    )


def test_the_badge_is_dropped():
    badge = "[![Open in Colab](https://c/assets/colab-badge.svg)](https://c/github/x.ipynb)"
    assert translate(f"# Title\n\n{badge}\n\nText") == "# Title\n\nText"


def test_an_exercise_and_its_solution_become_a_folded_pair():
    cells = [
        new_markdown_cell("### Exercise 1: Count\n\nHow many?"),
        new_code_cell("# your turn"),
        new_markdown_cell(
            "<details><summary>In words</summary>\n\nThree.\n\n</details>", metadata={"tags": ["solution"]}
        ),
        new_code_cell("1 + 2", metadata={"tags": ["solution"]}),
        new_markdown_cell("### Exercise 2: No solution\n\nOpen."),
        new_markdown_cell("## Next"),
    ]
    assert [cell.source for cell in wrap_exercises(cells, "01-x")] == [
        "```{exercise-start} Count\n:label: 01-x-exercise-1\n```",
        "How many?",
        "```{exercise-end}\n```",
        "# your turn",
        "```{solution-start} 01-x-exercise-1\n:class: dropdown\n```",
        "Three.",
        "1 + 2",
        "```{solution-end}\n```",
        "```{exercise-start} No solution\n:label: 01-x-exercise-2\n```",
        "Open.",
        "```{exercise-end}\n```",
        "## Next",
    ]


def test_a_solution_at_the_very_end_is_closed():
    cells = [new_markdown_cell("### Exercise 1: Q\n\nWhy?"), new_code_cell("1", metadata={"tags": ["solution"]})]
    assert wrap_exercises(cells, "x")[-1].source == "```{solution-end}\n```"


def test_a_claim_leaves_no_gap():
    text = "It has 98.2 % <!-- claim: A.8 -->. After `x <!-- claim: A.1 -->`, 94 % <!-- claim: C.5 --> again."
    told = "It has 98.2 %. After `x <!-- claim: A.1 -->`, 94 % again."
    assert translate_text(text, {}, {}, "05-x") == told

"""Each habit of the notebooks' Markdown, and what the book makes of it."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from course_tools.publishing.myst import markdown_to_myst, wrap_exercises

PAPERS = {"https://doi.org/10.1/a": "a2000"}
TERMS = {"epoch": "epoch", "epochs": "epoch"}


@pytest.mark.parametrize(
    ("text", "myst"),
    [
        (
            "As [they](https://doi.org/10.1/a) and [others](https://example.org) say.",
            "As {cite:t}`a2000` and [others](https://example.org) say.",
        ),
        ("Two *epochs*, *at* least.", "Two {term}`epochs <epoch>`, *at* least."),
        ("**epoch** and ***epoch***", "**epoch** and ***epoch***"),
        ("Exercise 2 tries it.", "{ref}`Exercise 2 <01-x-exercise-2>` tries it."),
        ("### Exercise 2: Try it", "### Exercise 2: Try it"),
        ("`[a](https://doi.org/10.1/a)`\n\n```python\nx = *epoch*\n```",) * 2,
        ("# T\n\n[![Open](https://c/colab-badge.svg)](https://c/x.ipynb)\n\nText", "# T\n\nText"),
        (
            "It has 98.2 % <!-- claim: A.8 -->. After `x <!-- claim: A.1 -->`, 94 % <!-- claim: C.5 --> again.",
            "It has 98.2 %. After `x <!-- claim: A.1 -->`, 94 % again.",
        ),
    ],
    ids=["citation", "term", "bold", "exercise", "its heading", "code", "badge", "claim"],
)
def test_markdown_becomes_myst(text, myst):
    assert markdown_to_myst(text, PAPERS, TERMS, "01-x") == myst


def test_an_exercise_and_its_solution_become_a_folded_pair():
    solution = {"tags": ["solution"]}
    cells = [
        new_markdown_cell("### Exercise 1: Count\n\nHow many?"),
        new_code_cell("# your turn"),
        new_markdown_cell("<details><summary>In words</summary>\n\nThree.\n\n</details>", metadata=solution),
        new_markdown_cell("### Exercise 2: No solution\n\nOpen."),
        new_markdown_cell("### Exercise 3: At the end\n\nWhy?"),
        new_code_cell("# @title Solution\n1 + 2", metadata=solution),
    ]
    assert [cell.source for cell in wrap_exercises(cells, "01-x")] == [
        "```{exercise-start} Count\n:label: 01-x-exercise-1\n```",
        "How many?",
        "```{exercise-end}\n```",
        "# your turn",
        "```{solution-start} 01-x-exercise-1\n:class: dropdown\n```",
        "Three.",
        "```{solution-end}\n```",
        "```{exercise-start} No solution\n:label: 01-x-exercise-2\n```",
        "Open.",
        "```{exercise-end}\n```",
        "```{exercise-start} At the end\n:label: 01-x-exercise-3\n```",
        "Why?",
        "```{exercise-end}\n```",
        "```{solution-start} 01-x-exercise-3\n:class: dropdown\n```",
        "1 + 2",
        "```{solution-end}\n```",
    ]

"""From plain Markdown, which Colab shows, to MyST, which the book shows.

=============================================  ==================================================
in the notebook                                in the book
=============================================  ==================================================
``### Exercise 1: title``                      a numbered exercise
cells tagged ``solution``, ``<details>``       its folded solution
a link to a paper of ``references.bib``        a citation
*italics* around a term of the glossary        a link to the glossary
``Exercise 1`` in a sentence                   a link to that exercise
``# 1 · Title``                                the title: the book numbers its chapters itself
the Colab badge                                nothing: the page header has a launch button
``<!-- claim: A.8 -->`` behind a number        nothing, and no gap before the full stop that follows
=============================================  ==================================================

Boxes are made before, by :mod:`course_tools.publishing.boxes`.
"""

import re
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from pybtex.database import parse_file

from course_tools.publishing.computation import has_tag

NUMBERED_TITLE = re.compile(r"\A# \d+ · ")
_BADGE = re.compile(r"^\[!\[[^\]]*\]\([^)]*colab-badge\.svg\)\]\([^)]*\)\n*", re.MULTILINE)
_CLAIM = re.compile(r"\s*<!-- claim: [^>]*-->")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((https?://[^)\s]+)\)")
_ITALICS = re.compile(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])")
_MENTION = re.compile(r"(?<!# )\bExercise (\d+)\b")
_EXERCISE = re.compile(r"\A### (Exercise \d+): (.+)\n?")
_FORM_TITLE = re.compile(r"\A# @title .*\n")  # Colab folds a cell below it
_DETAILS = re.compile(r"<details><summary>[^<]*</summary>|</details>")
_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)


def markdown_to_myst(text: str, papers: dict[str, str], terms: dict[str, str], label: str) -> str:
    """Translate one Markdown cell.

    Args:
        text: plain Markdown.
        papers: citation key of each paper's address.
        terms: glossary entry of each word in lower case, plural forms included.
        label: the chapter's name, which its exercises' labels begin with.
    """

    def citation(link: re.Match) -> str:
        key = papers.get(link[2])
        return f"{{cite:t}}`{key}`" if key else link[0]

    def term(italics: re.Match) -> str:
        entry = terms.get(italics[1].lower())
        return f"{{term}}`{italics[1]} <{entry}>`" if entry else italics[0]

    pieces = _CODE.split(_BADGE.sub("", text))
    for place in range(0, len(pieces), 2):  # every second piece is code, which keeps its brackets and asterisks
        pieces[place] = _ITALICS.sub(term, _LINK.sub(citation, without_claims(pieces[place])))
        pieces[place] = _MENTION.sub(rf"{{ref}}`Exercise \1 <{label}-exercise-\1>`", pieces[place])
    return "".join(pieces)


def title_of(notebook: NotebookNode) -> str:
    """A chapter's title, with its number: ``1 · The multilayer perceptron``."""
    return notebook.cells[0].source.partition("\n")[0].removeprefix("# ")


def without_claims(text: str) -> str:
    """A page without its claims, and without the gap that each would leave before a full stop."""
    return _CLAIM.sub("", text)


def wrap_exercises(cells: list[NotebookNode], label: str) -> list[NotebookNode]:
    """Turn each exercise and the ``solution`` cells that follow it into a pair that the book numbers and folds."""
    result: list[NotebookNode] = []
    exercise, in_solution = None, False
    for cell in cells:
        start = _EXERCISE.match(cell.source) if cell.cell_type == "markdown" else None
        is_solution = has_tag(cell, "solution")
        if in_solution and not is_solution:
            result.append(new_markdown_cell("```{solution-end}\n```"))
            in_solution, exercise = False, None
        if start:
            exercise = f"{label}-{start[1].lower().replace(' ', '-')}"
            result += [
                new_markdown_cell(f"```{{exercise-start}} {start[2]}\n:label: {exercise}\n```"),
                NotebookNode({**cell, "source": cell.source[start.end() :].strip()}),
                new_markdown_cell("```{exercise-end}\n```"),
            ]
            continue
        if is_solution:  # the book folds the whole solution itself
            fold = _DETAILS if cell.cell_type == "markdown" else _FORM_TITLE
            cell = NotebookNode({**cell, "source": fold.sub("", cell.source).strip()})
        if is_solution and exercise and not in_solution:
            result.append(new_markdown_cell(f"```{{solution-start}} {exercise}\n:class: dropdown\n```"))
            in_solution = True
        result.append(cell)
    if in_solution:
        result.append(new_markdown_cell("```{solution-end}\n```"))
    return result


def read_papers(bibliography: Path) -> dict[str, str]:
    """Citation key of each address in ``references.bib`` (its ``url``, or its ``doi`` as a link)."""
    papers = {}
    for key, entry in parse_file(str(bibliography)).entries.items():
        if "url" in entry.fields:
            papers[entry.fields["url"]] = key
        if "doi" in entry.fields:
            papers[f"https://doi.org/{entry.fields['doi']}"] = key
    return papers


def read_terms(glossary: Path) -> dict[str, str]:
    """Glossary entry of each word, in lower case, singular and simple plural."""
    block = re.search(r"```\{glossary\}\n(.*?)```", glossary.read_text(encoding="utf-8"), re.DOTALL)
    entries = re.findall(r"(?m)^(\S.*)$", block[1]) if block else []
    return {form: entry for entry in entries for form in (entry.lower(), f"{entry.lower()}s")}

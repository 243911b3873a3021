"""The boxes of a chapter: findings, guesses, quiz questions, and quotes with a title.

Each is a habit of plain Markdown (CONTRIBUTING has the table) that becomes a box with a class of its own. A guess and a
quiz question have a form, which ``book/_static/guess.js`` and ``quiz.js`` bring to life; without scripts and on paper
``boxes.css`` leaves only its text. What a reader answers stays in the browser.
"""

import hashlib
import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from course_lib.errors import CourseError
from course_tools.publishing import literals
from course_tools.publishing.project import Project
from course_tools.publishing.questions import QUESTION, QUOTE, Guess, check_question, items, read_guess, unquoted

_FINDING, _GUESS = "What we found", "Your guess"
_CLASSES = {"Your turn": "your-turn", "Reference card": "reference-card"}
_FOLDED = re.compile(rf"(?ms)^<details><summary>(?P<title>{_FINDING})</summary>\n(?P<text>.*?)^</details>$")
_LIST_OF_GUESSES = "<!-- guesses -->"  # on a page of the book: all guesses stand here


@dataclass(frozen=True)
class AnsweredGuess:
    """A guess of a chapter, with the answer as its finding states it; ``value`` is that number, or the right place."""

    chapter: str
    guess: Guess
    value: float
    recorded: str

    @property
    def anchor(self) -> str:
        return "guess-" + self.guess.name.lower().replace(".", "-")

    @property
    def data(self) -> str:
        """What the scripts need, as the value of an attribute."""
        data = {"key": f"{self.chapter}/{self.guess.name}", "value": self.value, "recorded": self.recorded}
        if not self.guess.choices:
            data |= {"low": self.guess.low, "high": self.guess.high, "unit": self.guess.unit}
        return html.escape(json.dumps(data, ensure_ascii=False))


def translate(cells: list[NotebookNode], chapter: str, issues: str, commit: str) -> list[AnsweredGuess]:
    """Turn the boxes of a chapter into MyST and HTML, in place, and append the scripts that they need.

    Args:
        cells: the chapter's cells.
        chapter: its name.
        issues: the address of a new issue, to which a finding's link leads; empty for no link.
        commit: of the run that the page shows.

    Returns: the chapter's guesses, in order.
    Raises: CourseError, naming the chapter, for a guess or a question whose answer cannot be told.
    """
    texts = [cell for cell in cells if cell.cell_type == "markdown"]
    try:
        answered = _answer_guesses(match for cell in texts for match in _boxes(cell.source))
    except CourseError as error:
        raise CourseError(f"{chapter}: {error}") from error
    guesses = [AnsweredGuess(chapter, *one) for found in answered.values() for one in found]
    queue, findings, questions = iter(guesses), iter(answered.values()), 0
    for cell in texts:
        pieces, end = [], 0
        for match in _boxes(cell.source):
            kind, text = _kind(match), unquoted(match["text"]) if match.re is QUOTE else match["text"].strip()
            if kind == "question":
                questions += 1
                box = _question_box(match, chapter)
            elif kind == "guess":
                box = _guess_box(next(queue))
            elif kind == "finding":
                before = [AnsweredGuess(chapter, *one) for one in next(findings)]
                box = _finding_box(text, before, match.re is _FOLDED, chapter, issues, commit)
            else:
                style = f":class: {kind}\n" if kind else ""
                box = f":::{{admonition}} {match['title']}\n{style}{text}\n:::\n"
            pieces += [cell.source[end : match.start()], box]
            end = match.end()
        cell.source = "".join([*pieces, cell.source[end:]])
    scripts = ["guess"] * bool(guesses) + ["quiz"] * bool(questions)
    if scripts:
        tags = [f'<script type="module" src="../_static/{name}.js"></script>' for name in scripts]
        cells.append(new_markdown_cell("\n".join(tags)))
    return guesses


def _boxes(text: str) -> list[re.Match]:
    """The boxes of a cell, in order; one that stands in another is a part of it."""
    boxes: list[re.Match] = []
    found = [match for habit in (QUOTE, _FOLDED, QUESTION) for match in habit.finditer(text)]
    for match in sorted(found, key=lambda match: match.start()):
        if not boxes or match.start() >= boxes[-1].end():
            boxes.append(match)
    return boxes


def _kind(match: re.Match) -> str:
    if match.re is QUESTION:
        return "question"
    return {_FINDING: "finding", _GUESS: "guess"}.get(match["title"], _CLASSES.get(match["title"], ""))


def _answer_guesses(boxes: Iterable[re.Match]) -> dict[int, list[tuple[Guess, float, str]]]:
    """Under each finding's place among the findings, the guesses before it, each with its answer."""
    answered: dict[int, list] = {}
    waiting: list[Guess] = []
    names: set[str] = set()
    for match in boxes:
        kind = _kind(match)
        if kind == "question":
            check_question(match)
        elif kind == "guess":
            guess = read_guess(unquoted(match["text"]))
            if guess.name in names:
                raise CourseError(f"two guesses are called {guess.name!r}: ask for another claim, or rename one.")
            names.add(guess.name)
            waiting.append(guess)
        elif kind == "finding":
            text = unquoted(match["text"])
            answered[len(answered)] = [(guess, *_answer(guess, text)) for guess in waiting]
            waiting = []
    if waiting:
        raise CourseError(
            f"no finding follows the guess {waiting[0].name!r}: write `<details><summary>{_FINDING}</summary>`, what "
            "was found, and `</details>` below the run."
        )
    return answered


def _answer(guess: Guess, finding: str) -> tuple[float, str]:
    """The answer as a number and as it is written. Raises CourseError where the finding does not state it."""
    if guess.choices:
        return guess.right, ""
    place = next((place for place in literals.claimed(finding) if place.claim == guess.name), None)
    if place is None:
        raise CourseError(
            f"the finding after the guess {guess.name!r} does not state it: write the number there, and behind it "
            f"`<!-- claim: {guess.name} -->`."
        )
    literal = literals.read(place.text)
    value, unit = round(literal.values[0] / literal.scale, 12), literal.unit.strip(" \u00a0")
    if unit and unit != guess.unit:
        raise CourseError(f"the guess {guess.name!r} asks for {guess.unit!r}, and its finding states {unit!r}.")
    if not guess.low <= value <= guess.high:
        raise CourseError(f"{guess.name} is {place.text}, which its guess does not allow: widen its range.")
    return value, place.text if unit else f"{place.text} {guess.unit}".strip()


def _guess_box(one: AnsweredGuess) -> str:
    """A question and its form, at its final size before ``guess.js`` runs; without scripts, only the text is shown."""
    field, guess = one.anchor, one.guess
    if guess.choices:
        options = "".join(f'<option value="{percent}">{percent} %</option>' for percent in (50, 70, 90, 99))
        controls = [
            f"<fieldset><legend>Choose one</legend>\n\n{_radios(guess.choices, '-')}\n</fieldset>",
            f'<p class="ask"><label for="{field}-sure">How sure are you?</label> <select name="sure" id="{field}-sure">'
            f'<option value="">I\'d rather not say</option>{options}</select></p>',
        ]
    else:
        low, high = (f"{end:,.10g}".replace("-", "−") for end in (guess.low, guess.high))
        unit = f"\u00a0{guess.unit}" if guess.unit else ""
        controls = [
            f'<p class="ask"><label for="{field}-value">From {low} to {high}{unit}</label> <input type="number" '
            f'name="value" id="{field}-value" min="{guess.low:.10g}" max="{guess.high:.10g}" step="any" required> '
            f"{guess.unit}</p>"
        ]
    return (
        f'<div class="admonition guess" id="{field}" data-guess="{one.data}">\n'
        f'<p class="admonition-title">{_GUESS}</p>\n\n{guess.question}\n\n<form autocomplete="off">\n'
        + "\n".join(controls)
        + '\n<p class="kept"><button type="submit" disabled>Keep my guess</button> <span role="status"></span></p>\n'
        "</form>\n</div>\n"
    )


def _question_box(question: re.Match, chapter: str) -> str:
    """A quiz question and its form; ``quiz.js`` shows the answers one by one, and without scripts they are folded."""
    digest = hashlib.sha256(question[0].encode()).hexdigest()[:8]
    asked = f"**Question {question['number']}.** {question['text']}"
    folded = question[0][question[0].index("<details>") :]
    return (
        f'<div class="quiz" data-quiz="{chapter}" data-question="{digest}">\n<form autocomplete="off">\n'
        f'<fieldset aria-labelledby="quiz-{digest}">\n<div id="quiz-{digest}">\n\n{asked}\n\n</div>\n\n'
        f'{_radios(items(question["choices"]), "1.")}\n</fieldset>\n<p class="kept"><button type="submit" disabled>'
        f'Check</button></p>\n<div class="answer" role="status"></div>\n</form>\n\n{folded}\n\n</div>\n'
    )


def _radios(choices: Iterable[str], mark: str) -> str:
    """A Markdown list of radio buttons, each with its choice."""
    button = '<label><input type="radio" name="value" value="{}" required><span>{}</span></label>'
    return "".join(f"{mark} {button.format(place, choice)}\n" for place, choice in enumerate(choices))


def _finding_box(text: str, guesses: list[AnsweredGuess], folded: bool, chapter: str, issues: str, commit: str) -> str:
    """A finding, closed where a guess stands before it; its claims are named in ``data-claims`` and in the report."""
    claims = dict.fromkeys(literals.named(text), "") | {place.claim: place.text for place in literals.claimed(text)}
    report = f"{_report(claims, chapter, issues, commit)}\n" if issues and claims else ""
    attributes = f' data-claims="{" ".join(claims)}"'
    if guesses:
        attributes += f' data-answers="{" ".join(one.anchor for one in guesses)}"'
    box, title = ("details", "summary") if guesses or folded else ("div", "p")
    return (
        f'<{box} class="admonition finding"{attributes}>\n<{title} class="admonition-title">{_FINDING}</{title}>\n\n'
        f"{text}\n\n{report}</{box}>\n"
    )


def _report(claims: dict[str, str], chapter: str, issues: str, commit: str) -> str:
    """A link to a new issue that names claims and numbers; nothing is sent before the reader sends it."""
    lines = [f"- {name}: {text}" if text else f"- {name}" for name, text in claims.items()]
    start, end = f"Chapter `{chapter}`, outputs of commit `{commit}`. The page states:", "What I found, and how:"
    title, body = f"{chapter}: {', '.join(claims)}", "\n".join([start, "", *lines, "", end])
    address = f"{issues}?title={quote(title)}&body={quote(body)}"
    count = len([text for text in claims.values() if text])
    words = ("this finding", "this number", "these numbers")[min(count, 2)]
    return f'<p class="report"><a href="{html.escape(address)}">report {words}</a></p>'


def new_issue_address(project: Project) -> str:
    """Where a new issue of the course's repository is written; empty where ``_config.yml`` names no repository."""
    repository = yaml.safe_load((project.root / "_config.yml").read_text(encoding="utf-8")).get("repository") or {}
    return f"{repository['url'].rstrip('/')}/issues/new" if repository.get("url") else ""


def list_guesses(page: str, guesses: list[AnsweredGuess], titles: dict[str, str]) -> str:
    """A page of the book with all guesses where it has ``<!-- guesses -->``, by chapter, each linked to its place.

    ``titles`` are the chapters' by name.
    """
    if _LIST_OF_GUESSES not in page:
        return page
    lines = []
    for chapter in dict.fromkeys(one.chapter for one in guesses):
        lines += [f"**{titles[chapter]}**", ""]
        for one in [one for one in guesses if one.chapter == chapter]:
            link = f'<a href="../notebooks/{chapter}.html#{one.anchor}">'
            question = f'<span data-guess="{one.data}">{link}{" ".join(one.guess.question.split())}</a></span>'
            lines.append(f'- {question}<span class="own">Not guessed yet.</span>')
        lines.append("")
    lines.append('<script type="module" src="../_static/guesses.js"></script>')
    return page.replace(_LIST_OF_GUESSES, "\n".join(lines))

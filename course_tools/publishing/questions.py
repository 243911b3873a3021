"""What a chapter asks, read from plain Markdown: guesses and quiz questions. Both are shown by :mod:`boxes`.

A guess stands in a quote. It asks for a number, the one that has this claim in the next finding::

    > **Your guess.** How many of the shuffled digits will it read? <!-- guess: mlp-shuffled, 0 to 100 % -->

or for a choice, the one with the comment, which gives the guess its name::

    > **Your guess.** What will happen?
    >
    > - It falls to chance.
    > - It stays as it is. <!-- answer: shuffled-order -->

A quiz question has its choices, and for each of them, folded, in the same order, what is to be said of it::

    **Question 1.** What does a perceptron know of neighbours?

    1. Which pixels touch.
    2. Nothing.

    <details><summary>Answer</summary>

    1. The shuffled digits refute that.
    2. **Right.** Any order of the pixels serves as well.

    </details>
"""

import re
from dataclasses import dataclass

from course_lib.errors import CourseError

QUOTE = re.compile(r"(?m)^> \*\*(?P<title>[^*\n]+?)\.?\*\*[ \n]?(?P<text>(?:.*\n?)(?:^>.*\n?)*)")
QUESTION = re.compile(
    r"(?ms)^\*\*Question (?P<number>\d+)\.\*\* (?P<text>.+?)\n\n(?P<choices>1\. .+?)\n\n"
    r"<details><summary>[^<\n]*</summary>\n\n(?P<answers>.+?)\n\n</details>$"
)
_NUMBER = r"−?[\d,]*\.?\d+"
_RANGE = re.compile(
    rf"\s*<!-- guess: (?P<name>[\w.-]+), (?P<low>{_NUMBER}) to (?P<high>{_NUMBER})(?: (?P<unit>[^\n>]+?))? -->"
)
_ANSWER = re.compile(r"\s*<!-- answer: (?P<name>[\w.-]+) -->")
_COMMENT = re.compile(r"<!-- (?:guess|answer): [^>]*-->")
_ITEM = re.compile(r"(?m)^(?:- |\d\. )")
_LIST = re.compile(r"(?ms)^- .+\Z")
_RIGHT = "**Right.**"


@dataclass(frozen=True)
class Guess:
    """One guess: ``question`` and ``choices`` in Markdown; a number lies between ``low`` and ``high``, in ``unit``.

    ``name`` is the claim whose number is the answer; of a choice, any name that no other guess of the chapter has.
    ``right`` is the place of the right choice, counted from 0.
    """

    name: str
    question: str
    choices: tuple[str, ...] = ()
    right: int | None = None
    low: float = 0.0
    high: float = 0.0
    unit: str = ""


def unquoted(text: str) -> str:
    """The text of a quote, without its marks."""
    return re.sub(r"(?m)^> ?", "", text).strip()


def items(text: str) -> list[str]:
    """The items of a Markdown list, each on one line or more."""
    return [" ".join(item.split()) for item in _ITEM.split(text)[1:]]


def read_guess(text: str) -> Guess:
    """The guess that a quote asks for. Raises CourseError where it cannot be told what the answer is."""
    listed, asked = _LIST.search(text), _RANGE.search(text)
    start = " ".join(text.split())[:60]
    if asked and not listed:
        low, high = (float(asked[end].replace(",", "").replace("−", "-")) for end in ("low", "high"))
        return Guess(asked["name"], _RANGE.sub("", text).strip(), low=low, high=high, unit=asked["unit"] or "")
    choices = items(listed[0]) if listed and not asked else []
    right = [place for place, choice in enumerate(choices) if _ANSWER.search(choice)]
    if len(choices) < 2 or len(right) != 1:
        raise CourseError(
            f"the guess {start!r} has no answer: write `<!-- guess: CLAIM, 0 to 100 % -->` behind the question, or a "
            "list of choices, one of them with `<!-- answer: NAME -->`."
        )
    _refuse_formulas(start, choices)
    name = _ANSWER.search(choices[right[0]])["name"]
    return Guess(name, text[: listed.start()].strip(), tuple(_ANSWER.sub("", one) for one in choices), right[0])


def check_question(question: re.Match) -> None:
    """Raise CourseError where a quiz question has not one answer for each choice, or not one that is right."""
    choices, answers = items(question["choices"]), items(question["answers"])
    _refuse_formulas(f"Question {question['number']}", choices)
    if len(choices) != len(answers) or [answer.startswith(_RIGHT) for answer in answers].count(True) != 1:
        raise CourseError(
            f"question {question['number']} has {len(choices)} choices and {len(answers)} answers: write one answer "
            f"for each choice, and begin that of the right one with {_RIGHT}"
        )


def _refuse_formulas(question: str, choices: list[str]) -> None:
    """Raise CourseError for a formula in a choice: a radio button would have no name that a screen reader can say."""
    for choice in choices:
        if "$" in choice:
            raise CourseError(f"{question!r} has a choice with a formula, {choice!r}: write it as plain text.")


def without_wrong_choices(text: str) -> str:
    """A text of the same length in which ranges of guesses and wrong choices are blank: they state nothing."""
    for quote in QUOTE.finditer(text):
        if quote["title"] == "Your guess" and _ANSWER.search(quote["text"]):
            wrong = [item for item in _spans(quote, "text", r"(?m)^> - ") if not _ANSWER.search(text, *item)]
            text = _blank(text, wrong)
    for question in QUESTION.finditer(text):
        answers = items(question["answers"])
        spans = zip(_spans(question, "choices", _ITEM.pattern), answers, strict=False)
        text = _blank(text, [span for span, answer in spans if not answer.startswith(_RIGHT)])
    return _blank(text, [comment.span() for comment in _COMMENT.finditer(text)])


def _spans(match: re.Match, group: str, item: str) -> list[tuple[int, int]]:
    """Where the items of a list begin and end."""
    starts = [match.start(group) + mark.start() for mark in re.finditer(item, match[group])]
    return list(zip(starts, [*starts[1:], match.end(group)], strict=True)) if starts else []


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
    return text

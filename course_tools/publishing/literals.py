"""Numbers as people write them: ``98.50 ± 0.02 %``, ``97–98 %``, ``138 million``, ``3,460 seconds``, ``61,706``.

A literal is read into values and a style, and any other value can be written in that style. So the prose decides the
precision, and the record the value.
"""

import re
from dataclasses import dataclass

_UNITS = {
    "%": 1e-2,
    "points": 1e-2,
    "point": 1e-2,
    "billion": 1e9,
    "G": 1e9,
    "million": 1e6,
    "M": 1e6,
    "thousand": 1e3,
    "GB": 1e9,
    "MB": 1e6,
    "MiB": 2**20,
    "GiB": 2**30,
    "ms": 1e-3,
    "milliseconds": 1e-3,
    "s": 1,
    "seconds": 1,
    "second": 1,
    "min": 60,
    "minutes": 60,
    "minute": 60,
    "h": 3600,
    "hours": 3600,
    "hour": 3600,
    "days": 86400,
    "times": 1,
    "parameters": 1,
    "weights": 1,
    "biases": 1,
    "multiply-adds": 1,
}
_GAP = "[ \u00a0]"
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_LITERAL = re.compile(
    rf"(?<![\w-])(?P<first>−?{_NUMBER})(?:(?P<join>{_GAP}?(?:–|±|to){_GAP}?)(?P<second>{_NUMBER}))?(?P<unit>{_GAP}?(?:{_UNIT})(?!\w))?"
)
# What needs a claim in prose: percentages, times and counts of parameters (any large count is one).
_SECOND_NUMBER = rf"(?:{_GAP}?(?:–|±|to){_GAP}?{_NUMBER})?"
_MUST_BE_COVERED = re.compile(
    rf"(?<![\w.,^])(?<!× )(?<![A-Za-z]-){_NUMBER}{_SECOND_NUMBER}(?:"
    rf"{_GAP}?%(?! (?:t )?intervals?\b)"  # "95 % interval" is a term
    # an exercise's *10 min.* is an estimate
    rf"|(?:{_GAP}|-)(?:ms|milliseconds?|s|seconds?|min|minutes?|h|hours?|days?)\b(?!'|\.\*)"
    rf"|{_GAP}(?:million|billion|M|G|thousand)\b"
    rf"|{_GAP}(?:parameters|weights|biases)\b"
    rf")|(?<![\w.,]){_NUMBER}(?<=\d{{3}},\d{{3}})(?![\d,]*\d)"
)


@dataclass(frozen=True)
class Literal:
    """One or two numbers, in units of 1, and how they are written.

    ``joint`` stands between two numbers (``–`` for a range, ``±`` for a spread), ``unit`` behind them, each with its
    gaps; ``decimals`` counts the digits behind the point.
    """

    values: tuple[float, ...]
    decimals: int
    joint: str = ""
    unit: str = ""

    @property
    def scale(self) -> float:
        return _scale(self.unit)

    @property
    def is_range(self) -> bool:
        return len(self.values) == 2 and "±" not in self.joint

    def write(self, *values: float) -> str:
        """Other values in this style. A spread that the style has and the values lack is left out."""
        rounded = [self._rounded(value) for value in values[: len(self.values)]]
        numbers = [f"{value:,.{self.decimals}f}" for value in rounded]
        return self.joint.join(numbers).replace("-", "−") + self.unit

    def matches(self, *values: float) -> bool:
        """Whether these values, rounded as this literal is, equal it; one value may lie in a range."""
        if self.is_range and len(values) == 1:
            low, high = map(self._rounded, self.values)
            return low <= self._rounded(values[0]) <= high
        return self.write(*values) == self.write(*self.values)

    def _rounded(self, value: float) -> float:
        return round(value / self.scale, self.decimals) + 0.0  # which makes a zero of −0.0


def _scale(unit: str) -> float:
    return _UNITS[unit.strip(" \u00a0")] if unit else 1.0


def read(text: str) -> Literal:
    """Read the first number of a text, with what belongs to it. Raises ValueError where there is none."""
    match = _LITERAL.search(text)
    if not match:
        raise ValueError(f"{text!r} holds no number")
    unit = match["unit"] or ""
    scale = _scale(unit)
    texts = [number for number in (match["first"], match["second"]) if number]
    values = tuple(float(number.replace(",", "").replace("−", "-")) * scale for number in texts)
    return Literal(values, max(len(number.partition(".")[2]) for number in texts), match["join"] or "", unit)


_FENCE = re.compile(r"(?ms)^(```+)([^\n]*)\n.*?^\1[ ]*$")
_CODE = re.compile(r"`[^`\n]+`|\$\$.*?\$\$|\$[^$\n]+\$|\]\([^)\s]*\)|<[a-z/][^>]*>", re.DOTALL)
CLAIM = re.compile(r"\s*<!-- claim: (?P<ids>[^>]*?) -->")
# A claim stands behind its number; what is counted, a bracket, a quotation mark or a full stop may stand between.
_BETWEEN = rf"(?:{_GAP}(?:parameters|weights|biases|multiply-adds))?[\"”).,;:*?!]{{0,3}}"
_COVERED = re.compile(rf"(?P<literal>{_LITERAL.pattern}){_BETWEEN}{CLAIM.pattern}")


@dataclass(frozen=True)
class Place:
    """A literal in a text: where it begins and ends, its own text, and the name of its claim."""

    start: int
    end: int
    text: str
    claim: str


def blanked(text: str) -> str:
    """A text of the same length in which code, formulas, addresses and tags of HTML are blank.

    A fence with a directive, such as ``{glossary}``, holds prose: it stays.
    """
    text = _FENCE.sub(lambda match: match[0] if match[2].startswith("{") else " " * len(match[0]), text)
    return _CODE.sub(lambda match: " " * len(match[0]), text)


def claimed(text: str) -> list[Place]:
    """All literals that have a claim, in order."""
    plain = blanked(text)
    return [
        Place(match.start("literal"), match.end("literal"), match["literal"], match["ids"])
        for match in _COVERED.finditer(plain)
    ]


def named(text: str) -> list[str]:
    """The claims that a text names, behind a literal or behind a sentence."""
    return [match["ids"] for match in CLAIM.finditer(blanked(text))]


def uncovered(text: str) -> list[str]:
    """The percentages, times and parameter counts without a claim, each with its surroundings."""
    plain = blanked(text).replace("\n", " ")  # a number and its unit may stand on two lines
    covered = [(place.start, place.end) for place in claimed(text)]
    missing = []
    for match in _MUST_BE_COVERED.finditer(CLAIM.sub(lambda claim: " " * len(claim[0]), plain)):
        if not any(start <= match.start() and match.end() <= end for start, end in covered):
            around = plain[max(0, match.start() - 40) : match.end() + 25]
            missing.append(f"{match[0]!r} in {' '.join(around.split())!r}")
    return missing

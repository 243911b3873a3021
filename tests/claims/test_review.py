"""Passages where a claim may be missing."""

import pytest
from small_book import IMPORTS

from course_tools import claims

NUMBERS, COMPARISONS, ROUNDINGS = range(3)
NET = "<!-- claim: small-accuracy -->"  # 98.50 ± 0.02 % of three seeds


@pytest.fixture
def seen(checkout):
    """What a review says of a text more than before, by kind."""
    before = list(claims.review(checkout.project).values())

    def seen(text, file="README.md"):
        checkout.add(file, f"\n{text}\n")
        after = list(claims.review(checkout.project).values())
        return [[line for line in new if line not in old] for old, new in zip(before, after, strict=True)]

    return seen


@pytest.mark.parametrize("cell", ["0.97", "about 3.5"])
def test_a_bare_number_in_a_table_is_listed(seen, cell):
    assert seen(f"| network | accuracy |\n|---|---|\n| net | {cell} |")[NUMBERS] == [f"README.md: {cell!r}"]


@pytest.mark.parametrize("cell", [f"98.50 {NET}", "version", "3", "`0.97`", "2.13.0"])
def test_numbers_with_claims_words_and_code_are_not(seen, cell):
    assert seen(f"| network | accuracy |\n|---|---|\n| net | {cell} |") == [[], [], []]


@pytest.mark.parametrize(
    ("code", "listed"),
    [
        ('plots.finish(figure, "Net is at 98.5 %.")', True),
        ('axes.set_title(f"{name}, 12 seconds")', True),
        ('plots.finish(figure, alt=f"Net is at {accuracy:.1%}.")', False),
        ('print("98.5 %")', False),
        ("%matplotlib inline\nplots.finish(figure, 'It ends at 3 %.')", True),
    ],
)
def test_a_number_in_a_caption_is_listed(checkout, seen, code, listed):
    found = seen(f"# %%\n{code}", "notebooks/01-small.py")[NUMBERS]
    assert bool(found) is listed
    assert all(line.startswith("01-small.py, cell 4, caption: ") for line in found)


@pytest.mark.parametrize(
    "text",
    [
        f"It is better, at 98.50 ± 0.02 % {NET} against another.",
        f"It reaches 98.50 ± 0.02 % {NET},\nwhich is twice as good.",
        f"- It makes fewer errors: 98.50 ± 0.02 % {NET}",
    ],
)
def test_a_comparison_beside_a_measured_number_is_listed(seen, text):
    (line,) = seen(text)[COMPARISONS]
    assert line.startswith("README.md: ") and "98.50 ± 0.02 %" in line


@pytest.mark.parametrize(
    "text",
    [
        f"It is better, at 98.50 ± 0.02 % {NET} against another <!-- claim: small-beats-other -->.",
        f"It is better <!-- claim: small-beats-other -->, at 98.50 ± 0.02 % {NET}.",
        f"It reaches 98.50 ± 0.02 % {NET}. More of that later.",
        "It has more parameters, 61,706 <!-- claim: small-parameters -->.",
        "The other paper is better, with 7.3 % <!-- claim: paper-error -->.",
    ],
)
def test_a_comparison_with_its_claim_is_not_and_neither_is_one_of_counts(seen, text):
    assert seen(text) == [[], [], []]


@pytest.mark.parametrize(
    ("code", "text", "listed"),
    [
        ('record("study-small/net")["final"]["accuracy"]', "It is better, at 98 % <!-- claim: new -->.", True),
        ('record("study-small/net")["seed"] == 0', f"It is better <!-- claim: new -->, at 98.50 % {NET}.", False),
        ("0.98", "It is better, at 98 % <!-- claim: new -->.", False),
    ],
)
def test_a_calculation_over_records_is_measured_or_compares(checkout, code, text, listed):
    (checkout.claims_folder / "new.py").write_text(f'{IMPORTS}@claim\ndef new():\n    """So."""\n    return {code}\n')
    checkout.add("README.md", f"\n{text}\n")
    assert bool(list(claims.review(checkout.project).values())[COMPARISONS]) is listed


@pytest.mark.parametrize(("literal", "listed"), [("98.5 %", True), ("98.50 %", False), ("0.985", True)])
def test_one_claim_in_two_roundings_is_listed(seen, literal, listed):
    found = seen(f"It reaches {literal} {NET} here.")[ROUNDINGS]
    assert bool(found) is listed
    assert all(line.startswith("small-accuracy: ") and literal in line for line in found)

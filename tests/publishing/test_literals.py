"""Numbers in prose: read, compared with a value, written in the same style, and found with their claims."""

import pytest

from course_tools.publishing import literals

STYLES = [
    ("98.50 ± 0.02 %", (0.985, 0.0002)),
    ("98.5\u00a0%", (0.985,)),
    ("97–98 %", (0.97, 0.98)),
    ("138 million", (138e6,)),
    ("3,460 seconds", (3460.0,)),
    ("42 ms", (0.042,)),
    ("13 min", (780.0,)),
    ("5 to 7 days", (432_000.0, 604_800.0)),
    ("0.986", (0.986,)),
    ("392.00 MiB", (392 * 2**20,)),
    ("−5.44 points", (-0.0544,)),
]


@pytest.mark.parametrize(("text", "values"), STYLES)
def test_literal_is_read_in_units_of_one_and_written_as_it_stood(text, values):
    literal = literals.read(f"about {text}, they say")
    assert literal.values == pytest.approx(values, rel=1e-12)
    assert literal.write(*literal.values) == text and literal.matches(*values)


@pytest.mark.parametrize(
    ("style", "values", "text"),
    [
        ("98.50 ± 0.02 %", (0.992512, 0.0004), "99.25 ± 0.04 %"),
        ("98.50 ± 0.02 %", (0.985,), "98.50 %"),
        ("3,460 seconds", (12_345.6,), "12,346 seconds"),
        ("1.19 points", (-0.0544,), "−5.44 points"),
        ("5–10.5 %", (0.07, 0.08), "7.0–8.0 %"),
        ("0.0 points", (-0.0001,), "0.0 points"),
    ],
)
def test_another_value_takes_the_style(style, values, text):
    assert literals.read(style).write(*values) == text


@pytest.mark.parametrize(
    ("text", "values", "agrees"),
    [
        ("98.5 %", (0.98454,), True),
        ("98.5 %", (0.98444,), False),
        ("138 M", (138_357_544,), True),
        ("102 M", (102_764_544,), False),
        ("61,706", (61_707,), False),
        ("5.44 points", (-0.0544,), False),
        ("0.00 points", (-0.00001,), True),
        # one value may lie in a range, two must be its ends
        ("97–98 %", (0.9649,), False),
        ("97–98 %", (0.9849,), True),
        ("97–98 %", (0.9851,), False),
        ("97–98 %", (0.97, 0.98), True),
        ("97–99 %", (0.97, 0.98), False),
        # a spread is compared where the literal gives one
        ("98.50 ± 0.02 %", (0.985, 0.0003), False),
        ("98.50 ± 0.02 %", (0.9851, 0.0002), False),
        ("98.50 ± 0.02 %", (0.985,), False),
        ("98.50 %", (0.985, 0.0003), True),
    ],
)
def test_values_are_rounded_to_the_literals_own_precision(text, values, agrees):
    assert literals.read(text).matches(*values) is agrees


@pytest.mark.parametrize("text", ["", "VGG-16's", "conv3"])
def test_refuses_text_without_a_number(text):
    with pytest.raises(ValueError, match="holds no number"):
        literals.read(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("and 70% of it", "70%"),
        ("98.50 ± 0.02 % (5 seeds)", "98.50 ± 0.02 %"),
        ("from 97-98 % on", "98 %"),
        ("| net | 98.5 % |", "98.5 %"),
        ("takes 5 to 7 days", "5 to 7 days"),
        ("a 10-hour run", "10-hour"),
        ("after\n3,460\nseconds", "3,460 seconds"),
        ("15.5 G multiply-adds", "15.5 G"),
        ("10 parameters", "10 parameters"),
        ("480,000 steps", "480,000"),
    ],
)
def test_percentages_times_and_counts_of_parameters_need_a_claim(text, number):
    (passage,) = literals.uncovered(text)
    assert passage.startswith(f"{number!r} in ")


@pytest.mark.parametrize(
    "text",
    [
        "windows of 3 × 3 weights",
        "`accuracy > 98 %` and `134,301,514`",
        "```python\nrate = 98 %\n134_301_514, 134,301,514\n```",
        "$p = 98 %$ and $$\n12 s\n98 %\n$$",
        "[a page](https://example.org/98%20percent)",
        '<img alt="98 % of it" width="70%">',
        "In 2014, five epochs, 19 layers and batches of 128 in chapter 4.",
        "60,000 images for training",
        "a GeForce-970 M",
        "a rate of 0.001, and 10^6 parameters",
    ],
)
def test_sizes_code_formulas_addresses_years_and_small_counts_need_none(text):
    assert literals.uncovered(text) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It reaches 98.50 ± 0.02 % <!-- claim: a-b --> here.", "98.50 ± 0.02 %"),
        ("**98 %** <!-- claim: a-b -->", "98 %"),
        ("(after 13 min) <!-- claim: a-b -->", "13 min"),
        ("“138 million”, <!-- claim: a-b -->", "138 million"),
        ("5.5 million parameters <!-- claim: a-b -->", "5.5 million"),
        ("It reaches 98 %\n<!-- claim: a-b -->.", "98 %"),
        ("In layer 3 it is 98 % <!-- claim: a-b -->", "98 %"),
    ],
)
def test_literal_is_covered_by_the_claim_directly_behind_it(text, number):
    assert literals.uncovered(text) == []
    (place,) = literals.claimed(text)
    assert (place.text, place.claim) == (number, "a-b")
    assert text[place.start : place.end] == number


@pytest.mark.parametrize(
    "text", ["98 % of them <!-- claim: a -->", "98 % and then 97 % <!-- claim: a -->", "97 % <!-- claim: a --> 98 %"]
)
def test_claim_covers_only_the_literal_before_it(text):
    (passage,) = literals.uncovered(text)
    assert passage.startswith("'98 %' in ")


def test_each_literal_has_its_own_claim_and_a_sentence_may_have_one():
    text = "In ResNet-34, 94 % <!-- claim: A.1 --> in 199 seconds <!-- claim: a-b -->. It is better. <!-- claim: c -->"
    assert [(place.text, place.claim) for place in literals.claimed(text)] == [("94 %", "A.1"), ("199 seconds", "a-b")]
    assert literals.named(text) == ["A.1", "a-b", "c"]
    code = "Write `98 % <!-- claim: NAME -->`:\n```markdown\n98 % <!-- claim: NAME -->\n```\n"
    assert (literals.named(code), literals.claimed(code), literals.uncovered(code)) == ([], [], [])


def test_blanked_text_keeps_its_length():
    text = "a `b` c\n```\nd\n```\n$e$ [f](g) <i>h</i>"
    plain = literals.blanked(text)
    assert len(plain) == len(text) and plain.split() == ["a", "c", "[f", "h"]

import pytest

from course_tools.claims import literals

STYLES = [
    ("98.50 ± 0.02 %", (0.985, 0.0002)),
    ("98.5\u00a0%", (0.985,)),
    ("97–98 %", (0.97, 0.98)),
    ("70%", (0.7,)),
    ("138 million", (138e6,)),
    ("138 M", (138e6,)),
    ("3.7 billion", (3.7e9,)),
    ("15.5 G", (15.5e9,)),
    ("600 thousand", (600e3,)),
    ("3,460 seconds", (3460.0,)),
    ("27.81 s", (27.81,)),
    ("42 ms", (0.042,)),
    ("13 min", (780.0,)),
    ("1.5 hours", (5400.0,)),
    ("5 to 7 days", (432_000.0, 604_800.0)),
    ("61,706", (61_706.0,)),
    ("14,714,688", (14_714_688.0,)),
    ("5,130 parameters", (5130.0,)),
    ("0.986", (0.986,)),
    ("392.00 MiB", (392 * 2**20,)),
    ("9.03 GB", (9.03e9,)),
    ("−5.44 points", (-0.0544,)),
    ("128", (128.0,)),
]


@pytest.mark.parametrize(("text", "values"), STYLES)
def test_a_literal_is_read_in_units_of_one(text, values):
    assert literals.read(text).values == pytest.approx(values, rel=1e-12)


@pytest.mark.parametrize(("text", "values"), STYLES)
def test_a_literal_is_written_as_it_stood_and_says_what_it_says(text, values):
    literal = literals.read(text)
    assert literal.write(*literal.values) == text
    assert literal.says(*values)


@pytest.mark.parametrize(("text", "values"), STYLES)
def test_a_literal_is_found_within_a_text(text, values):
    assert literals.read(f"about {text}, they say").write(*values) == text


@pytest.mark.parametrize(
    ("style", "values", "text"),
    [
        ("98.50 ± 0.02 %", (0.992512, 0.0004), "99.25 ± 0.04 %"),
        ("98.50 ± 0.02 %", (0.985,), "98.50 %"),
        ("98.5 %", (0.985, 0.0002), "98.5 %"),
        ("3,460 seconds", (12_345.6,), "12,346 seconds"),
        ("1.19 points", (-0.0544,), "−5.44 points"),
        ("−5.44 points", (0.0119,), "1.19 points"),
        ("138 million", (143_667_240,), "144 million"),
        ("13 min", (2_700.0,), "45 min"),
        ("0.986", (0.9,), "0.900"),
        ("42 ms", (0.0014,), "1 ms"),
        ("98\u00a0%", (0.7,), "70\u00a0%"),
        ("5–10.5 %", (0.07, 0.08), "7.0–8.0 %"),
        ("0.0 points", (-0.0001,), "0.0 points"),
    ],
)
def test_another_value_takes_the_style(style, values, text):
    assert literals.read(style).write(*values) == text


@pytest.mark.parametrize(
    ("text", "values", "is_so"),
    [
        ("98.5 %", (0.98454,), True),
        ("98.5 %", (0.98444,), False),
        ("98 %", (0.98444,), True),
        ("138 M", (138_357_544,), True),
        ("102 M", (102_764_544,), False),
        ("61,706", (61_706,), True),
        ("61,706", (61_707,), False),
        ("13 min", (809.0,), True),
        ("13 min", (811.0,), False),
        ("−5.44 points", (-0.0544,), True),
        ("5.44 points", (-0.0544,), False),
        ("0.00 points", (-0.00001,), True),
    ],
)
def test_a_value_is_rounded_to_the_literals_own_precision(text, values, is_so):
    assert literals.read(text).says(*values) is is_so


@pytest.mark.parametrize(
    ("text", "values", "is_so"),
    [
        ("97–98 %", (0.9749,), True),
        ("97–98 %", (0.9651,), True),
        ("97–98 %", (0.9649,), False),
        ("97–98 %", (0.9849,), True),
        ("97–98 %", (0.9851,), False),
        ("7–8 %", (0.07,), True),
        ("28–29 %", (0.29,), True),
        ("97–98 %", (0.97, 0.98), True),
        ("96–98 %", (0.97, 0.98), False),
        ("97–99 %", (0.97, 0.98), False),
        ("5–10.5 %", (0.05, 0.104), False),
        ("5 to 7 days", (6 * 86_400.0,), True),
    ],
)
def test_one_value_may_lie_in_a_range_and_two_must_be_its_ends(text, values, is_so):
    assert literals.read(text).says(*values) is is_so


@pytest.mark.parametrize(
    ("text", "values", "is_so"),
    [
        ("98.50 ± 0.02 %", (0.985, 0.0002), True),
        ("98.50 ± 0.02 %", (0.985, 0.0003), False),
        ("98.50 ± 0.02 %", (0.9851, 0.0002), False),
        ("98.50 ± 0.02 %", (0.985,), False),
        ("98.50 %", (0.985, 0.0003), True),
        ("98.5 ± 0.02 %", (0.985, 0.0004), False),
    ],
)
def test_a_spread_is_compared_where_the_literal_gives_one(text, values, is_so):
    assert literals.read(text).says(*values) is is_so


@pytest.mark.parametrize("text", ["", "as listed", "VGG-16's", "conv3"])
def test_words_hold_no_number(text):
    with pytest.raises(ValueError, match="holds no number"):
        literals.read(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It reaches 98 %.", "98 %"),
        ("It reaches 98.5\u00a0%.", "98.5\u00a0%"),
        ("and 70% of it", "70%"),
        ("from 97–98 % on", "97–98 %"),
        ("98.50 ± 0.02 % (5 seeds)", "98.50 ± 0.02 %"),
        ("from 97-98 % on", "98 %"),
        ("| net | 98.5 % |", "98.5 %"),
        ("takes 27.81 s", "27.81 s"),
        ("takes 3,460 seconds", "3,460 seconds"),
        ("takes 42 ms", "42 ms"),
        ("takes 13 min", "13 min"),
        ("takes 5 to 7 days", "5 to 7 days"),
        ("a 10-hour run", "10-hour"),
        ("after\n3,460\nseconds", "3,460 seconds"),
        ("138 million of them", "138 million"),
        ("nearly 5.5\nmillion", "5.5 million"),
        ("3.7 billion steps", "3.7 billion"),
        ("15.5 G multiply-adds", "15.5 G"),
        ("10 parameters", "10 parameters"),
        ("1,152 weights", "1,152 weights"),
        ("16 biases", "16 biases"),
        ("29,773,354 in all", "29,773,354"),
        ("480,000 steps", "480,000"),
    ],
)
def test_percentages_times_and_counts_of_parameters_need_a_claim(text, number):
    (found,) = literals.uncovered(text)
    assert found.startswith(f"{number!r} in ")


@pytest.mark.parametrize(
    "text",
    [
        "images of 28 × 28 pixels",
        "windows of 3 × 3 weights",
        "`accuracy > 98 %` and `134,301,514`",
        "```python\nrate = 98 %\n134_301_514, 134,301,514\n```",
        "$p = 98 %$",
        "$$\n12 s\n98 %\n$$",
        "[a page](https://example.org/98%20percent)",
        '<img alt="98 % of it" width="70%">',
        "In 2014 it was second.",
        "Five epochs, 19 layers and batches of 128 in chapter 4.",
        "60,000 images for training and 10,000 for testing",
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
        ("97–98 %<!-- claim: a-b -->", "97–98 %"),
        ("**98 %** <!-- claim: a-b -->", "98 %"),
        ("(after 13 min) <!-- claim: a-b -->", "13 min"),
        ("It takes 13 min. <!-- claim: a-b -->", "13 min"),
        ("“138 million”, <!-- claim: a-b -->", "138 million"),
        ("61,706 parameters <!-- claim: a-b -->", "61,706 parameters"),
        ("5.5 million parameters <!-- claim: a-b -->", "5.5 million"),
        ("15.5 G multiply-adds <!-- claim: a-b -->", "15.5 G"),
        ("−5.44 points <!-- claim: a-b -->", "−5.44 points"),
        ("It reaches 98 %\n<!-- claim: a-b -->.", "98 %"),
        ("In layer 3 it is 98 % <!-- claim: a-b -->", "98 %"),
    ],
)
def test_a_literal_is_covered_by_the_claim_directly_behind_it(text, number):
    assert literals.uncovered(text) == []
    (place,) = literals.claimed(text)
    assert (place.text, place.claim) == (number, "a-b")
    assert text[place.start : place.end] == number


@pytest.mark.parametrize(
    "text",
    [
        "98 % of them <!-- claim: a-b -->",
        "It reaches 98 % here. <!-- claim: a-b -->",
        "98 % and then 97 % <!-- claim: a-b -->",
        "98 % [of them](there) <!-- claim: a-b -->",
    ],
)
def test_a_claim_that_stands_a_word_further_does_not_cover(text):
    (found,) = literals.uncovered(text)
    assert found.startswith("'98 %' in ")


def test_what_is_uncovered_is_shown_with_the_words_around_it():
    (found,) = literals.uncovered("Where it is said that the deeper network reaches\n97 % of all the digits, it is")
    assert found == "'97 %' in 'is said that the deeper network reaches 97 % of all the digits, it is'"


def test_every_literal_has_its_own_claim():
    text = "From 94 % <!-- claim: A.1 --> to 98 % <!-- claim: A.2 --> in 199 seconds <!-- claim: a-b -->."
    assert [(one.text, one.claim) for one in literals.claimed(text)] == [
        ("94 %", "A.1"),
        ("98 %", "A.2"),
        ("199 seconds", "a-b"),
    ]


@pytest.mark.parametrize("name", ["ResNet-34", "VGG16", "conv3_1"])
def test_a_number_in_a_name_is_no_literal(name):
    text = f"That is what the report says of {name} <!-- claim: C.4 -->."
    assert literals.claimed(text) == []
    assert literals.named(text) == ["C.4"]


def test_a_claim_may_stand_behind_a_sentence():
    text = "It is better. <!-- claim: small-beats-other --> And it takes 13 min <!-- claim: A.1 -->."
    assert literals.named(text) == ["small-beats-other", "A.1"]


def test_a_claim_in_code_is_none():
    text = "Write `98 % <!-- claim: NAME -->`:\n```markdown\n98 % <!-- claim: NAME -->\n```\n"
    assert (literals.named(text), literals.claimed(text), literals.uncovered(text)) == ([], [], [])


def test_what_is_blanked_keeps_its_length():
    text = "a `b` c\n```\nd\n```\n$e$ [f](g) <i>h</i>"
    plain = literals.blanked(text)
    assert len(plain) == len(text)
    assert plain.split() == ["a", "c", "[f", "h"]

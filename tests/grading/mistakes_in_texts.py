"""Task 8, handed in as what a program can see to be no answer."""

from known_mistakes import Mistake

_STUCK, _DATA = 'WHY_STUCK = """\n', 'WHAT_DATA_BUYS = """\n'

MISTAKES = [
    Mistake(
        f"{name}: {what}",
        part=name,
        old=old,
        new=f'{name} = {value}\n\nLEFT_OVER = """\n',
        hint=hint,
    )
    for name, old in (("WHY_STUCK", _STUCK), ("WHAT_DATA_BUYS", _DATA))
    for what, value, hint in (
        ("empty", '""', "still empty"),
        ("white space", '" \\n\\t "', "still empty"),
        ("nothing", "None", "should be a string; it is None"),
        ("a list of lines", '["word " * 50, "word " * 50]', "should be a string; it is a list"),
        ("one sentence", '"It does not learn."', "has 4 words"),
        ("one word too few", '"word " * 79', "has 79 words"),
        ("one word too many", '"word " * 251', "has 251 words"),
    )
]

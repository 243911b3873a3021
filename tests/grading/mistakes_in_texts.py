"""Task 8, handed in as what a program can see to be no answer."""

from known_mistakes import Mistake

MISTAKES = [
    Mistake(name, f'{name} = """\n', f'{name} = {value}\n\nLEFT_OVER = """\n', hint)
    for name in ("WHY_STUCK", "WHAT_DATA_BUYS")
    for value, hint in (
        ('""', "still empty"),
        ('" \\n\\t "', "still empty"),
        ("None", "should be a string; it is None"),
        ('["word " * 50, "word " * 50]', "should be a string; it is a list or tuple"),
        ('"It does not learn."', "has 4 words"),
        ('"word " * 79', "has 79 words"),
        ('"word " * 251', "has 251 words"),
    )
]

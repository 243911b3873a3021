"""Where the diagnosis card is. Imported when there is something to tell: an address makes no chapter stale."""

DIAGNOSIS = "https://github.com/convnets-measured/convnets-measured/blob/main/book/diagnosis.md"


def address(symptom: str) -> str:
    """The part of the card that treats a symptom, which is a key of ``history.warnings``."""
    return f"{DIAGNOSIS}#{symptom}"

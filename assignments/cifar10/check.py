"""``python check.py``: which of your answers are right so far, in seconds, without a network."""

import sys

OLDEST = (3, 11)


def main() -> int:
    """Check this folder, or the one that is named. Returns 0 when every task that a program marks is right."""
    if sys.version_info < OLDEST:
        wanted, have = (".".join(map(str, version[:2])) for version in (OLDEST, sys.version_info))
        print(f"check: this needs Python {wanted} or newer, and you run {have}: make the environment with a newer one.")
        return 2
    try:
        from checks import feedback
    except ModuleNotFoundError as error:
        print(f"check: this Python has no {error.name}: run the commands of the README, and use .venv's Python.")
        return 2
    return feedback.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

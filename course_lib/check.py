"""``python -m course_lib.check``: what a student's answers are worth so far, in seconds, without a network."""

import sys

OLDEST = (3, 11)


def main() -> int:
    """Check the current folder, or the one that is named. Returns 0 when every task that a program marks is right."""
    if sys.version_info < OLDEST:
        wanted, have = (".".join(map(str, version[:2])) for version in (OLDEST, sys.version_info))
        print(f"check: this needs Python {wanted} or newer, and you run {have}: make the environment with a newer one.")
        return 2
    from course_lib.grading import feedback

    return feedback.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

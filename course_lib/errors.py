"""Errors that a reader can fix, and the one line in which a command reports them."""

import argparse
import contextlib
import sys
from collections.abc import Callable
from typing import NoReturn


class CourseError(Exception):
    """An error that the reader can fix. Its text is one line: what is wrong, then what to do."""

    def __init__(self, message: str):
        super().__init__(printable(" ".join(message.split())))


def printable(text: str) -> str:
    """A text without control characters, which would steer a terminal: others may have written what is in it."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


class Parser(argparse.ArgumentParser):
    """An argument parser that reports a wrong argument in one line, without the usage."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        print_anything()

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"course: {message}; `{self.prog} --help` lists what it takes.\n")


def print_anything() -> None:
    """Make standard output and error print ``?`` for a character that the console lacks, rather than raise."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # not a text file: a notebook's has all characters, None takes none
            stream.reconfigure(errors="replace")


def run_command(act: Callable[[], object]) -> int:
    """Call ``act`` and return the exit status: 0, or 1 after printing a CourseError as one line, or 130 for Ctrl-C."""
    try:
        act()
    except CourseError as error:
        print(f"course: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the program that reads our output, such as head, has ended
        sys.stdout = None
    except KeyboardInterrupt:
        print("course: stopped; what was finished is kept.", file=sys.stderr)
        return 130
    return 0


def positive(kind: type) -> Callable[[str], float]:
    """An argument type: a number above 0, of type ``int`` or ``float``."""

    def read(text: str):
        value = kind(text)
        if not value > 0:
            raise ValueError
        return value

    read.__name__ = f"number above 0, {kind.__name__},"
    return read

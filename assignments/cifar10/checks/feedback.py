"""Shows a student which parts are right, a hint for each other one, and the points so far.

Its questions are public, and their right replies come with the assignment, in ``feedback.safetensors``. Marks are given
on other questions of the same kind.
"""

import argparse
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from checks import logits, marking, messages, pair, script
from checks.marking import Asked, Verdict
from checks.process import Worker, WorkerGone
from checks.tasks import PARTS
from course_lib.errors import CourseError, print_anything, printable
from course_lib.storage import user_path

PUBLIC = "feedback.safetensors"
_FORM = (
    "      Only its form is checked here, for CIFAR-10 is not on this machine. Its numbers are held against\n"
    "      logits.safetensors when it is graded."
)


def main(arguments: list[str]) -> int:
    """Check one folder. Returns 0 where all is right, 1 where something is not or cannot be checked."""
    reader = argparse.ArgumentParser(prog="python check.py", description="Check the answers in a folder.")
    reader.add_argument("folder", nargs="?", default=".", help="where answers.py lies (default: here)")
    print_anything()
    names = (script.SCRIPT, script.NOTEBOOK)
    reader.add_argument("--keep", choices=names, help="which file to go on with where both were edited")
    options = reader.parse_args(arguments)
    try:
        return 0 if _check(user_path(options.folder), options.keep) else 1
    except CourseError as error:
        problem = str(error)
    except WorkerGone as gone:
        problem = f"the process that runs your answers did not start: {gone} Install requirements.txt again."
    except KeyboardInterrupt:
        problem = "stopped."
    print(f"check: {problem}", file=sys.stderr)
    return 1


def write(path: Path, asked: Mapping[str, Asked]) -> None:
    """Write public questions and their right replies."""
    content = {key: {"questions": part.questions, "expected": part.expected} for key, part in asked.items()}
    path.write_bytes(messages.pack(content))


def read(path: Path) -> dict[str, Asked]:
    """Public questions, from the file that came with the assignment. Raises CourseError where it is not that."""
    try:
        content = messages.unpack(path.read_bytes())
        asked = {key: Asked(part["questions"], part["expected"]) for key, part in content.items()}
        if set(asked) != set(PARTS):
            raise KeyError
        return asked
    except FileNotFoundError as error:
        raise CourseError(f"There is no {path.name} here: run this in the folder of your assignment.") from error
    except (OSError, AttributeError, KeyError, TypeError, messages.MessageError) as error:
        raise CourseError(f"{path.name} is not what came with the assignment: `git checkout {path.name}`.") from error


def _check(folder: Path, keep: str | None) -> bool:
    if done := pair.synchronise(folder, keep):
        print(done)
    cells = script.read_script(folder)
    asked = read(folder / PUBLIC)
    handed_in = {**logits.handed_in(folder), "own_labels": logits.fetched_labels()}
    verdicts: list[Verdict] = []
    with tqdm(total=len(asked), desc="checking", unit="part", leave=False, file=sys.stderr) as bar:
        for verdict in marking.mark(cells, asked, Worker, handed_in):
            if not verdicts or verdicts[-1].task is not verdict.task:
                bar.write(f"\nTask {verdict.task.number}: {verdict.task.title}", file=sys.stdout)
            bar.write(line(verdict), file=sys.stdout)
            if verdict.part.needs_labels and not verdict.hint and handed_in["own_labels"] is None:
                bar.write(_FORM, file=sys.stdout)
            bar.update()
            verdicts.append(verdict)
    by_person = sum(verdict.part.points for verdict in verdicts if verdict.part.by_person)
    most = sum(verdict.part.points for verdict in verdicts) - by_person
    earned = sum(verdict.points for verdict in verdicts)
    print(f"\n{earned} of {most} points that a program gives. {by_person} more are given by a person, for task 8.")
    return not any(verdict.hint for verdict in verdicts)


def line(verdict: Verdict) -> str:
    """The lines about one part: right or not yet, and then the hint below it, indented."""
    name, points = verdict.part.key, verdict.part.points
    if not verdict.hint:
        return f"  {name}: {'handed in; a person marks it' if verdict.part.by_person else f'right, {points} points'}"
    hint = textwrap.fill(printable(verdict.hint), 100, initial_indent="      ", subsequent_indent="      ")
    return f"  {name}: not yet, 0 of {points} points\n{hint}"

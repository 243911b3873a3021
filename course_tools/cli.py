"""The command line of ``course``; what each command does is in :mod:`course_tools.commands`."""

import argparse
import sys
from functools import partial

from course_lib.errors import Parser, positive, run_command
from course_lib.profiles import PROFILES
from course_tools import commands


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0 on success, 1 where something has to be fixed, 2 for a wrong command line."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["data"]:  # what chapter 8 names
        from course_lib.data.__main__ import main as data

        return data(arguments[1:])
    options = parser().parse_args(arguments)
    if options.act is None:
        options.parser.print_help()
        return 2
    return run_command(lambda: options.act(options))


def parser() -> argparse.ArgumentParser:
    """The parser with all commands."""
    top = Parser(prog="course", description="Run, check and publish Convnets, Measured.")
    top.set_defaults(act=None, parser=top)
    verbs = top.add_subparsers(title="commands", metavar="COMMAND")

    def add(to, name: str, act, summary: str) -> argparse.ArgumentParser:
        """A command, or with ``act=None`` a group of actions."""
        command = to.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        command.set_defaults(act=act, parser=command)
        return command

    verb = partial(add, verbs)

    def chapters(command: argparse.ArgumentParser) -> None:
        command.add_argument("chapters", nargs="*", metavar="CHAPTER", help="such as 01-mlp, 01 or mlp; default: all")

    def profile(command: argparse.ArgumentParser) -> None:
        command.add_argument(
            "--profile",
            choices=(*PROFILES, "auto"),
            default="auto",
            help="quick: embedded sample; cpu: full data; full: one GPU; auto: what fits this machine",
        )

    run = verb("run", commands.run, "run chapters through papermill, side by side")
    chapters(run)
    profile(run)
    run.add_argument("--jobs", type=positive(int), help="how many chapters at a time (default: one per core)")
    run.add_argument("--minutes", type=positive(float), help="time limit of a chapter")
    run.add_argument("--force", action="store_true", help="run also chapters whose last run is still fresh")

    book = verb("book", commands.book, "build the website from the runs of a profile, or from the published outputs")
    profile(book)
    book.add_argument("--published", action="store_true", help="show the committed outputs; run nothing")

    verb("pdf", commands.pdf, "print the built website into one PDF, with Chrome or Chromium")

    serve = verb("serve", commands.serve, "show the built website, and rebuild what you edit")
    serve.add_argument("--port", type=positive(int), default=8000, help="(default: 8000)")

    publish = verb("publish", commands.publish, "put the outputs of a completed run into notebooks/*.ipynb")
    chapters(publish)
    profile(publish)
    publish.add_argument("--replace-better", action="store_true", help="let a cpu run replace a published full run")

    stamp = verb("stamp", commands.stamp, "publish today's quick fingerprint, after an edit of quick values only")
    chapters(stamp)

    verb("draw", commands.draw, "draw tables and figures over records again in the committed notebooks")

    figures = verb("live", commands.live, "take the pictures of live figures, and write each as a page to try it on")
    figures.add_argument("figures", nargs="*", metavar="FIGURE", help="such as drag-a-digit; default: all")

    verb("status", commands.status, "list chapters and studies, what is published of them, and whether that is fresh")

    pair = verb("pair", commands.pair, "bring each notebook in step with its .py source, which wins")
    chapters(pair)
    pair.add_argument("--check", action="store_true", help="only list the pairs that differ")
    pair.add_argument("--take-notebook", action="store_true", help="carry a hand edit of the .ipynb into the .py")

    study = verb("study", commands.study, "run a grid of training runs, resumable, or list the studies")
    study.add_argument("name", nargs="?", metavar="NAME", help="such as mnist-six; default: list them")
    seeds = study.add_mutually_exclusive_group()
    seeds.add_argument("--seeds", type=positive(int), help="how many runs per network (default: the study's own)")
    seeds.add_argument("--seed", type=int, help="the runs of this seed only, so that machines can share a study")
    study.add_argument("--size", choices=(*PROFILES, "auto"), default="auto", help="as the profiles of chapters")
    study.add_argument("--jobs", type=positive(int), help="how many runs at a time (default: one per core, or per GPU)")
    study.add_argument("--processes", type=positive(int), default=1, help="how many train each network (default: 1)")
    study.add_argument("--hours", type=positive(float), help="begin no run after so many; the next call goes on")
    study.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster that runs it, such as tcp://10.0.0.1:8786"
    )
    study.add_argument("--limit", type=positive(float), help="minutes after which a run on the cluster has failed")
    study.add_argument("--publish", action="store_true", help="then put each name with all its seeds into results/")
    study.add_argument("--replace-better", action="store_true", help="let cpu runs replace published full ones")

    claims = verb("claims", commands.claims, "compare every number of the book with the record that proves it")
    action = claims.add_mutually_exclusive_group()
    action.add_argument("--update", action="store_true", help="rewrite numbers in prose, Scorecard and Errata")
    action.add_argument("--review", action="store_true", help="list passages where a claim may be missing")

    summary = "evaluate the network behind a number of the book again, or list the numbers that have one"
    verify = verb("verify", commands.verify, summary)
    verify.add_argument("name", nargs="?", metavar="NAME", help="a claim or FILE/NAME of runs; default: list them")
    verify.add_argument("--train", action="store_true", help="train the first seed again, and keep its weights first")

    summary = "write the page that compares our networks with torchvision's"
    conformance = verb("conformance", commands.conformance, summary)
    conformance.add_argument("--check", action="store_true", help="only list what is out of date")

    summary = "write the repository's new address wherever the old one is mentioned"
    repository = verb("set-repository", commands.set_repository, summary)
    repository.add_argument("repository", metavar="OWNER/NAME", help="on GitHub, or its whole address")
    repository.add_argument("--branch", default="main", help="its default branch (default: main)")

    assignment = verb("assignment", None, "release the assignment to students, and grade what they hand in")
    action = partial(add, assignment.add_subparsers(title="actions", metavar="ACTION"))

    summary = "make the students' repository: no solutions, a history of one commit"
    release = action("release", commands.release_assignment, summary)
    release.add_argument("folder", metavar="DIR", help="a new or empty folder outside of this checkout")

    def grading(command: argparse.ArgumentParser) -> None:
        command.add_argument("--out", metavar="CSV", default="grades.csv", help="the table (default: grades.csv)")
        command.add_argument("--rubric", metavar="CSV", help="points that a person gives: task 8, and corrections")
        command.add_argument("--seed", type=int, help="of the questions (default: fresh, then the same for this table)")
        command.add_argument(
            "--jobs", type=positive(int), help="how many submissions at a time (default: one per core)"
        )
        command.add_argument("--i-trust-this-code", action="store_true", help="run students' code without a sandbox")

    grade = action("grade", commands.grade_assignment, "grade submissions in a sandbox, side by side, resumable")
    grade.add_argument("submissions", nargs="+", metavar="SUBMISSION", help="folders, or the one that holds them all")
    grade.add_argument("--roster", metavar="CSV", help="whose folder is whose")
    grade.add_argument("--deadline", metavar="TIME", help="such as 2026-12-01T23:59+01:00; flags what is late")
    grading(grade)

    regrade = action("regrade", commands.regrade_assignment, "grade some submissions again, and replace their rows")
    regrade.add_argument("submissions", nargs="+", metavar="SUBMISSION", help="folders, or ids of the table")
    grading(regrade)

    verb("data", None, "fetch, verify or find data sets and pretrained weights (python -m course_lib.data)")
    return top


if __name__ == "__main__":
    sys.exit(main())

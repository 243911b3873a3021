"""``python -m course_lib.recipes``: train by a recipe, or list the recipes."""

import sys
from collections.abc import Sequence

from course_lib import recipes
from course_lib.errors import Parser, positive, run_command
from course_lib.training import processes
from course_lib.training.launch import launch


def main(arguments: Sequence[str] | None = None) -> int:
    """List the recipes, or run one. Returns 0, or 1 for an error that the reader can fix."""
    parser = Parser(prog="python -m course_lib.recipes", description="Train by a recipe, or list the recipes.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="such as mnist-99; default: list them")
    parser.add_argument("--seeds", type=positive(int), default=1, help="how many runs, with seeds 0, 1 … (default: 1)")
    parser.add_argument("--test", action="store_true", help="train on validation images too and open the test set")
    parser.add_argument("--sample", action="store_true", help="use the small sample in the package: a look, no network")
    parser.add_argument("--processes", type=positive(int), default=1, help="how many train together (default: 1)")
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(arguments)
    if options.name is None:
        return run_command(list_recipes)
    if options.processes > 1 and processes().count == 1:
        return run_command(lambda: launch(options.processes, ["-m", "course_lib.recipes", *arguments]))
    size = "sample" if options.sample else "full"
    return run_command(lambda: run(options.name, options.seeds, options.test, size))


def list_recipes() -> None:
    """Print each recipe's name and first line."""
    for name in recipes.NAMES:
        print(f"{name:<11} {recipes.take(name).__doc__.splitlines()[0]}")


def run(name: str, seeds: int, test: bool, size: str) -> None:
    """Print the accuracy and the seconds of one run a seed."""
    for seed in range(seeds):
        result = recipes.run(name, seed=seed, test=test, size=size)
        if not processes().is_first:
            continue
        views = "" if result.views == "one" else f" ({result.views}; {result.alone:.2%} without)"
        images = f"{result.judged_on} images{views}"
        print(f"{result.recipe}, seed {seed}: {result.accuracy:.2%} on {images}, {result.seconds:.1f} s")


if __name__ == "__main__":
    sys.exit(main())

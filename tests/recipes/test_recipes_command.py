"""``python -m course_lib.recipes``."""

import pytest

from course_lib import recipes
from course_lib.recipes import __main__ as command


@pytest.fixture
def runs(monkeypatch):
    """Instead of training: the arguments of each run, and results with made-up numbers."""
    calls = []

    def run(name, *, seed, test, size):
        recipes.take(name)
        calls.append((name, seed, test, size))
        views = "one" if name == "mnist-99" else "mirrored"
        judged_on = "test" if test else "validation"
        return recipes.Result(name, seed, 9, 2, 1.26, judged_on, 0.9912 - seed / 100, 0.9856, views, 3, "CPU")

    monkeypatch.setattr(recipes, "run", run)
    return calls


def test_without_a_name_they_are_listed_a_line_each(runs, capsys):
    assert command.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{name:<11} {recipes.take(name).__doc__.splitlines()[0]}" for name in recipes.NAMES]
    assert runs == []


@pytest.mark.parametrize(
    ("words", "arguments", "lines"),
    [
        (["mnist-99"], [("mnist-99", 0, False, "full")], ["mnist-99, seed 0: 99.12% on validation images, 1.3 s"]),
        (
            ["mnist-99", "--sample", "--seeds", "2"],
            [("mnist-99", seed, False, "sample") for seed in range(2)],
            [f"mnist-99, seed {seed}: {99 - seed}.12% on validation images, 1.3 s" for seed in range(2)],
        ),
        (
            ["cifar10-90", "--test"],
            [("cifar10-90", 0, True, "full")],
            ["cifar10-90, seed 0: 99.12% on test images (mirrored; 98.56% without), 1.3 s"],
        ),
    ],
)
def test_a_recipe_prints_a_line_a_seed(runs, capsys, words, arguments, lines):
    assert command.main(words) == 0
    assert runs == arguments and capsys.readouterr().out.splitlines() == lines


def test_several_processes_are_launched_with_the_same_words_and_the_first_prints(runs, capsys, monkeypatch):
    launched = []
    monkeypatch.setattr(command, "launch", lambda count, words: launched.append((count, words)))
    words = ["mnist-99", "--sample", "--processes", "2"]
    assert command.main(words) == 0
    assert launched == [(2, ["-m", "course_lib.recipes", *words])] and runs == []
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, value)
    assert command.main(words) == 0 and capsys.readouterr().out.startswith("mnist-99, seed 0: 99.12%")
    monkeypatch.setenv("RANK", "1")
    assert command.main(words) == 0 and capsys.readouterr().out == ""
    assert len(launched) == 1 and len(runs) == 2


def test_an_unknown_recipe_and_a_wrong_number_get_one_line(runs, capsys):
    assert command.main(["mnist-98"]) == 1
    error = f"course: There is no recipe 'mnist-98': choose from {', '.join(recipes.NAMES)}.\n"
    assert capsys.readouterr() == ("", error) and runs == []
    with pytest.raises(SystemExit) as ended:
        command.main(["mnist-99", "--seeds", "0"])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and error.count("\n") == 1
    assert error.startswith("course: argument --seeds: invalid number above 0") and "`python -m course_lib.re" in error

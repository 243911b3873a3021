"""``python -m course_lib.data``, and ``course data``, its alias."""

import pytest

from course_lib import storage, weights
from course_lib.data import __main__ as command
from course_lib.data import cache
from course_lib.data.catalog import MNIST
from course_tools import cli

NAMES = ["mnist", "cifar10", "vgg16-features", "alexnet-features", "mobilenet-v2", "efficientnet-lite0"]


@pytest.fixture
def fetched(monkeypatch):
    """Instead of fetching: the names, and whether a damaged file would have been replaced."""
    calls = []
    monkeypatch.setattr(storage.Download, "ensure", lambda download, again: calls.append((download.name, again)))
    return calls


@pytest.mark.parametrize(
    ("words", "names"),
    [(["vgg16-features", "mnist"], ["vgg16-features", "mnist"]), ([], ["mnist", "cifar10", "mobilenet-v2"])],
)
def test_fetch_takes_data_sets_and_weights_or_brings_what_most_chapters_need(fetched, words, names):
    assert command.main(["fetch", *words]) == 0
    assert fetched == [(name, True) for name in names]


@pytest.mark.parametrize("action", ["fetch", "verify", "where"])
def test_an_unknown_name_is_refused_in_one_line_before_anything_is_fetched(fetched, capsys, action):
    assert command.main([action, "mnist", "vgg61"]) == 1
    assert fetched == []
    assert capsys.readouterr() == (
        "",
        f"course: Unknown data set or weights 'vgg61': choose from {', '.join(NAMES)}.\n",
    )


def test_where_lists_every_file(home, capsys):
    assert command.main(["where"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(NAMES)
    assert f"MNIST: {home / 'data' / 'mnist.npz'} (not fetched yet)" in lines
    assert f"Weights vgg16-features: {home / 'weights' / 'vgg16-features.pt'} (not fetched yet)" in lines


def test_verify_names_everything_missing_that_most_chapters_need_and_whatever_is_damaged(home, capsys):
    for path in (cache.path_of(MNIST), weights.path_of("alexnet-features")):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"rubbish")
    assert command.main(["verify"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("course: ") and error.count("\n") == 1
    assert error.count("is damaged") == 2 and "if it is yours. CIFAR-10: not in the cache, run `python -m" in error
    assert "Weights mobilenet-v2: not in the cache, run `python -m course_lib.data fetch mobilenet-v2`." in error
    assert "vgg16" not in error, "weights that nobody fetched need no check"


@pytest.mark.parametrize("words", [["where", "mnist"], ["verify", "mnist"], []])
def test_course_data_is_an_alias(home, capsys, words):
    status, output = command.main(words), capsys.readouterr()
    assert (cli.main(["data", *words]), capsys.readouterr()) == (status, output)
    assert status == {"where": 0, "verify": 1}.get(words[0] if words else "", 2)

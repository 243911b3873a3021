"""``course study``: what it lists, refuses, runs and publishes, in words and exit status."""

import pytest

from course_tools import cli
from course_tools.studies import plan as plans
from course_tools.studies import run
from course_tools.studies.plan import names, plan, study_module

pytestmark = pytest.mark.usefixtures("fingerprinted")


@pytest.fixture
def here(project, monkeypatch):
    """In an empty checkout."""
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture
def there(done, cheap, monkeypatch):
    """In a checkout where the three runs that make up this plan are done."""
    monkeypatch.chdir(done.root)
    monkeypatch.setattr(plans, "plan", lambda name, size, seeds=None: cheap)
    return done


@pytest.fixture
def calls(monkeypatch):
    """The calls of run_study, which runs nothing."""
    calls = []

    def run_study(project, study, size, planned, **how):
        calls.append((study, size, len(planned), *how.values()))
        return [run.Outcome(one, moved=bool(how["scheduler"]) and one.seed == 1) for one in planned]

    monkeypatch.setattr(run, "run_study", run_study)
    return calls


def test_lists_the_studies_outside_of_a_checkout_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["study"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [
        [name, study_module(name).__doc__.splitlines()[0]] for name in names()
    ]
    assert cli.main(["study", "mnist-six"]) == 1
    assert "not a checkout of the course" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (["--size", "cpu"], ("mnist-six", "cpu", 30, None, 1, None, None, None)),
        (
            ["--size", "full", "--seeds", "2", "--jobs", "3", "--processes", "2", "--hours", "0.5"],
            ("mnist-six", "full", 12, 3, 2, 0.5, None, None),
        ),
        ([], ("mnist-six", "quick", 12, None, 1, None, None, None)),  # COURSE_PROFILE
    ],
)
def test_options_reach_run_study(here, calls, words, call, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    assert cli.main(["study", "mnist-six", *words]) == 0
    assert calls == [call]
    assert capsys.readouterr().out == f"mnist-six, {call[1]}: {call[2]} of {call[2]} runs are done.\n"


@pytest.mark.parametrize("seed", [0, 7])
def test_machines_share_a_study_by_seeds(here, calls, seed, monkeypatch):
    planned = []
    monkeypatch.setattr(run, "run_study", lambda *words, **how: planned.extend(words[3]) or [])
    assert cli.main(["study", "mnist-six", "--size", "cpu", "--seed", str(seed)]) == 0
    assert [one.key for one in planned] == [one.key for one in plan("mnist-six", "cpu", 10) if one.seed == seed]
    assert planned


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--seed", "0", "--publish"], "--seed leaves runs out, and --publish wants all"),
        (["--seed", "-1"], "mnist-six has no runs of seed -1: the first seed is 0."),
    ],
)
def test_a_seed_that_makes_no_sense_is_refused(here, calls, capsys, words, problem):
    assert cli.main(["study", "mnist-six", "--size", "cpu", *words]) == 1
    assert problem in capsys.readouterr().err and calls == []


def test_what_a_cluster_lost_and_did_again_is_one_line(here, calls, capsys):
    words = ["study", "mnist-six", "--size", "quick", "--scheduler", "tcp://there:8786", "--limit", "2.5"]
    assert cli.main(words) == 0
    assert calls == [("mnist-six", "quick", 12, None, 1, None, "tcp://there:8786", 2.5)]
    counted, moved = capsys.readouterr().out.splitlines()
    assert counted == "mnist-six, quick: 12 of 12 runs are done."
    assert moved.startswith("Begun again on another worker, because their own was lost: perceptron, seed 1; LeNet-5,")
    assert moved.count("seed 1") == 6 and "seed 0" not in moved


def test_processes_that_train_together_are_for_this_machine(here, calls, capsys):
    words = ["study", "mnist-six", "--size", "quick", "--scheduler", "tcp://there:8786", "--processes", "2"]
    assert cli.main(words) == 1
    assert "--processes is for runs on this machine" in capsys.readouterr().err and not calls


def test_a_limit_without_a_cluster_is_refused(here, calls, capsys):
    assert cli.main(["study", "mnist-six", "--size", "quick", "--limit", "2.5"]) == 1
    assert capsys.readouterr().err == "course: --limit belongs to --scheduler: runs on this machine have no limit.\n"
    assert calls == []


def test_failed_run_gives_status_1_and_keeps_the_rest(there, cheap, orders, capsys):
    folder = run.folder_of(there, "mnist-six", "quick")
    (folder / f"{cheap[1].key}.jsonl").unlink()
    orders.give({cheap[1].key: "be killed"})
    assert cli.main(["study", "mnist-six", "--size", "quick"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "mnist-six, quick: 2 of 3 runs are done, 2 of them earlier.\n"
    assert "mnist-six, quick: 1 of 3 runs" in shown.err, "the progress bar counts the runs of this call"
    assert shown.err.splitlines()[-1].startswith(
        "course: 1 of 3 runs of mnist-six failed: LeNet-5, modern, seed 0: its process was killed (signal 9), perhaps "
    )
    assert {file.stem for file in folder.glob("*.jsonl")} == {cheap[0].key, cheap[2].key}


def test_refuses_to_publish_a_quick_study_before_it_runs(here, calls, capsys):
    assert cli.main(["study", "mnist-six", "--size", "quick", "--publish"]) == 1
    assert "A quick study is not published" in capsys.readouterr().err
    assert calls == [] and not here.results.exists()


def test_publish_puts_the_records_into_results_and_status_lists_them(here, run_before, capsys):
    run_before("mnist-six", "cpu", plan("mnist-six", "cpu", 1))
    run_before("mnist-six", "full", plan("mnist-six", "full", 1))
    words = ["study", "mnist-six", "--seeds", "1", "--size"]
    assert cli.main([*words, "cpu"]) == 0
    assert not here.results.exists()
    assert cli.main([*words, "full", "--publish"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Published 6 records: results/study-mnist-six.jsonl. Look at `git diff --stat`, then commit."
    )
    assert cli.main([*words, "cpu", "--publish"]) == 1
    assert "use --replace-better" in capsys.readouterr().err
    assert cli.main([*words, "cpu", "--publish", "--replace-better"]) == 0
    assert (here.results / "study-mnist-six.jsonl").read_text().count('"profile":"cpu"') == 6
    assert cli.main(["status"]) == 0
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()[-len(names()) :]]
    states = dict.fromkeys(names(), "nothing published") | {"mnist-six": "6 runs of 6 networks, cpu; fresh"}
    assert lines == [["study", name, state] for name, state in states.items()]

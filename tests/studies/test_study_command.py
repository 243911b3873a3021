"""``course study``: what it lists, refuses, runs and publishes, in words and exit status."""

import pytest

from course_tools import cli, studies
from course_tools.studies import running

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
    monkeypatch.setattr(studies, "plan", lambda name, size, seeds=None: cheap)
    return done


@pytest.fixture
def asked(monkeypatch):
    """Instead of running: what run_study was asked for."""
    calls = []

    def note(project, study, size, planned, *, jobs=None):
        calls.append((study, size, len(planned), jobs))
        return [running.Ended(one) for one in planned]

    monkeypatch.setattr(running, "run_study", note)
    return calls


def test_without_a_name_it_lists_the_studies_a_line_each(asked, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # not even a checkout is needed
    assert cli.main(["study"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in listed] == list(studies.NAMES) and len(listed) == 5
    for line, name in zip(listed, studies.NAMES, strict=True):
        assert line.removeprefix(name).lstrip() == studies.take(name).__doc__.splitlines()[0] and line[len(name)] == " "
    assert asked == []


def test_an_unknown_study(here, asked, capsys):
    assert cli.main(["study", "mnist-seven", "--size", "quick"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and asked == []
    assert shown.err == (
        "course: There is no study 'mnist-seven': choose mnist-six, vgg-vs-resnet, cifar-augment, little-data, "
        "transfer-ladder.\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seeds", "0"], "invalid number above 0"),
        (["--seeds", "-1"], "invalid number above 0"),
        (["--seeds", "two"], "invalid number above 0"),
        (["--seeds", "1.5"], "invalid number above 0"),
        (["--jobs", "0"], "invalid number above 0"),
        (["--jobs", "many"], "invalid number above 0"),
        (["--size", "huge"], "invalid choice: 'huge'"),
        (["--profile", "cpu"], "unrecognized arguments: --profile"),
    ],
)
def test_wrong_words_get_one_line(here, asked, words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["study", "mnist-six", *words])
    shown = capsys.readouterr().err
    assert ended.value.code == 2 and asked == []
    assert shown.startswith("course: ") and shown.count("\n") == 1
    assert said in shown and "--help` lists what it takes" in shown


def test_outside_of_a_checkout(asked, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["study", "mnist-six"]) == 1
    assert "not a checkout of the course" in capsys.readouterr().err and asked == []


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (["--size", "cpu"], ("mnist-six", "cpu", 30, None)),
        (["--size", "quick"], ("mnist-six", "quick", 12, None)),
        (["--size", "full", "--seeds", "2", "--jobs", "3"], ("mnist-six", "full", 12, 3)),
    ],
)
def test_what_is_run_is_what_was_asked_for(here, asked, words, call, capsys):
    assert cli.main(["study", "mnist-six", *words]) == 0
    assert asked == [call]
    assert capsys.readouterr().out == f"mnist-six, {call[1]}: {call[2]} of {call[2]} runs are done.\n"


def test_by_itself_the_size_is_that_of_the_environment(here, asked, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "cpu")
    assert cli.main(["study", "mnist-six"]) == 0
    assert [size for _, size, *_ in asked] == ["cpu"]


def test_what_was_done_earlier_is_said(there, capsys):
    assert cli.main(["study", "mnist-six", "--size", "quick"]) == 0
    assert capsys.readouterr().out == "mnist-six, quick: 3 of 3 runs are done, 3 of them earlier.\n"


def test_a_failed_run_gives_status_1_and_keeps_the_rest(there, cheap, orders, capsys):
    folder = running.folder_of(there, "mnist-six", "quick")
    (folder / f"{cheap[1].key}.jsonl").unlink()
    orders.give({cheap[1].key: "be killed"})
    assert cli.main(["study", "mnist-six", "--size", "quick"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "mnist-six, quick: 2 of 3 runs are done, 2 of them earlier.\n"
    assert "mnist-six, quick: 1 of 3 runs" in shown.err, "the progress bar says how many are run"
    assert shown.err.splitlines()[-1] == (
        "course: 1 of 3 runs of mnist-six failed: LeNet-5, modern, seed 0: its process was killed (signal 9), perhaps "
        "for want of memory: try --jobs 1. The others are kept: mend the cause and call `course study mnist-six` "
        "again, which runs only what is missing."
    )
    assert {file.stem for file in folder.glob("*.jsonl")} == {cheap[0].key, cheap[2].key}
    assert not there.results.exists()


def test_a_damaged_record_gives_status_1(there, cheap, capsys):
    (running.folder_of(there, "mnist-six", "quick") / f"{cheap[0].key}.jsonl").write_text("{")
    assert cli.main(["study", "mnist-six", "--size", "quick"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and "is damaged: delete the file" in shown.err and shown.err.count("\n") == 1


def test_a_quick_study_that_should_be_published_is_refused_before_it_runs(there, capsys):
    assert cli.main(["study", "mnist-six", "--size", "quick", "--publish"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and "A quick study is not published" in shown.err
    assert not there.results.exists()


def test_publish_puts_the_records_into_results(here, run_before, capsys):
    run_before("mnist-six", "cpu", studies.plan("mnist-six", "cpu", 3))
    assert cli.main(["study", "mnist-six", "--size", "cpu", "--seeds", "3", "--publish"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "mnist-six, cpu: 18 of 18 runs are done, 18 of them earlier.",
        "Published 18 records: results/study-mnist-six.jsonl. Look at `git diff --stat`, then commit.",
    ]
    assert len((here.results / "study-mnist-six.jsonl").read_text().splitlines()) == 18


def test_without_publish_nothing_reaches_results(here, run_before):
    run_before("mnist-six", "cpu", studies.plan("mnist-six", "cpu", 1))
    assert cli.main(["study", "mnist-six", "--size", "cpu", "--seeds", "1"]) == 0
    assert not here.results.exists()


def test_a_better_study_is_replaced_only_if_that_is_meant(here, run_before, capsys):
    for size in ("cpu", "full"):
        run_before("mnist-six", size, studies.plan("mnist-six", size, 1))
    words = ["study", "mnist-six", "--seeds", "1", "--publish", "--size"]
    assert cli.main([*words, "full"]) == 0
    assert cli.main([*words, "cpu"]) == 1
    assert "use --replace-better" in capsys.readouterr().err
    target = here.results / "study-mnist-six.jsonl"
    assert target.read_text().count('"profile":"full"') == 6
    assert cli.main([*words, "cpu", "--replace-better"]) == 0
    assert target.read_text().count('"profile":"cpu"') == 6


def test_status_says_of_each_study_what_is_published(here, run_before, capsys):
    run_before("mnist-six", "cpu", studies.plan("mnist-six", "cpu", 1))
    assert cli.main(["study", "mnist-six", "--size", "cpu", "--seeds", "1", "--publish"]) == 0
    capsys.readouterr()
    assert cli.main(["status"]) == 0
    listed = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()[-len(studies.NAMES) :]]
    said = dict.fromkeys(studies.NAMES, "nothing published") | {"mnist-six": "6 runs of 6 networks, cpu; fresh"}
    assert listed == [["study", name, state] for name, state in said.items()]

"""The command line of ``course``: one-line errors, exit statuses, and what reaches the functions behind it."""

import json
import subprocess
import sys

import pytest

from course_tools import cli


def test_help_reads_well_and_loads_nothing_heavy():
    """Which makes ``course --help`` quick."""
    program = (
        "import json, sys\nfrom course_tools import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    for verb in ("run", "book", "publish", "pair", "conformance", "data"):
        assert f"\n    {verb} " in done.stdout
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}
    assert not loaded & {"torch", "numpy", "pandas", "papermill", "jupytext", "nbformat", "yaml", "joblib"}


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
        (["study", "mnist-six", "--seeds", "0"], "invalid number above 0"),
    ],
)
def test_wrong_words_get_one_line(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    shown = capsys.readouterr().err
    assert ended.value.code == 2
    assert shown.startswith("course: ") and shown.count("\n") == 1
    assert said in shown and "--help` lists what it takes" in shown


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

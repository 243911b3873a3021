"""Chapters that raise, hang, flood or die, each in a checkout of its own; the others go on."""

import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from course_lib.errors import CourseError
from course_lib.training import setup
from course_lib.training.setup import usable_cores
from course_tools import cli
from course_tools.publishing import engine, running


def run(project, **options):
    return running.run_chapters(project, project.chapters(), "quick", **options)


def test_a_run_is_kept_with_its_profile(project):
    (outcome,) = run(project)
    assert outcome.ok
    notebook = nbformat.read(project.run_folder("quick") / "01-small.ipynb", 4)
    assert notebook.cells[-1].outputs[0].text == "profile quick\n"
    assert notebook.metadata.course.run.profile == "quick"
    assert not list(project.run_folder("quick").glob("*.failed.ipynb"))


def test_one_that_raises_shows_its_cell_and_the_others_go_on(project, write, capsys, monkeypatch):
    write("numerator = 1", "numerator / 0", "print('never reached')", name="02-raises")
    monkeypatch.chdir(project.root)
    assert cli.main(["run", "--profile", "quick"]) == 1
    shown = capsys.readouterr()
    assert "1 of 2 chapters are done" in shown.out
    assert "ZeroDivisionError: division by zero" in shown.out and "numerator / 0" in shown.out
    assert shown.err.rstrip().endswith(
        "course: 02-raises failed: mend the cell shown above and run `course run 02-raises`."
    )
    assert (project.run_folder("quick") / "01-small.ipynb").exists()
    assert not (project.run_folder("quick") / "02-raises.ipynb").exists()


def test_a_failed_run_leaves_the_last_good_one(project, write):
    run(project)
    good = (project.run_folder("quick") / "01-small.ipynb").read_bytes()
    write("raise ValueError('new and broken')")
    (outcome,) = run(project)
    assert "ValueError: new and broken" in outcome.problem
    assert (project.run_folder("quick") / "01-small.ipynb").read_bytes() == good


def test_one_that_hangs_is_stopped_at_its_limit(project, write):
    write("import time", "time.sleep(600)")
    (outcome,) = run(project, minutes=4 / 60)
    assert "not done after 4 s" in outcome.problem


def test_one_that_prints_for_ever_is_stopped(project, write, monkeypatch):
    monkeypatch.setattr(engine, "OUTPUT_LIMIT", 100_000)
    write("while True:\n    print('for ever' * 1000)")
    (outcome,) = run(project, minutes=1)
    assert "printed more than" in outcome.problem
    failed = project.run_folder("quick") / "01-small.failed.ipynb"
    assert failed.stat().st_size < 1_000_000


def test_one_whose_kernel_dies(project, write):
    write("import os", "os._exit(1)")
    (outcome,) = run(project, minutes=1)
    assert "kernel died" in outcome.problem


def test_control_c_leaves_no_kernel_behind_and_keeps_the_last_good_run(project, write):
    run(project)
    good = (project.run_folder("quick") / "01-small.ipynb").read_bytes()
    write("import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))", "time.sleep(600)")
    words = [
        sys.executable,
        "-c",
        "from course_tools.cli import main; raise SystemExit(main(['run', '--profile', 'quick']))",
    ]
    command = subprocess.Popen(
        words,
        cwd=project.root,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # it may be ignored here
    )
    pid = project.run_folder("quick") / "scratch" / "01-small" / "pid"
    deadline = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=60)
    assert command.returncode == 130
    assert said.splitlines()[-1] == "course: stopped; what was finished is kept."
    assert "Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert (project.run_folder("quick") / "01-small.ipynb").read_bytes() == good


def test_kernels_share_the_cores(project, write):
    write("import os\nprint(os.environ['OMP_NUM_THREADS'])", name="01-small")
    run(project, jobs=1)
    notebook = nbformat.read(project.run_folder("quick") / "01-small.ipynb", 4)
    assert int(notebook.cells[-1].outputs[0].text) == usable_cores()


def test_two_kernels_have_half_the_cores_each(project, write, monkeypatch):
    monkeypatch.setattr(setup, "usable_cores", lambda: 6)
    for name in ("01-small", "02-other"):
        write("import os\nprint(os.environ['OMP_NUM_THREADS'])", name=name)
    run(project, jobs=2)
    for name in ("01-small", "02-other"):
        notebook = nbformat.read(project.run_folder("quick") / f"{name}.ipynb", 4)
        assert int(notebook.cells[-1].outputs[0].text) == 3


def test_chapters_are_found_by_any_of_their_names(project, write):
    write("1", name="02-other")
    assert [chapter.name for chapter in project.pick(["small"])] == ["01-small"]
    assert [chapter.name for chapter in project.pick(["02", "01-small.py"])] == ["01-small", "02-other"]
    with pytest.raises(CourseError, match=r"no chapter 'smal': choose from 01-small, 02-other"):
        project.pick(["smal"])

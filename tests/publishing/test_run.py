"""Chapters that raise, hang or die, each in a checkout of its own; the others go on."""

import os
import signal
import subprocess
import sys
import tempfile
import time

import nbformat
import pytest

from course_lib.errors import CourseError
from course_lib.training import setup
from course_tools import cli
from course_tools.publishing.run import run_chapters


def run(project, **options):
    return run_chapters(project, project.chapters(), "quick", **options)


def test_run_is_kept_with_its_profile_and_machine(project):
    (outcome,) = run(project)
    assert outcome.ok
    notebook = nbformat.read(project.run_folder("quick") / "01-small.ipynb", 4)
    assert notebook.cells[-1].outputs[0].text == "profile quick\n"
    about = notebook.metadata.course.run
    assert (about.profile, about.device, len(about.key)) == ("quick", "CPU", 16) and about.threads >= 1
    assert not list(project.run_folder("quick").glob("*.failed.ipynb"))


def test_chapter_that_raises_shows_its_cell_and_the_others_go_on(project, write, capsys, monkeypatch):
    write("numerator = 1", "numerator / 0", "print('never reached')", name="02-raises")
    monkeypatch.chdir(project.root)
    assert cli.main(["run", "--profile", "quick"]) == 1
    shown = capsys.readouterr()
    assert "1 of 2 chapters are done" in shown.out
    assert "ZeroDivisionError: division by zero" in shown.out and "numerator / 0" in shown.out
    assert shown.err.rstrip().endswith(
        "course: 02-raises failed: fix the cell shown above and run `course run 02-raises`."
    )
    assert (project.run_folder("quick") / "01-small.ipynb").exists()
    assert not (project.run_folder("quick") / "02-raises.ipynb").exists()


@pytest.mark.parametrize(
    ("cells", "options", "problem"),
    [
        (["raise ValueError('new and broken')"], {}, "ValueError: new and broken"),
        (["import time", "time.sleep(600)"], {"minutes": 4 / 60}, "not done after 4 s"),
        (["import os", "os._exit(1)"], {"minutes": 1}, "kernel died"),
    ],
)
def test_failed_run_is_reported_and_leaves_the_last_good_one(project, write, cells, options, problem):
    run(project)
    good = (project.run_folder("quick") / "01-small.ipynb").read_bytes()
    write(*cells)
    (outcome,) = run(project, **options)
    assert problem in outcome.problem
    assert (project.run_folder("quick") / "01-small.ipynb").read_bytes() == good


def test_ctrl_c_leaves_no_kernel_behind(project, write):
    write("import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))", "time.sleep(600)")
    program = "from course_tools.cli import main; raise SystemExit(main(['run', '--profile', 'quick']))"
    command = subprocess.Popen(
        [sys.executable, "-c", program],
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
    _, printed = command.communicate(timeout=60)
    assert command.returncode == 130
    assert printed.splitlines()[-1] == "course: stopped; what was finished is kept."
    assert "Traceback" not in printed
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_kernel_has_no_port_that_another_program_could_take(project, write):
    write(
        "import psutil",
        "from ipykernel import get_connection_info",
        "listens = {link.laddr.port for link in psutil.Process().net_connections('tcp') if link.status == 'LISTEN'}",
        "print(listens & set(value for value in get_connection_info(unpack=True).values() if isinstance(value, int)))",
    )
    (outcome,) = run(project)
    assert outcome.ok
    notebook = nbformat.read(project.run_folder("quick") / "01-small.ipynb", 4)
    assert notebook.cells[-1].outputs[0].text == "set()\n"


def test_folder_too_deep_for_a_socket_is_said(project, tmp_path, monkeypatch):
    deep = tmp_path / ("deep" * 25)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    (outcome,) = run(project)
    assert "set TMPDIR to a shorter one" in outcome.problem and not list(deep.iterdir())


def test_kernels_share_the_cores(project, write, monkeypatch):
    monkeypatch.setattr(setup, "usable_cores", lambda: 6)
    for name in ("01-small", "02-other"):
        write("import os\nprint(os.environ['OMP_NUM_THREADS'])", name=name)
    run(project, jobs=2)
    for name in ("01-small", "02-other"):
        notebook = nbformat.read(project.run_folder("quick") / f"{name}.ipynb", 4)
        assert int(notebook.cells[-1].outputs[0].text) == 3


def test_chapters_are_picked_by_any_of_their_names(project, write):
    write("1", name="02-other")
    assert [chapter.name for chapter in project.pick(["small"])] == ["01-small"]
    assert [chapter.name for chapter in project.pick(["02", "01-small.py"])] == ["01-small", "02-other"]
    with pytest.raises(CourseError, match=r"no chapter 'smal': choose from 01-small, 02-other"):
        project.pick(["smal"])

"""Publishing is all or nothing, also when it is interrupted."""

from pathlib import Path

import nbformat
import pytest

from course_lib import records
from course_lib.errors import CourseError
from course_tools import cli
from course_tools.publishing import pairs, promoting


def published(project):
    return ["run" in pairs.read_notebook(chapter).metadata["course"] for chapter in project.chapters()]


class Interrupt(BaseException):
    """What a kill looks like from inside."""


@pytest.mark.parametrize(("cut_off", "after"), [(".part", [False, False]), (".publishing", [True, True])])
def test_an_interrupted_publish_is_undone_or_finished(book, monkeypatch, cut_off, after):
    """Cut off before the journal is in place, nothing happened; cut off after it, the next call finishes."""
    rename = Path.replace

    def stop(self, target):
        if self.suffix == cut_off:
            raise Interrupt  # while the journal, or the first of the files, is moved into place
        return rename(self, target)

    monkeypatch.chdir(book.root)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        with pytest.raises(Interrupt):
            promoting.publish(book, book.chapters(), "cpu")
    assert published(book) == [False, False], "no reader may see one chapter new and the other old"
    assert cli.main(["status"]) == 0  # any command settles what was interrupted
    assert published(book) == after
    assert not list(book.notebooks.glob("*.publishing")) and not (book.build / "publish.journal").exists()


def test_a_run_of_another_profile_is_refused(book):
    source, target = book.run_folder("cpu"), book.run_folder("full")
    target.mkdir(parents=True)
    (target / "01-small.ipynb").write_bytes((source / "01-small.ipynb").read_bytes())
    with pytest.raises(CourseError, match="this run is of profile cpu, not full"):
        promoting.publish(book, book.chapters()[:1], "full")


def test_a_lesser_run_does_not_replace_a_better_one_unasked(book):
    promoting.publish(book, book.chapters(), "cpu")
    for chapter in book.chapters():
        notebook = pairs.read_notebook(chapter)
        notebook.metadata.course.run.profile = "full"
        pairs.write_notebook(notebook, chapter.notebook)
    with pytest.raises(CourseError, match="worth more than cpu: use --replace-better"):
        promoting.publish(book, book.chapters(), "cpu")
    promoting.publish(book, book.chapters(), "cpu", replace_better=True)
    assert nbformat.read(book.chapters()[0].notebook, 4).metadata.course.run.profile == "cpu"


def test_records_go_along_and_a_bad_one_stops_everything(book):
    kept = book.run_folder("cpu") / "02-other.jsonl"
    records.append(kept, {"not": "a valid record"})
    with pytest.raises(CourseError, match=r"02-other\.jsonl, line 1"):
        promoting.publish(book, book.chapters(), "cpu")
    assert published(book) == [False, False]
    assert not list(book.results.iterdir())


def test_a_run_that_is_stale_is_refused(book, write_in):
    write_in(book, "print('new code')", name="02-other")
    with pytest.raises(CourseError, match="its code was edited after its run"):
        pairs.pair(book.chapters()[1])
        promoting.publish(book, book.chapters(), "cpu")
    assert published(book) == [False, False]

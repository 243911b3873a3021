"""What makes a published page stale, and what does not. Whether edits of the library do: test_fingerprints.py."""

import json
import shutil

import nbformat
import pytest

from course_lib import records, weights
from course_lib.errors import CourseError
from course_tools import cli
from course_tools.publishing import draw, fingerprints, freshness, pairs, status
from course_tools.publishing.publish import publish, redraw
from course_tools.publishing.run import run_chapters
from course_tools.publishing.stage import stage


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def stale(project, profile="cpu"):
    """The chapters that would run again."""
    return [chapter.name for chapter in project.chapters() if not freshness.fresh_run(project, chapter, profile)]


@pytest.fixture
def published(book):
    """Both chapters, published from cpu."""
    publish(book, book.chapters(), "cpu")
    return book


def test_nothing_changed_nothing_runs(book):
    assert stale(book) == [] and stale(book, "quick") == []
    assert all(outcome.skipped for outcome in run_chapters(book, book.chapters(), "cpu"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# Its only", "# Its one and only"),
        ("epochs=1, batch_size=32", "epochs=1,  # one\n    batch_size=32"),
        ("import data, models, records, training", "import data, models, plots, records, training"),
        ("'full': 8", "'full': 9"),
        ("'runs are recorded'", "'records'"),
    ],
    ids=["a sentence", "a comment and layout", "an import", "another profile's value", "what is drawn when staged"],
)
def test_edit_that_changes_no_computation_reruns_nothing(book, old, new):
    edit(book.notebooks / "01-small.py", old, new)
    assert stale(book) == [] and stale(book, "quick") == []


@pytest.mark.parametrize(
    ("old", "new", "in_cpu"), [("range(64)", "range(96)", ["01-small"]), ("'quick': 4", "'quick': 5", [])]
)
def test_changed_code_reruns_its_chapter_in_the_profiles_that_run_it(book, old, new, in_cpu):
    edit(book.notebooks / "01-small.py", old, new)
    assert stale(book, "quick") == ["01-small"] and stale(book) == in_cpu


def test_changed_data_rerun_the_chapters_that_use_them(book, monkeypatch):
    monkeypatch.setattr(freshness, "checksum", lambda label: "another")
    assert stale(book) == ["01-small"]


def test_key_covers_weights_and_records_that_were_computed_with(book, monkeypatch):
    ran = nbformat.read(book.run_folder("cpu") / "01-small.ipynb", 4).metadata.course.run
    assert ran.used == {"data": ["mnist (sample)"], "weights": [], "records": []}
    chapter = book.chapters()[1]

    def key():
        used = {"data": [], "weights": ["mobilenet-v2", "of-old"], "records": ["01-small", "02-other"]}
        return freshness.ingredients(book, chapter, "cpu", used, pairs.read_source(chapter))

    before = key()
    assert before["weights mobilenet-v2"] == weights.checksum("mobilenet-v2")
    assert before["weights of-old"] == before["records of 01-small"] == "missing"
    assert "records of 02-other" not in before, "the chapter makes its own"
    records.append(book.results / "01-small.jsonl", {"any": "record"})
    assert key()["records of 01-small"] != "missing"
    monkeypatch.setattr(weights, "checksum", lambda name: f"another of {name}")
    assert key()["weights mobilenet-v2"] == "another of mobilenet-v2"


def test_new_records_make_no_page_stale_and_are_shown(published):
    stage(published, None)
    page = published.stage / "notebooks" / "01-small.ipynb"
    assert "1 runs are recorded" in page.read_text()
    file = published.results / "01-small.jsonl"
    (record,) = records.read(file)
    records.append(file, record | {"seed": 1})
    assert stale(published) == []
    stage(published, None)
    assert "2 runs are recorded" in page.read_text() and "stale" not in page.read_text()
    assert "1 runs are recorded" in published.chapters()[0].notebook.read_text()
    assert redraw(published) == ["01-small"] and redraw(published) == []
    assert "2 runs are recorded" in published.chapters()[0].notebook.read_text()


def test_a_run_that_is_not_published_yet_shows_its_own_records(book):
    stage(book, "cpu")
    assert "1 runs are recorded" in (book.stage / "notebooks" / "01-small.ipynb").read_text()
    stage(book, "quick")
    assert "0 runs are recorded" in (book.stage / "notebooks" / "01-small.ipynb").read_text()


def test_publishing_shows_no_run_of_another_chapter_that_is_not_published(book):
    edit(book.notebooks / "01-small.py", "print(count('01-small'),", "print(count('02-other'),")
    (record,) = records.read(book.run_folder("cpu") / "01-small.jsonl")
    records.append(book.run_folder("cpu") / "02-other.jsonl", record | {"chapter": "02-other"})
    pairs.pair(book.chapters()[0])
    publish(book, book.chapters()[:1], "cpu")
    assert "0 runs are recorded" in book.chapters()[0].notebook.read_text()
    publish(book, book.chapters(), "cpu")
    assert "1 runs are recorded" in book.chapters()[0].notebook.read_text()


def test_drawn_cell_that_uses_other_variables_is_named(book):
    edit(book.notebooks / "01-small.py", "print(count(", "print(len(few), count(")
    pairs.pair(book.chapters()[0])
    with pytest.raises(CourseError, match="01-small: a cell tagged 'drawn' raised NameError: name 'few'"):
        stage(book, "cpu")


def test_what_was_drawn_is_drawn_once(book, monkeypatch):
    monkeypatch.setattr(draw, "_execute", None)
    stage(book, "cpu")


def test_profiles_never_mix(book):
    shutil.copy(book.run_folder("cpu") / "01-small.ipynb", book.run_folder("quick") / "01-small.ipynb")
    assert stale(book, "quick") == ["01-small"]


def another_library(project, monkeypatch, **changed):
    """A library of today, whose quick run gave another fingerprint."""
    monkeypatch.setattr(fingerprints, "library_digest", lambda: "today")
    for chapter in project.chapters():
        file = fingerprints.current_file(project, chapter)
        found = json.loads(file.read_text()) | {"library": "today"}
        for fit in found["fits"]:
            fit.update(changed)
        fingerprints.write(found, file)


def test_library_that_computes_the_same_reruns_the_quick_run_only(published, monkeypatch):
    another_library(published, monkeypatch)
    assert stale(published, "quick") == ["01-small", "02-other"]
    assert stale(published) == []
    assert "stale" not in status.table(published)


def test_library_that_computes_something_else_makes_pages_stale(published, monkeypatch, capsys):
    another_library(published, monkeypatch, gradient=1.0)
    assert stale(published) == ["01-small"]
    rows = [line.split() for line in status.table(published).splitlines()]
    row = next(row for row in rows if row[:2] == ["01-small", "published"])
    assert row[2:4] == ["cpu", "CPU"] and len(row[5]) == 8 and row[6:10] == ["stale:", "training", "run", "1"]
    stage(published, None)
    page = nbformat.read(published.stage / "notebooks" / "01-small.ipynb", 4)
    assert "are **stale**" in page.cells[0].source and "first gradient" in page.cells[0].source
    with pytest.raises(CourseError, match=r"01-small: since its run, training run 1 .* changed"):
        publish(published, published.chapters(), "cpu")


def test_status_lists_a_missing_fingerprint_and_a_library_without_a_quick_run(published, monkeypatch):
    fingerprints.published_file(published, "02-other").unlink()
    before = status.table(published)
    assert "stale: fingerprint (it is missing)" in before and "The library was edited" not in before
    monkeypatch.setattr(fingerprints, "library_digest", lambda: "today")
    assert "The library was edited since the last quick run" in status.table(published)


def test_stamp_publishes_the_fingerprint_of_changed_quick_values(published, monkeypatch, capsys):
    edit(published.notebooks / "01-small.py", "'quick': 4", "'quick': 5")
    monkeypatch.chdir(published.root)
    assert cli.main(["stamp", "small"]) == 1
    assert "has no quick run of today: `course run 01-small --profile quick`" in capsys.readouterr().err
    chapter = published.chapters()[0]
    assert run_chapters(published, [chapter], "quick")[0].ok
    assert "the cells of its quick profile" in status.table(published)
    assert cli.main(["stamp", "small"]) == 0
    assert "stale" not in status.table(published).split("02-other")[0]
    edit(chapter.source, "range(64)", "range(96)")
    assert cli.main(["stamp", "small"]) == 1
    assert "code cells changed, so its outputs are stale" in capsys.readouterr().err


def test_drawn_cells_find_published_weights_beside_the_records_of_a_run(book):
    """``course publish`` draws with the records of the run that it publishes."""
    (book.results / "weights").mkdir()
    (book.results / "weights" / "small.safetensors").write_bytes(b"weights")
    with draw._results(book, ["01-small"], "cpu") as results:
        assert (results / "01-small.jsonl").exists()
        assert (results / "weights" / "small.safetensors").read_bytes() == b"weights"

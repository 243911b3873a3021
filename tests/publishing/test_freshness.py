"""What makes a run stale, and what does not. The library is copied, so that its modules can be edited."""

import shutil
from pathlib import Path

import nbformat
import pytest

import course_lib
from course_lib import records, weights
from course_lib.errors import CourseError
from course_lib.publishing import freshness, pairs, promoting, running, staging, status

ROOT = Path(__file__).parents[2]


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A copy of the library's sources that freshness reads in place of the installed ones."""
    copy = tmp_path / "library" / "course_lib"
    shutil.copytree(Path(course_lib.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__", "*.webp"))
    monkeypatch.setattr(freshness.course_lib, "__file__", str(copy / "__init__.py"))
    return copy


@pytest.fixture
def two(project, write, library, run_once):
    """Two chapters that have run: one used the perceptron and the digits, the other only plots."""
    write("from course_lib import data, models\nmodels.mlp(hidden=(4,))\ndata.load('mnist', size='sample')")
    write("from course_lib import plots\nplots.new_figure", name="02-other")
    toc = project.root / "_toc.yml"
    toc.write_text(toc.read_text() + "- file: notebooks/02-other\n")
    run_once("quick")
    return project


def run(project, profile="quick"):
    return running.run_chapters(project, project.chapters(), profile)


def ran_again(project):
    return [outcome.chapter for outcome in run(project) if not outcome.skipped]


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_nothing_changed_nothing_runs(two):
    assert ran_again(two) == []


def test_a_changed_sentence_reruns_nothing(two):
    edit(two.notebooks / "01-small.py", "# Its only", "# Its one and only")
    assert ran_again(two) == []


def test_a_comment_or_layout_in_a_code_cell_reruns_nothing(two):
    edit(two.notebooks / "01-small.py", "models.mlp(hidden=(4,))", "models.mlp(\n    hidden=(4,),  # small\n)")
    assert ran_again(two) == []


def test_a_changed_code_cell_reruns_its_chapter(two):
    edit(two.notebooks / "01-small.py", "hidden=(4,)", "hidden=(5,)")
    assert ran_again(two) == ["01-small"]


def test_a_changed_function_reruns_exactly_the_chapters_that_loaded_it(two, library):
    edit(library / "models" / "perceptron.py", "layers.append(nn.Dropout(dropout))", "layers += [nn.Dropout(dropout)]")
    assert ran_again(two) == ["01-small"]
    edit(library / "plots" / "figure.py", "DOTS_PER_INCH = 144", "DOTS_PER_INCH = 150")
    assert ran_again(two) == ["02-other"]


def test_a_module_that_no_run_loaded_reruns_nothing(two, library):
    edit(library / "plots" / "matrices.py", "width=6.4", "width=6.5")
    edit(library / "models" / "lenet.py", "image_size < 12", "image_size < 13")
    assert ran_again(two) == []


def test_a_changed_docstring_or_comment_reruns_nothing(two, library):
    edit(library / "models" / "perceptron.py", "A multilayer perceptron for images.", "A perceptron for images.")
    edit(library / "models" / "perceptron.py", "def mlp(", "# a comment\ndef mlp(")
    assert ran_again(two) == []


def test_a_changed_data_checksum_reruns_the_chapters_that_use_it(two, monkeypatch):
    monkeypatch.setattr(freshness, "checksum", lambda label: "another")
    assert ran_again(two) == ["01-small"]


def test_pretrained_weights_are_part_of_the_key(two, write, tmp_path, monkeypatch):
    """The chapter's own kernel loads weights and says so; with another checksum in the catalog it is stale."""
    write(
        "import torch\nfrom course_lib import weights\nfrom course_lib.weights import cache, roads",
        "roads.ensure = lambda name: None\ncache.read = lambda spec: {'weight': torch.ones(2)}",
        "weights.load('mobilenet-v2')",
    )
    assert ran_again(two) == ["01-small"]
    notebook = nbformat.read(two.run_folder("quick") / "01-small.ipynb", 4)
    assert notebook.metadata.course.run.ingredients["weights mobilenet-v2"] == weights.checksum("mobilenet-v2")
    assert ran_again(two) == []
    monkeypatch.setattr(weights, "checksum", lambda name: f"another of {name}")
    assert freshness.what_changed(two, two.chapters()[0], notebook) == ["weights mobilenet-v2"]
    assert ran_again(two) == ["01-small"]


def test_runs_from_before_there_were_weights_keep_their_key(two):
    for chapter in two.chapters():
        notebook = nbformat.read(two.run_folder("quick") / f"{chapter.name}.ipynb", 4)
        key = notebook.metadata.course.run.key
        assert notebook.metadata.course.run.used.pop("weights") == []
        assert freshness.what_changed(two, chapter, notebook) == []
        freshness.add_key(two, chapter, notebook, freshness.all_modules())
        assert notebook.metadata.course.run.key == key


def test_weights_that_the_catalog_no_longer_knows_are_a_change(two):
    used = {"modules": [], "data": [], "weights": ["weights vgg-of-old"], "records": []}
    assert freshness.ingredients(two, two.chapters()[0], "quick", used, [], {})["weights vgg-of-old"] == "missing"


def test_profiles_never_mix(two):
    assert [outcome.skipped for outcome in run(two, "cpu")] == [False, False]
    assert ran_again(two) == []
    shutil.copy(two.run_folder("cpu") / "01-small.ipynb", two.run_folder("quick") / "01-small.ipynb")
    assert ran_again(two) == ["01-small"]


def test_publishing_does_not_make_itself_stale(two):
    run(two, "cpu")
    promoting.publish(two, two.chapters(), "cpu")
    for chapter in two.chapters():
        assert freshness.what_changed(two, chapter, pairs.read_notebook(chapter)) == []
    assert [outcome.skipped for outcome in run(two, "cpu")] == [True, True]


def test_a_stale_run_is_not_published(two, library):
    run(two, "cpu")
    edit(library / "models" / "perceptron.py", "layers.append(nn.Dropout(dropout))", "layers += [nn.Dropout(dropout)]")
    with pytest.raises(CourseError, match=r"01-small: since its run, course_lib\.models\.perceptron changed"):
        promoting.publish(two, two.chapters(), "cpu")


def test_records_of_earlier_chapters_are_part_of_the_key_and_its_own_are_not(two):
    chapter = two.chapters()[1]
    used = {"modules": [], "data": [], "records": ["01-small", "02-other", "bench-cpu"]}

    def found():
        return freshness.ingredients(two, chapter, "quick", used, [], {})

    before = found()
    assert {"records of 01-small", "records of bench-cpu"} <= before.keys() and "records of 02-other" not in before
    records.append(two.results / "01-small.jsonl", {"any": "record"})
    assert found() != before


def test_a_later_chapters_records_make_nothing_stale(two):
    """Two chapters that show a table of all records would else wait for each other for ever."""
    first = two.chapters()[0]
    notebook = pairs.read_source(first)
    used = {"modules": [], "data": [], "records": ["01-small", "02-other"]}
    notebook.metadata["course"] = nbformat.from_dict({"run": {"profile": "cpu", "used": used}})
    freshness.add_key(two, first, notebook, {})
    notebook.metadata.course.run["ingredients"]["records of 02-other"] = "as a run of an older version wrote it down"
    records.append(two.results / "02-other.jsonl", {"any": "record"})
    assert freshness.what_changed(two, first, notebook) == []


def test_no_chapter_names_a_later_one_in_its_code():
    """What its key leaves out, it must not use."""
    chapters = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]-*.py"))
    for name in chapters:
        code = "\n".join(
            line for line in (ROOT / "notebooks" / f"{name}.py").read_text().splitlines() if not line.startswith("#")
        )
        assert [later for later in chapters if later > name and later in code] == [], name


def test_a_stale_page_says_so_and_still_builds(two, library):
    run(two, "cpu")
    promoting.publish(two, two.chapters(), "cpu")
    staging.stage(two, None)
    page = nbformat.read(two.stage / "notebooks" / "01-small.ipynb", 4)
    assert "stale" not in page.cells[0].source
    edit(library / "models" / "perceptron.py", "layers.append(nn.Dropout(dropout))", "layers += [nn.Dropout(dropout)]")
    staging.stage(two, None)
    page = nbformat.read(two.stage / "notebooks" / "01-small.ipynb", 4)
    assert "are **stale**" in page.cells[0].source and "`course_lib.models.perceptron`" in page.cells[0].source


def test_status_lists_what_is_fresh_and_why_something_is_not(two, library):
    run(two, "cpu")
    promoting.publish(two, two.chapters()[:1], "cpu")
    edit(library / "models" / "perceptron.py", "layers.append(nn.Dropout(dropout))", "layers += [nn.Dropout(dropout)]")
    rows = [line.split() for line in status.table(two).splitlines()]
    published = next(row for row in rows if row[:2] == ["01-small", "published"])
    assert published[2:4] == ["cpu", "CPU"] and len(published[5]) == 8
    assert published[6:] == ["stale:", "course_lib.models.perceptron", "changed"]
    assert ["02-other", "published"] in [row[:2] for row in rows]
    assert any(row[:3] == ["02-other", "run", "here"] and row[-1] == "fresh" for row in rows)

"""The committed page against the live models, and the command that writes it."""

import inspect
import re
import shutil
from pathlib import Path

import pytest
import torch

from course_lib import analysis, models
from course_lib.errors import CourseError
from course_tools import cli
from course_tools.publishing import conformance
from course_tools.publishing.conformance import ENTRIES, PAGE
from course_tools.publishing.project import Project

ROOT = Path(__file__).parents[2]


@pytest.fixture
def page(project, monkeypatch):
    """A copy of the committed page in a checkout of its own, which is the current directory."""
    shutil.copy(ROOT / PAGE.file, project.root / PAGE.file)
    monkeypatch.chdir(project.root)
    return project.root / PAGE.file


def rows(name):
    """Cells by network and column, as the live models give them."""
    lines = [line for line in conformance.tables()[name].splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    plain = str.maketrans("", "", "`⁰¹²³⁴⁵⁶⁷⁸⁹")
    return {one[0].translate(plain).strip(): dict(zip(cells[0], one, strict=True)) for one in cells[2:]}


def test_committed_page_is_up_to_date():
    PAGE.check(Project(ROOT))


def test_every_network_of_the_library_is_listed():
    tools = {"backbone", "dtype_of", "in_mode", "meta_copy", "shape_mismatch"}
    builders = {name for name, member in vars(models).items() if inspect.isfunction(member)} - tools
    assert {entry.name for entry in ENTRIES} == builders
    assert builders <= rows("torchvision").keys() | rows("sources").keys()
    whole = {name for name in builders if not name.endswith("_bn")}
    assert rows("shapes").keys() == rows("multiply-adds").keys() >= whole


def stated(cell):
    """The number in a cell, and how precisely it is given; None for a dash."""
    found = re.search(r"([\d,.]+)(\u00a0[GM])?", cell)
    if not found:
        return None
    unit = {"\u00a0G": 10**9, "\u00a0M": 10**6, None: 1}[found[2]]
    decimals = len(found[1].partition(".")[2])
    return float(found[1].replace(",", "")) * unit, unit / 10**decimals


@pytest.mark.parametrize(("table", "column"), [("sources", "source's"), ("multiply-adds", "paper's")])
def test_number_that_differs_from_its_source_has_a_remark(table, column):
    apart = set()
    for name, row in rows(table).items():
        source, ours = stated(row[column]), stated(row["ours"])
        if source and abs(source[0] - ours[0]) > source[1]:
            apart.add(name)
    remarks = {
        entry.title.replace("`", ""): entry.remark if table == "sources" else entry.work_remark for entry in ENTRIES
    }
    assert apart and all(remarks[name] for name in apart), apart


def test_numbers_in_the_remarks():
    said = " ".join(f"{entry.remark} {entry.work_remark}" for entry in ENTRIES)
    with torch.device("meta"):
        vgg, grey, mini = models.vgg16(), models.vgg16(in_channels=1), models.minivgg()
    linear = [step.multiply_adds for step in analysis.trace(vgg, (3, 224, 224)).steps if step.type == "Linear"]
    assert len(linear) == 3
    rest = analysis.count_multiply_adds(vgg, (3, 224, 224)) - sum(linear)
    assert f"{rest / 1e9:.2f} G without the three linear layers" in said
    first, other = (analysis.count_parameters(model.features[0]) for model in (grey, vgg))
    assert f"has {first:,} parameters, not {other:,}" in said
    head = analysis.count_parameters(mini.classifier)
    largest = analysis.count_parameters(mini.classifier[3])
    assert f"{head - largest:,} of {head:,}" in said


def test_changed_table_is_named_and_rewritten_and_prose_stays(page, capsys):
    page.write_text(page.read_text().replace("# Conformance\n", "# Another title\n") + "\nA last word.\n")
    right = page.read_text()
    wrong = right.replace("138,357,544 | 138,357,544", "138,357,544 | 138,357,545")
    page.write_text(wrong.replace("Both numbers are right", "Both numbers are wrong"))
    assert cli.main(["conformance", "--check"]) == 1
    error = capsys.readouterr().err
    assert error == "course: book/conformance.md is out of date (torchvision, sources): run `course conformance`.\n"
    assert cli.main(["conformance"]) == 0
    assert capsys.readouterr().out == "Updated in book/conformance.md: torchvision, sources.\n"
    assert page.read_text() == right
    assert cli.main(["conformance", "--check"]) == 0


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("conformance: shapes", "conformance: shades", "has no place for the table 'shapes'"),
        (
            "\nA field",
            "\n<!-- conformance: x -->\n<!-- conformance: end -->\nA field",
            "a place for an unknown table 'x'",
        ),
    ],
)
def test_missing_or_unknown_place_of_a_table_is_named(page, old, new, problem):
    page.write_text(page.read_text().replace(old, new))
    with pytest.raises(CourseError, match=problem):
        PAGE.check(Project(page.parents[1]))
    page.unlink()
    with pytest.raises(CourseError, match=r"There is no book/conformance\.md"):
        PAGE.check(Project(page.parents[1]))

import nbformat
import pytest

from course_tools.claims.evidence import NoEvidence, look_up
from course_tools.claims.ledger import Fact
from course_tools.claims.published import figures, memory, output, printed, seconds


def found(checkout, function, *of, **which):
    return look_up(checkout.project, Fact("A.8", "so", lambda: function(*of, **which), verdict="reproduced"))


def test_a_figure_is_shown_by_a_cell_that_calls_its_function(checkout):
    assert found(checkout, figures, {"01-small": ["plots.picture"]}).value is True
    with pytest.raises(NoEvidence, match=r"01-small shows no figure of plots\.other, pict\."):
        found(checkout, figures, {"01-small": ["plots.picture", "plots.other", "pict"]})


@pytest.mark.parametrize(("measure", "value"), [(seconds, 780.0), (memory, 392e6)])
def test_what_a_chapters_run_took(checkout, measure, value):
    assert found(checkout, measure, "01-small").value == value
    with pytest.raises(NoEvidence, match="01-small is not published from a full run"):
        found(checkout, measure, "01-small", "full")


def printing(checkout, *texts):
    """The chapter's published notebook, which printed these texts."""
    file = checkout.source.with_suffix(".ipynb")
    notebook = nbformat.read(file, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("stream", text=text) for text in texts]
    nbformat.write(notebook, file)


def test_what_a_chapter_printed(checkout):
    printing(checkout, "all in all 7\n", "of 60,000, learned by heart: 19.3 %\nand 4 more\n")
    assert found(checkout, printed, "01-small", "by heart: ").value == pytest.approx(0.193)


@pytest.mark.parametrize(
    ("texts", "query", "said"),
    [
        (["by head: 3"], {}, "01-small prints nothing behind 'by heart: '"),
        (["by heart: 3", "by heart: 4"], {}, "01-small prints different numbers behind"),
        (["by heart: none"], {}, "01-small prints no number behind 'by heart: '"),
        (["by heart: 3"], {"profiles": ("full",)}, "01-small is not published from a full run"),
    ],
)
def test_what_a_chapter_did_not_print(checkout, texts, query, said):
    printing(checkout, *texts)
    with pytest.raises(NoEvidence, match=said):
        found(checkout, printed, "01-small", "by heart: ", **query)


def test_a_chapter_that_is_not_there_is_no_evidence(checkout):
    with pytest.raises(NoEvidence, match="there is no chapter 07-none"):
        found(checkout, seconds, "07-none")


def test_all_that_a_chapter_printed_in_its_order(checkout):
    printing(checkout, "one\n", "two\n")
    assert found(checkout, output, "01-small").value == "one\n\ntwo\n"

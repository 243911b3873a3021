import math

import pytest
import torch
from torch import nn

from course_lib import analysis, models
from course_lib.errors import CourseError
from course_tools.claims.evidence import look_up
from course_tools.claims.ledger import Fact


def calculate(checkout, function, **more):
    return look_up(checkout.project, Fact("A.8", "so", function, verdict="reproduced", **more))


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (lambda: 2 / 4, 0.5),
        (lambda: f"in block {3}", "in block 3"),
        (lambda: math.log(10) > 2, True),
        (lambda: analysis.count_parameters(nn.Linear(10, 5)), 55),
        (lambda: torch.tensor([2, 3], device="cpu").sum(), 5),
    ],
)
def test_a_calculation_gives_a_number_a_word_or_whether_it_holds(checkout, function, value):
    seen = calculate(checkout, function)
    assert seen.value == value and type(seen.value) is type(value)
    assert seen.kind == "calculation"


def test_what_a_calculation_prints_is_kept(checkout, capsys):
    seen = calculate(checkout, lambda: print("two and two:") or 4)
    assert (seen.value, seen.printed) == (4, "two and two:\n")
    assert capsys.readouterr().out == ""


def test_networks_cost_nothing_unless_numbers_are_needed(checkout):
    assert calculate(checkout, lambda: models.vgg16().classifier[0].weight.is_meta).value is True
    assert calculate(checkout, lambda: torch.zeros(2).is_meta, device="cpu").value is False


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: 1 / 0, "its calculation raised ZeroDivisionError: division by zero"),
        (lambda: [1, 2], "it returns a list, it has to be a number or a word"),
        (lambda: None, "it returns a NoneType"),
        (lambda: torch.zeros(1), "its calculation raised RuntimeError"),
    ],
)
def test_a_calculation_that_fails_is_one_line(checkout, function, words):
    with pytest.raises(CourseError, match=words) as caught:
        calculate(checkout, function)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("A.8, so: ")


def test_what_cites_a_paper_only_has_no_evidence_of_ours(checkout):
    assert calculate(checkout, lambda: None, cite=("paper2000",)) is None

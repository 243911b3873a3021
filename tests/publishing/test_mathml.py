"""Formulas as MathML: set as TeX sets them; what cannot be written is an error, and never raw LaTeX on a page."""

import re
from xml.etree import ElementTree

import pytest

from course_tools.publishing.mathml import mathml


def texts(formula: str, display: str = "inline") -> list[tuple[str, str]]:
    """Element and text of each leaf."""
    root = ElementTree.fromstring(mathml(formula, display))
    return [(one.tag, one.text) for one in root.iter() if one.text]


@pytest.mark.parametrize("formula", [r"\foo x", r"\frac{1", "x_", "{", "a & b", r"\left( x"])
def test_refuses_what_it_cannot_write(formula):
    with pytest.raises(ValueError, match=re.escape(repr(formula))):
        mathml(formula)


def test_a_number_with_thousands_is_one_number_and_a_list_is_not():
    assert ("mn", "8,126,464") in texts(r"4096 \cdot 1{,}984 = 8{,}126{,}464")
    assert ("mo", ",") in texts(r"\max(1, 200)")


def test_brackets_and_signs_are_operators_and_functions_are_names():
    found = texts(r"\lfloor n \rfloor \pm \max(0, \ln n)")
    assert {("mo", "⌊"), ("mo", "⌋"), ("mo", "±"), ("mi", "max"), ("mi", "ln")} <= set(found)


def test_a_function_stands_apart_from_its_argument():
    assert '<mi>ln</mi><mspace width="0.167em"' in mathml(r"\ln n")
    assert "mspace" not in mathml(r"\ln(n)") and "mspace" not in mathml(r"\max_x f")


def test_the_limits_of_a_sum_stand_above_and_below_it_where_a_formula_has_its_own_line():
    formula = r"\left( \sum_{j=1}^{n} a_j \right)^2"
    assert "munderover" in mathml(formula, "block") and "munderover" not in mathml(formula)


def test_equations_below_each_other():
    assert mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "block").count("<mtr>") == 2

"""A Sphinx extension that writes formulas as MathML when the site is built, so no page loads an engine for them.

Every current browser draws MathML, screen readers read it, and it needs no JavaScript. ``book/_static/fonts`` has the
font for it.
"""

import re
import unicodedata
import zlib
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

_SUM = re.compile(r"\\sum(?= ?[_^])")
_UNKNOWN = re.compile(r"\\[A-Za-z]+")
_THOUSANDS = re.compile(r"(<mn>[\d,]+)</mn><mrow><mo>&#x0002C;</mo></mrow><mn>(?=\d{3})")  # 3{,}072
# What TeX sets otherwise than latex2mathml and MathML's own table of operators do.
_AS_TEX_SETS_IT = (
    (re.compile(r"<mo>(/|&#x0002F;)</mo>"), r'<mo lspace="0" rspace="0">/</mo>'),
    (re.compile(r"<mo>&#x0002E;</mo>"), "<mtext>.</mtext>"),  # the full stop of a sentence
    (re.compile(r"<mo>([a-z]+|&#x02202;)</mo>"), r"<mi>\1</mi>"),  # max, and the d of a partial derivative
    (re.compile(r"<mo>&#x02026;</mo>"), '<mo lspace="0.167em" rspace="0.167em">&#x02026;</mo>'),
    (
        re.compile(r"(?<!<msu[bp]>)(?<!<munder>)(<mi>[a-z]{2,}</mi>)(?=<m(?!o))"),
        r'\1<mspace width="0.167em" />',
    ),  # ln 10
    (re.compile(r"<msqrt>"), '<msqrt><mspace height="0.7em" depth="0.15em" />'),  # a root of x is as high as one of b
)
_PARTS = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "mover": 2, "munder": 2, "munderover": 3, "mroot": 2}
_SYMBOL = re.compile(r"<mi>&#x([0-9A-F]+);</mi>")
_logger = logging.getLogger(__name__)


def mathml(formula: str, display: str = "inline") -> str:
    """A LaTeX formula as one ``<math>`` element.

    Args:
        formula: without its dollar signs.
        display: ``inline`` or ``block``.

    Raises: ValueError where a command has no translation or a bracket has no partner.
    """
    source = " ".join(formula.split()).replace("{aligned}", "{split}")
    if display == "block":
        source = _SUM.sub(r"\\sum\\limits", source)  # also between brackets, where latex2mathml forgets the display
    try:
        text = convert(source, display=display)
        element = ElementTree.fromstring(text)
    except Exception as error:  # its errors have no common class but this one
        raise ValueError(f"{type(error).__name__} in the formula {formula!r}") from error
    if any(len(one) != _PARTS.get(one.tag.partition("}")[2], len(one)) for one in element.iter()):
        raise ValueError(f"a part is missing in the formula {formula!r}")
    if unknown := _UNKNOWN.search(text):
        raise ValueError(f"{unknown[0]} in the formula {formula!r} has no MathML: write it with other commands")
    text = _SYMBOL.sub(_operator, text)
    for pattern, better in _AS_TEX_SETS_IT:
        text = pattern.sub(better, text)
    while _THOUSANDS.search(text):
        text = _THOUSANDS.sub(r"\1,", text)
    return text.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "").replace(' display="inline"', "")


def _operator(symbol: re.Match) -> str:
    """An operator or a bracket, which latex2mathml takes for a letter, as what it is."""
    match unicodedata.category(chr(int(symbol[1], 16))):
        case "Sm" if symbol[1] != "0221E":  # infinity is a number
            return f"<mo>&#x{symbol[1]};</mo>"
        case "Ps" | "Pe":
            return f'<mo stretchy="false">&#x{symbol[1]};</mo>'
    return symbol[0]


def _write(translator: "HTML5Translator", node: nodes.Node, display: str) -> str:
    try:
        return mathml(node.astext(), display)
    except ValueError as problem:
        _logger.warning("%s", problem, location=node)
        return translator.encode(node.astext())


def visit_inline(translator: "HTML5Translator", node: nodes.math) -> None:
    """Write a formula in a line."""
    translator.body.append(_write(translator, node, "inline"))
    raise nodes.SkipNode


def visit_block(translator: "HTML5Translator", node: nodes.math_block) -> None:
    """Write a formula of its own line, with its number where it has one."""
    translator.body.append(translator.starttag(node, "div", CLASS="math", TABINDEX="0"))  # a wide one scrolls
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(_write(translator, node, "block"))
    translator.body.append("</div>")
    raise nodes.SkipNode


def setup(app: "Sphinx") -> dict[str, int]:
    """Make ``html_math_renderer = "mathml"`` known."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    version = zlib.crc32(Path(__file__).read_bytes())  # after an edit of this file, every page is written again
    return {"env_version": version, "parallel_read_safe": True, "parallel_write_safe": True}

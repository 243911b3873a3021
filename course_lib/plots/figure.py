"""The course's figures: matplotlib figures with alt text, one style and one palette."""

import io
from base64 import b64encode
from functools import cache

import seaborn as sns
from cycler import cycler
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter
from PIL import Image

BROWSER_DOTS_PER_INCH = 96
DOTS_PER_INCH = 144  # half as many again: sharp on a phone
PALETTE = sns.color_palette("colorblind").as_hex()
BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, PINK, GREY, YELLOW, SKY = PALETTE
INK, QUIET = "#222222", "#444444"  # for text, and for second lines of text


class DescribedFigure(Figure):
    """A matplotlib figure with alt text.

    A notebook shows it as a PNG on opaque white. ``alt`` is in the output's metadata, from which the book takes it, and
    is the output's plain text.
    """

    alt: str = ""

    def draw(self, renderer) -> None:
        """Draw all texts as they stand, in fonts that have their characters.

        A ``$`` in a name begins no formula. Only the numbers of logarithmic axes are formulas, matplotlib's own.
        """
        for text in self.findobj(Text):
            text.set_parse_math(False)
            if others := fonts_for("".join(sorted(set(text.get_text()) - _USUAL))):
                text.set_fontfamily([*FontProperties().get_family(), *others])
        for axis in [axis for axes in self.axes for axis in (axes.xaxis, axes.yaxis)]:
            if isinstance(axis.get_major_formatter(), LogFormatter):
                for tick in (*axis.majorTicks, *axis.minorTicks):
                    tick.label1.set_parse_math(True)
                    tick.label2.set_parse_math(True)  # of a colour bar
        super().draw(renderer)

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        png = self.to_png()
        width = int.from_bytes(png[16:20])  # the header of a PNG holds its width in pixels
        data = {"image/png": b64encode(png).decode(), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt, "width": width * BROWSER_DOTS_PER_INCH // DOTS_PER_INCH}}

    def to_png(self) -> bytes:
        """The figure as a PNG of at most 256 colours: a third of the size, and no difference to the eye."""
        full, packed = io.BytesIO(), io.BytesIO()
        self.savefig(full, format="png", dpi=DOTS_PER_INCH, facecolor="white", bbox_inches="tight", pad_inches=0.08)
        picture = Image.open(full).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        picture.save(packed, format="png", optimize=True)
        return packed.getvalue()


_USUAL = set(map(chr, FT2Font(findfont(FontProperties())).get_charmap())) | {"\n"}  # what the default font has


@cache
def fonts_for(characters: str) -> list[str]:
    """The names of installed fonts that have these characters, such as Chinese ones; what none has is left out."""
    missing, names = set(characters), []
    for font in sorted(fontManager.ttflist, key=lambda font: font.name):
        if missing and not font.name.startswith("Last Resort"):  # which has a box for everything
            has = missing & set(map(chr, FT2Font(font.fname).get_charmap()))
            names += [font.name] if has else []
            missing -= has
    return names


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = 7.0, height: float = 3.2, **options
) -> tuple[DescribedFigure, Axes]:
    """A figure of ``width`` × ``height`` inches in the course's style, with a grid of axes.

    It is not registered with pyplot, so a notebook shows it once, where the cell returns it. Extra options go to
    matplotlib's ``Figure.subplots``. Returns the figure and its axes (an array where there are several).
    """
    with sns.axes_style("ticks", {"axes.edgecolor": INK, "text.color": INK, "axes.labelcolor": INK}):
        figure = DescribedFigure(figsize=(width, height), layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        with rc_context({"axes.prop_cycle": cycler(color=sns.color_palette("colorblind"))}):
            axes = figure.subplots(rows, columns, **options)
    return figure, axes


def finish(figure: DescribedFigure, alt: str) -> DescribedFigure:
    """Take the frame off the axes, attach the description and return the figure. Raises ValueError without one."""
    if not alt.strip():
        raise ValueError("a figure needs alt text that says what it shows")
    for axes in figure.axes:
        if axes.axison:
            sns.despine(ax=axes)
    figure.alt = " ".join(alt.split())
    return figure

"""How fast each version of a loop is."""

import math

import pandas as pd

from course_lib.plots.figure import BLUE, GREY, ORANGE, DescribedFigure, finish, new_figure
from course_lib.plots.wording import percent


def speed_ladder(rungs: pd.DataFrame, title: str = "milliseconds for 128 images") -> DescribedFigure:
    """Draw a bar of milliseconds for each rung, with its speed-up and its share of the roof.

    Args:
        rungs: a row a rung, in order, the first one to compare with. Column ``milliseconds``; and, where they are
            known, ``share_of_roof`` in [0, 1] and ``least`` and ``most``, the range of the milliseconds.
        title: what the bars are.

    A rung that is slower than the one before it is drawn in orange.

    Raises: ValueError for no rungs.
    """
    if rungs.empty:
        raise ValueError("a ladder needs at least one rung")
    values = rungs["milliseconds"].astype(float)
    slower = [place > 0 and values.iloc[place] > values.iloc[place - 1] for place in range(len(values))]
    colours = [GREY, *(ORANGE if worse else BLUE for worse in slower[1:])]
    figure, axes = new_figure(width=8, height=0.9 + 0.46 * len(rungs))
    axes.barh(range(len(rungs)), values, height=0.68, color=colours)
    if {"least", "most"} <= set(rungs.columns):
        reach = [(values - rungs["least"]).clip(lower=0), (rungs["most"] - values).clip(lower=0)]
        axes.errorbar(values, range(len(rungs)), xerr=reach, fmt="none", ecolor="#222222", elinewidth=1, capsize=2.5)
    shares = rungs.get("share_of_roof", pd.Series(math.nan, index=rungs.index)).astype(float)
    far = rungs.get("most", values)
    said = []
    for place, (name, value) in enumerate(values.items()):
        words = [f"{value:.3g} ms", f"×{values.iloc[0] / value:.2f}"]
        if not math.isnan(shares.iloc[place]):
            words.append(f"{percent(shares.iloc[place])} of the roof")
        axes.text(max(value, far.iloc[place]) + 0.012 * far.max(), place, "   ".join(words), va="center", fontsize=10.5)
        said.append(f"{name}: {', '.join(words)}")
    axes.set_yticks(range(len(rungs)), list(rungs.index), fontsize=10.5)
    axes.set(xlim=(0, 1.62 * far.max()), ylim=(len(rungs) - 0.4, -0.6), xlabel=title)
    axes.tick_params(left=False)
    return finish(figure, f"Bars of {title}. {'; '.join(said)}.")

"""Strength of activations and gradients: layer by layer, and over training steps."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from course_lib.plots.figure import INK, QUIET, DescribedFigure, finish, new_figure
from course_lib.plots.labels import counted, listed


def signal_chain(
    signals: Mapping[str, pd.DataFrame],
    measure: str = "gradient rms",
    what: str = "layer",
    mark: tuple[str, float] | None = None,
) -> DescribedFigure:
    """Draw one measure layer by layer on a logarithmic axis: a line for each network.

    Zeros are triangles at the bottom, infinite and missing values crosses at the top.

    Args:
        signals: tables from :func:`course_lib.analysis.signals`, by the network's name.
        measure: a column of it, such as ``"activation std"`` or ``"weight gradient rms"``.
        what: what a row is, ``"layer"`` or ``"block"``.
        mark: words and a value at which to draw a dotted line.
    Raises: ValueError where no value is above zero, or one is below.
    """
    chains = {name: frame[measure].to_numpy(dtype=float) for name, frame in signals.items()}
    lines = {name: (np.arange(1, len(values) + 1), values) for name, values in chains.items()}
    figure, axes = _draw_lines(lines, measure, mark)
    axes.set(xlabel=f"{what} (1 is nearest to the image)")
    axes.set_xlim(0.4, max(map(len, chains.values())) + 0.6)
    texts = [f"{name}: {_describe(values, what)}" for name, values in chains.items()]
    texts += _describe_mark(mark)
    return finish(figure, f"Line chart of {measure} by {what}, on a logarithmic axis. {'. '.join(texts)}.")


def first_layer_over_steps(
    tables: Mapping[str, pd.DataFrame],
    measure: str = "weight gradient rms",
    mark: tuple[str, float] | None = None,
) -> DescribedFigure:
    """Draw one measure of the first layer over training steps on a logarithmic axis: a line for each network.

    Zeros, and values that are not finite, are drawn as in :func:`signal_chain`.

    Args:
        tables: of :func:`course_lib.analysis.watch`, by the network's name.
        measure: a column of it.
        mark: words and a value at which to draw a dotted line.
    Raises: ValueError where no value is above zero, or one is below.
    """
    lines = {}
    for name, table in tables.items():
        first = table[table.index == table.index[0]]
        lines[name] = (first["step"].to_numpy(), first[measure].to_numpy(dtype=float))
    figure, axes = _draw_lines(lines, measure, mark)
    axes.set(xlabel="training step", ylabel=f"{measure}, first layer")
    texts = []
    for name, (steps, values) in lines.items():
        text = f"{name}: {values[0]:.2g} at step {steps[0]} and {values[-1]:.2g} at step {steps[-1]}"
        zeros = steps[values == 0]
        texts.append(
            text + (f", zero at {len(zeros)} of {len(steps)} steps, first at {zeros[0]}" if len(zeros) else "")
        )
    texts += _describe_mark(mark)
    alt = f"Line chart of the first layer's {measure} over training steps, on a logarithmic axis."
    return finish(figure, f"{alt} {'. '.join(texts)}.")


def _draw_lines(
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]], measure: str, mark: tuple[str, float] | None
) -> tuple[DescribedFigure, Axes]:
    """Lines on a logarithmic axis, with triangles for zeros and crosses for what is not finite."""
    everything = np.concatenate([values for _, values in lines.values()])
    _check(everything, measure)
    drawable = everything[np.isfinite(everything) & (everything > 0)]
    floor, ceiling = drawable.min() / 4, drawable.max() * 4
    figure, axes = new_figure(width=7, height=4)
    legend = {}
    for place, (name, (xs, values)) in enumerate(lines.items()):
        zero, infinite = values == 0, ~np.isfinite(values)
        finite = np.where(zero | infinite, np.nan, values)
        (line,) = axes.plot(xs, finite, marker="osD^vP"[place % 6], markersize=6, linewidth=1.5, label=name)
        style = {"linestyle": "none", "color": line.get_color(), "clip_on": False, "zorder": 4}
        for where, level, marker, word in ((zero, floor, "v", "zero"), (infinite, ceiling, "x", "not a finite number")):
            if where.any():
                axes.plot(xs[where], np.full(where.sum(), level), marker, markersize=8, **style)
                legend[marker] = word
    for marker, word in legend.items():
        axes.plot([], [], marker, color=QUIET, markersize=8, linestyle="none", label=word)
    if mark is not None:
        axes.axhline(mark[1], color=INK, linewidth=1, linestyle=":")
        axes.annotate(
            mark[0], (1, mark[1]), (-2, 3), ("axes fraction", "data"), "offset points", ha="right", fontsize=11
        )
    axes.set(yscale="log", ylabel=measure)
    axes.set_ylim(floor if "v" in legend else floor * 2, ceiling if "x" in legend else ceiling / 2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    named = [line for line in axes.lines if not line.get_label().startswith("_child")]
    figure.legend(handles=named, loc="outside upper left", ncols=3, frameon=False, fontsize=10.5, columnspacing=1.3)
    return figure, axes


def _describe_mark(mark: tuple[str, float] | None) -> list[str]:
    return [] if mark is None else [f"a dotted line at {mark[1]:.0e}: {mark[0]}"]


def _check(values: np.ndarray, measure: str) -> None:
    if (values < 0).any():
        raise ValueError(f"{measure} is below zero somewhere, which a logarithmic scale cannot show")
    if not (np.isfinite(values) & (values > 0)).any():
        raise ValueError(f"no layer has a {measure} above zero, so there is nothing to draw")


def _describe(values: np.ndarray, what: str) -> str:
    """First and last value and their ratio, and how many are zero or not finite."""
    first, last = values[0], values[-1]
    text = f"{first:.2g} in {what} 1 and {last:.2g} in {what} {len(values)}"
    if np.isfinite(values[[0, -1]]).all() and first > 0 and last > 0:
        larger, smaller = ("first", "last") if first >= last else ("last", "first")
        text += f", the {larger} {max(first, last) / min(first, last):,.2g} times the {smaller}"
    counts = {"zero": (values == 0).sum(), "not finite": (~np.isfinite(values)).sum()}
    notes = [f"{number} of {counted(len(values), what)} {word}" for word, number in counts.items() if number]
    return f"{text}, {listed(notes)}" if notes else text


def signals_over_steps(frame: pd.DataFrame, measure: str = "gradient rms") -> DescribedFigure:
    """Draw one measure of every layer at every recorded step: a heat map, layers × steps, on a logarithmic scale.

    ``frame`` is the table of :func:`course_lib.analysis.watch`: a row for each step and layer, the layer's name as
    index, and a column ``step``. Values that are zero, missing or not finite stay grey.

    Raises: ValueError where no value is above zero, or one is below.
    """
    order = list(dict.fromkeys(frame.index))
    grid = frame.reset_index(names="layer").pivot(index="layer", columns="step", values=measure).loc[order]
    values = grid.to_numpy(dtype=float)
    shown = np.ma.masked_where(~np.isfinite(values) | (values <= 0), values)
    _check(values, measure)
    low, high = float(shown.min()), float(shown.max())
    figure, axes = new_figure(width=7, height=min(9.0, 1.3 + 0.24 * max(5, len(order))))
    axes.set_facecolor("#c8c8c8")
    scale = LogNorm(low, high if high > low else 2 * low)
    picture = axes.pcolormesh(range(len(grid.columns) + 1), range(len(order) + 1), shown, norm=scale, cmap="viridis")
    ticks = range(0, len(grid.columns), -(-len(grid.columns) // 6))
    axes.set_xticks([place + 0.5 for place in ticks], [f"{grid.columns[place]:,}" for place in ticks])
    axes.set_yticks([place + 0.5 for place in range(len(order))], order, fontsize=9)
    axes.set(xlabel="training step", ylim=(len(order), 0))
    axes.tick_params(left=False)
    figure.colorbar(picture, ax=axes, label=measure, aspect=25)
    begin, end = values[:, 0], values[:, -1]
    ends = (
        f"From step {grid.columns[0]} to step {grid.columns[-1]}, {order[0]} goes from {begin[0]:.2g} to {end[0]:.2g} "
        f"and {order[-1]} from {begin[-1]:.2g} to {end[-1]:.2g}"
    )
    grey = values.size - shown.count()
    if grey:
        axes.text(1, 1.01, "grey: zero or not finite", transform=axes.transAxes, ha="right", va="bottom", color=INK)
        ends += f". {grey} of {values.size} squares are grey: zero or not finite"
    alt = f"Heat map of {measure}, {counted(len(order), 'layer')} by {counted(len(grid.columns), 'step')}, "
    return finish(figure, f"{alt} on a logarithmic scale from {low:.2g} to {high:.2g}. {ends}.")

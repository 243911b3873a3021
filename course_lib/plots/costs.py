"""Costs: parameters, multiply-adds and time, of layers, networks and training loops, and accuracy against them."""

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter

from course_lib.plots.figure import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALETTE,
    QUIET,
    SKY,
    DescribedFigure,
    finish,
    new_figure,
)
from course_lib.plots.labels import counted, label_points, listed, percent, spoken
from course_lib.plots.volumes import CONVOLUTION, KIND_COLOURS, LINEAR, OTHER, kind_of

_NEGLIGIBLE = 0.005
COSTS = ["parameters", "multiply-adds"]


def layer_bars(table: pd.DataFrame) -> DescribedFigure:
    """Draw parameters and multiply-adds of each layer with parameters as bars, with numbers and shares.

    ``table`` comes from :func:`course_lib.analysis.layer_table`. Convolutions and linear layers have a row each. All
    others together (batch norm) have one row, or a note where they are under 0.5% of every column.
    """
    costs, total = table.iloc[:-1], table.iloc[-1]
    costs = costs[costs["parameters"] > 0]
    costs = costs.assign(kind=[kind_of(layer) for layer in costs["type"]])  # a list: names of layers may repeat
    rows = costs[costs["kind"] != OTHER]
    others = costs[costs["kind"] == OTHER]
    names = [f"{name}  {kind}" for name, kind in zip(rows.index, rows["type"], strict=True)]
    note = ""
    if len(others):
        what = f"{len(others)} {listed(sorted({kind or name for name, kind in others['type'].items()}))}"
        if any(others[column].sum() > _NEGLIGIBLE * total[column] for column in COSTS):
            rows = pd.concat([rows, others[COSTS].sum().to_frame().T.assign(kind=OTHER)])
            names.append(what)
        else:
            note = f"Not shown: {what}, under 0.5%."
    height = 1.0 + 0.27 * len(rows)
    figure, panels = new_figure(1, 2, width=7.4, height=height, sharey=True)
    descriptions = []
    for axes, column in zip(panels, COSTS, strict=True):
        values = rows[column].astype(float)
        axes.barh(range(len(rows)), values, height=0.72, color=[KIND_COLOURS[kind] for kind in rows["kind"]])
        for row, value in enumerate(values):
            text = f" {spoken(value)}  {percent(value / total[column])}"
            axes.text(value, row, text, va="center", fontsize=10.5, color=QUIET)
        axes.set(xlim=(0, 2 * max(1, values.max())), ylim=(len(rows) - 0.4, -0.6), xticks=[])
        axes.set_title(f"{column}: {spoken(total[column])}", fontsize=12, loc="left")
        axes.set_yticks(range(len(rows)), names, fontsize=10.5)
        axes.tick_params(left=False)
        largest = int(values.argmax())
        shares = [
            f"{kind} layers {percent(part / total[column])}"
            for kind, part in values.groupby(rows["kind"].tolist(), sort=False).sum().items()
        ]
        descriptions.append(
            f"Of {spoken(total[column])} {column}, {listed(shares)}; most of all, "
            f"{percent(values.iloc[largest] / total[column])}, in {names[largest].replace('  ', ' ')}"
        )
    if note:
        figure.supxlabel(note, fontsize=10.5, color=QUIET)
    described = finish(figure, f"Bars for {counted(len(rows), 'layer')}. {'. '.join(descriptions)}. {note}")
    for axes in panels:
        axes.spines["bottom"].set_visible(False)
    return described


def share_bars(tables: Mapping[str, pd.DataFrame]) -> DescribedFigure:
    """Draw the shares of convolutions and linear layers in each network's costs: a bar for each network.

    ``tables`` come from :func:`course_lib.analysis.layer_table`, by the network's name.
    """
    figure, panels = new_figure(1, 2, width=8, height=1.1 + 0.42 * len(tables), sharey=True)
    descriptions, drawn = [], []
    for axes, column in zip(panels, COSTS, strict=True):
        parts = []
        for row, (name, table) in enumerate(tables.items()):
            shares, total = _shares(table, column), table[column].iloc[-1]
            left = 0.0
            for kind, share in shares.items():
                colour = KIND_COLOURS[kind]
                axes.barh(row, share, left=left, height=0.7, color=colour, edgecolor="white", linewidth=0.6)
                if share > 0.16:
                    style = {"ha": "center", "va": "center", "fontsize": 10, "color": _readable_on(colour)}
                    axes.text(left + share / 2, row, percent(share), **style)
                left += share
                drawn.append(kind)
            axes.text(1.02, row, spoken(total), va="center", fontsize=10, color=QUIET)
            part = listed([f"{percent(share)} {kind}" for kind, share in shares.items()])
            parts.append(f"{name} {part} of {spoken(total)}")
        axes.set(xlim=(0, 1.22), ylim=(len(tables) - 0.5, -0.5), xticks=[])
        axes.set_yticks(range(len(tables)), list(tables), fontsize=11)
        axes.tick_params(left=False)
        axes.set_title(column, fontsize=12, loc="left")
        descriptions.append(f"{column}: {'; '.join(parts)}")
    kinds = [kind for kind in (CONVOLUTION, LINEAR, OTHER) if kind in drawn]
    keys = [Patch(facecolor=KIND_COLOURS[kind], label="batch norm etc." if kind == OTHER else kind) for kind in kinds]
    figure.legend(handles=keys, loc="outside lower center", ncols=3, frameon=False, handlelength=1.3)
    described = finish(figure, f"Shares of convolutional and linear layers. {'. '.join(descriptions)}.")
    for axes in panels:
        axes.spines[:].set_visible(False)
    return described


def parameter_pie(table: pd.DataFrame) -> DescribedFigure:
    """Draw a network's parameters as a pie: convolutions, the first linear layer, the other linear layers, the rest.

    ``table`` comes from :func:`course_lib.analysis.layer_table`. A rest under 0.5% is left out.
    """
    layers, total = table.iloc[:-1], table["parameters"].iloc[-1]
    kinds = layers["type"].map(kind_of).to_numpy()
    convolutions, linear = (layers["parameters"][kinds == kind] for kind in (CONVOLUTION, LINEAR))
    slices = {"convolutions": (convolutions.sum(), KIND_COLOURS[CONVOLUTION])}
    if len(linear):
        name = "the first linear layer" if len(linear) > 1 else "the linear layer"
        slices[name] = (linear.iloc[0], GREEN)
        slices["the other linear layers" if len(linear) > 2 else "the last linear layer"] = (linear.iloc[1:].sum(), SKY)
    slices["batch norm etc."] = (total - sum(value for value, _ in slices.values()), KIND_COLOURS[OTHER])
    if slices["batch norm etc."][0] < _NEGLIGIBLE * total:
        del slices["batch norm etc."]
    slices = {name: part for name, part in slices.items() if part[0]}
    labels = [f"{name}\n{spoken(value)}, {percent(value / total)}" for name, (value, _) in slices.items()]
    figure, axes = new_figure(width=6, height=3.6)
    wedges, *_ = axes.pie(
        [value for value, _ in slices.values()],
        labels=labels,
        colors=[colour for _, colour in slices.values()],
        **{"startangle": 90, "counterclock": False, "labeldistance": 1.15, "textprops": {"fontsize": 12}},
        wedgeprops={"edgecolor": "white", "linewidth": 1.5},
    )
    for wedge in wedges:
        if wedge.theta2 - wedge.theta1 < 4:  # a white edge would hide so thin a slice
            wedge.set(edgecolor=wedge.get_facecolor(), linewidth=1, zorder=2)
    axes.set_title(f"{spoken(total)} parameters", fontsize=12, pad=18)
    slices_in_words = "; ".join(label.replace("\n", " ") for label in labels)
    return finish(figure, f"Pie of {spoken(total)} parameters: {slices_in_words}.")


def accuracy_against_cost(frame: pd.DataFrame) -> DescribedFigure:
    """Draw accuracy over parameters, over multiply-adds and over seconds of training: a panel each, a point a model.

    ``frame`` has a row a model (its name is the index) with ``accuracy``, the mean over seeds as a share of 1;
    ``spread``, drawn as an error bar up and down, missing where there is one seed; ``parameters``,
    ``multiply_adds`` of one image, and ``seconds``. Without this column, and where a column ``machine`` holds more than
    one machine, so that seconds can't be compared, their panel is left out.
    """
    titles = {"parameters": "parameters", "multiply_adds": "multiply-adds", "seconds": "seconds of training"}
    if "seconds" not in frame or ("machine" in frame and frame["machine"].nunique() > 1):
        del titles["seconds"]
    figure, panels = new_figure(1, len(titles), width=8, height=4, sharey=True)
    colours = [PALETTE[place % 8] for place in range(len(frame))]
    spreads = frame["spread"].fillna(0.0).tolist()
    for axes, (column, title) in zip(panels, titles.items(), strict=True):
        for place, (x, y, spread) in enumerate(zip(frame[column], frame["accuracy"], spreads, strict=True)):
            style = {"color": colours[place], "marker": "osD^vPX*"[place % 8], "markersize": 8}
            axes.errorbar(x, y, yerr=spread or None, capsize=3, linestyle="none", **style)
        low, high = math.log10(frame[column].min()), math.log10(frame[column].max())
        middle, half = (low + high) / 2, max(1.0, 0.75 * (high - low))  # two powers of ten at least, and room for names
        axes.set(xscale="log", xlim=(10 ** (middle - half), 10 ** (middle + half)), xlabel=title)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: spoken(value).replace(".0", "").replace(" ", "")))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(y=0.15)
    bottom, top = panels[0].get_ylim()
    panels[0].yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    decimals = 0 if top - bottom > 0.04 else 1 if top - bottom > 0.004 else 2
    panels[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=decimals))
    panels[0].set_ylabel("accuracy")
    for axes, column in zip(panels, titles, strict=True):
        label_points(axes, list(frame.index), list(zip(frame[column], frame["accuracy"], strict=True)), spreads)
    rows = frame.sort_values("accuracy", ascending=False).itertuples()
    descriptions = [
        f"{row.Index} {row.accuracy:.2%}{'' if pd.isna(row.spread) else f' ± {row.spread:.2%}'} with "
        + ", ".join(f"{spoken(getattr(row, column))} {column.replace('_', '-')}" for column in titles)
        for row in rows
    ]
    alt = f"Accuracy against {'three' if len(titles) == 3 else 'two'} costs, each on a logarithmic axis. Best first: "
    return finish(figure, f"{alt}{'; '.join(descriptions)}.")


def speed_ladder(rungs: pd.DataFrame, title: str = "milliseconds for 128 images") -> DescribedFigure:
    """Draw the milliseconds of each version of a loop as a bar, with its speed-up and share of peak throughput.

    Args:
        rungs: a row for each version, in order; speed-ups are over the first. Column ``milliseconds``; and, where
            known, ``share_of_roof`` in [0, 1], and ``least`` and ``most``, the range of the milliseconds.
        title: what the bars show.

    A version that is slower than the one before it is orange.

    Raises: ValueError for a table without rows.
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
    descriptions = []
    for place, (name, value) in enumerate(values.items()):
        parts = [f"{value:.3g} ms", f"×{values.iloc[0] / value:.2f}"]
        if not math.isnan(shares.iloc[place]):
            parts.append(f"{percent(shares.iloc[place])} of the roof")
        axes.text(max(value, far.iloc[place]) + 0.012 * far.max(), place, "   ".join(parts), va="center", fontsize=10.5)
        descriptions.append(f"{name}: {', '.join(parts)}")
    axes.set_yticks(range(len(rungs)), list(rungs.index), fontsize=10.5)
    axes.set(xlim=(0, 1.62 * far.max()), ylim=(len(rungs) - 0.4, -0.6), xlabel=title)
    axes.tick_params(left=False)
    return finish(figure, f"Bars of {title}. {'; '.join(descriptions)}.")


def _shares(table: pd.DataFrame, column: str) -> dict[str, float]:
    """Shares of convolutional and linear layers, and of all others unless they are negligible."""
    layers, total = table.iloc[:-1], table[column].iloc[-1]
    sums = layers[column].groupby([kind_of(layer) for layer in layers["type"]]).sum()
    shares = {kind: float(sums.get(kind, 0)) / total for kind in (CONVOLUTION, LINEAR)}
    rest = 1 - sum(shares.values())
    return {kind: share for kind, share in shares.items() if share} | ({OTHER: rest} if rest > _NEGLIGIBLE else {})


def _readable_on(colour: str) -> str:
    red, green, blue = to_rgb(colour)
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.6 else INK

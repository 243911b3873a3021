"""The ladder, the grid and the cuts in one picture each, from records."""

import math
from collections.abc import Collection, Mapping, Sequence

import pandas as pd
import seaborn as sns

from course_lib.plots.figure import BLUE, ORANGE, DescribedFigure, finish, new_figure
from course_lib.transfer.rungs import INPUTS, MODES, cell_name

CHANCE = 0.1


def ladder_bars(accuracies: Mapping[str, Sequence[float]], bugs: Collection[str] = ()) -> DescribedFigure:
    """Draw a bar of accuracy for each run, in the order given: bugs in orange and hatched, the others in blue.

    Args:
        accuracies: by run, in [0, 1], one a seed; the bar is their mean.
        bugs: names of the runs that have one.

    Raises: ValueError for no runs.
    """
    if not accuracies:
        raise ValueError("a ladder needs at least one rung")
    means = {name: sum(values) / len(values) for name, values in accuracies.items()}
    figure, axes = new_figure(width=8, height=0.9 + 0.42 * len(means))
    said = []
    for place, (name, mean) in enumerate(means.items()):
        wrong, values = name in bugs, accuracies[name]
        style = {"color": ORANGE, "hatch": "//", "edgecolor": "white"} if wrong else {"color": BLUE}
        axes.barh(place, mean, height=0.68, **style)
        if len(values) > 1:
            axes.plot([min(values), max(values)], [place, place], color="#222222", linewidth=1.5)
        seeds = f", {len(values)} seeds" if len(values) > 1 else ""
        axes.text(max(values) + 0.012, place, f"{100 * mean:.1f} %{seeds}", va="center", fontsize=10.5)
        said.append(f"{name}{' (a bug)' if wrong else ''}: {100 * mean:.1f} %{seeds}")
    axes.axvline(CHANCE, color="#222222", linestyle=":", linewidth=1)
    axes.set_yticks(range(len(means)), list(means), fontsize=10.5)
    axes.set(xlim=(0, 1.25), ylim=(len(means) - 0.4, -0.6), xlabel="test accuracy (dotted: guessing)")
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.tick_params(left=False)
    return finish(figure, f"Bars of test accuracy. {'; '.join(said)}.")


def grid_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Accuracies of the grid: a row for each way to prepare images, a column for each way to train.

    ``runs`` is a table of records, with columns ``name`` and ``accuracy``; a cell without a record is NaN.
    """
    means = runs.groupby("name")["accuracy"].mean()
    cells = [[means.get(cell_name(images, mode), float("nan")) for mode in MODES] for images in INPUTS]
    return pd.DataFrame(cells, index=list(INPUTS), columns=list(MODES), dtype=float)


def grid_heatmap(accuracies: pd.DataFrame) -> DescribedFigure:
    """Draw accuracies in [0, 1] as numbers on colours, bright for high: inputs down, training modes across."""
    figure, axes = new_figure(width=7, height=0.9 + 0.62 * len(accuracies))
    options = {"vmin": 10, "vmax": 100, "cmap": "cividis", "linewidths": 1, "linecolor": "white"}
    sns.heatmap(100 * accuracies, annot=True, fmt=".1f", ax=axes, cbar=False, **options)
    axes.set_xticklabels(accuracies.columns, rotation=0)
    axes.set_yticklabels(accuracies.index, rotation=0)
    axes.set(xlabel="what is trained", ylabel="")
    axes.tick_params(left=False, bottom=False)
    said = [
        f"{images}: " + ", ".join(f"{mode} {_percent(value)}" for mode, value in row.items())
        for images, row in accuracies.iterrows()
    ]
    return finish(figure, f"Heat map of test accuracy. {'; '.join(said)}.")


def _percent(share: float) -> str:
    return "not run" if math.isnan(share) else f"{100 * share:.1f} %"


def cut_curve(accuracies: Mapping[str, float]) -> DescribedFigure:
    """Draw the accuracy of a head on frozen features over where the backbone is cut, from early to late."""
    figure, axes = new_figure(width=7, height=2.9)
    names, values = list(accuracies), list(accuracies.values())
    best = values.index(max(values))
    axes.plot(range(len(values)), values, color=BLUE, marker="o")
    axes.plot(best, values[best], color=ORANGE, marker="D", markersize=9)
    for place, value in enumerate(values):
        axes.annotate(f"{100 * value:.1f} %", (place, value), (0, 9), textcoords="offset points", ha="center")
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="accuracy of a head on it", xlim=(-0.4, len(names) - 0.6), ylim=(min(values) - 0.05, 1.09))
    axes.set_yticks([tick for tick in axes.get_yticks() if tick <= 1])
    said = "; ".join(f"{name}: {100 * value:.1f} %" for name, value in accuracies.items())
    return finish(
        figure, f"Accuracy of a head on frozen features, by where the backbone ends. {said}. Best: {names[best]}."
    )

"""Figures of transfer: one that shows each bug, and the results of the ladder, the grid and the cuts."""

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
import torch
from torch import nn

from course_lib.data import Split
from course_lib.plots.figure import BLUE, GREY, INK, ORANGE, DescribedFigure, finish, new_figure
from course_lib.plots.labels import counted, listed, percent
from course_lib.transfer.cases import INPUTS, MODES, cell_name

LINES = ((BLUE, "o"), (ORANGE, "s"), (GREY, "^"))
CHANCE = 0.1
LEAST_ERROR = 0.5  # in percent, the left edge of a logarithmic axis; fewer errors are drawn there


def batch_as_seen(
    prepared: Split, count: int = 6, digit_side: int | None = None, rows: int | None = None
) -> DescribedFigure:
    """Draw the first images of a batch in colour, as the network gets them before normalisation, with their labels.

    Args:
        prepared: uint8 images (N, 3, side, side).
        count: number of images.
        digit_side: side of the digits that the images were refilled with; a line is drawn where each digit begins.
        rows: number of pixel rows to draw, from the top; None draws all.
    """
    count, side = min(count, len(prepared)), prepared.images.shape[-1]
    rows = min(rows or side, side)
    figure, panels = new_figure(1, count, width=8, height=8 / count * rows / side + 0.4, squeeze=False)
    for number, axes in enumerate(panels[0]):
        axes.imshow(prepared.images[number, :, :rows].permute(1, 2, 0).cpu().numpy(), interpolation="nearest")
        axes.set_title(f"label {prepared.classes[prepared.labels[number]]}", fontsize=9)
        axes.set_axis_off()
        for start in range(digit_side**2, rows * side, digit_side**2) if digit_side else ():
            row, column = divmod(start, side)
            lines = [(row - 0.5, column - 0.5, side - 0.5), (row + 0.5, -0.5, column - 0.5)]
            for height, left, right in lines[: 2 if column else 1]:
                axes.plot([left, right], [height, height], color=ORANGE, linewidth=0.9)
    labels = listed([str(prepared.classes[label]) for label in prepared.labels[:count]])
    top = f", their first {rows} rows" if rows < side else ""
    alt = f"{counted(count, 'image')} of {side} × {side} as the network gets them{top}, labelled {labels}."
    if digit_side:
        alt += f" Lines show where one digit ends and the next begins: {side**2 / digit_side**2:g} in each image."
    return finish(figure, alt)


def channel_pictures(prepared: Split) -> DescribedFigure:
    """Draw red, green and blue of the first image side by side, on one scale from 0 to 255."""
    figure, panels = new_figure(1, 3, width=6, height=2.4)
    means = []
    for name, channel, axes in zip(("red", "green", "blue"), prepared.images[0].cpu(), panels, strict=True):
        axes.imshow(channel.numpy(), cmap="gray", vmin=0, vmax=255)
        axes.set_title(f"{name}: mean {channel.float().mean():.0f}", fontsize=10)
        axes.set_axis_off()
        means.append(f"{name} {channel.float().mean():.0f}")
    return finish(figure, f"The three channels of one image, on one scale. Mean grey levels: {listed(means)}.")


def pixel_histogram(batches: Mapping[str, torch.Tensor], expected: tuple[float, float]) -> DescribedFigure:
    """Draw histograms of pixel values in batches, and the range that a backbone expects.

    Args:
        batches: by name, float images (N, C, H, W).
        expected: lowest and highest value that the backbone was trained with.
    """
    figure, panels = new_figure(1, len(batches), width=8, height=2.8, squeeze=False)
    descriptions = []
    for (name, batch), axes in zip(batches.items(), panels[0], strict=True):
        values = batch.float().flatten().cpu().numpy()
        axes.axvspan(*expected, color=GREY, alpha=0.3, linewidth=0)
        axes.hist(values, bins=40, color=BLUE, weights=np.full(len(values), 1 / len(values)))
        axes.set_yscale("log")
        axes.set(title=name, xlabel="pixel value", ylabel="share of pixels")
        descriptions.append(f"{name}: from {values.min():.2f} to {values.max():.2f}, mean {values.mean():.2f}")
    expectation = f"Expected (grey): {expected[0]:.2f} to {expected[1]:.2f}."
    return finish(figure, f"Histograms of pixel values. {'; '.join(descriptions)}. {expectation}")


def weight_movement(moved: Mapping[str, Mapping[str, float]], at_most: float) -> DescribedFigure:
    """Draw the relative change of each pretrained layer's weights, a line a run.

    Args:
        moved: by run, the values of :func:`course_lib.transfer.movement`.
        at_most: the guard's limit, drawn as a line.
    """
    figure, axes = new_figure(width=8, height=3.2)
    descriptions = []
    for (name, layers), (colour, marker) in zip(moved.items(), LINES, strict=False):
        values = list(layers.values())
        axes.plot(range(1, len(values) + 1), values, color=colour, marker=marker, markersize=4, label=name)
        descriptions.append(f"{name}: at most {percent(max(values))}")
    axes.axhline(at_most, color=INK, linestyle="--", linewidth=1, label="limit of the check")
    axes.set_yscale("log")
    axes.set(xlabel="layer with weights, first to last", ylabel="moved by, share of length")
    axes.legend(handles=axes.lines, frameon=False)
    limit = f"The check allows {percent(at_most)}."
    return finish(figure, f"How far the weights of each layer moved. {'; '.join(descriptions)}. {limit}")


def statistics_drift(before: Mapping[str, torch.Tensor], network: nn.Module) -> DescribedFigure:
    """Draw by which factor each batch norm's running variance changed, the median of its channels, layer by layer.

    ``before`` is a :func:`course_lib.transfer.snapshot` from before training. Raises ValueError without batch norms.
    """
    factors = [
        (now.cpu() / before[name]).nanmedian().item()  # 0 / 0 where a channel is dead
        for name, now in network.named_buffers()
        if name.endswith("running_var")
    ]
    if not factors:
        raise ValueError("this network has no batch norm whose statistics could drift")
    figure, axes = new_figure(width=8, height=2.8)
    axes.axhline(1, color=INK, linestyle="--", linewidth=1)
    axes.plot(range(1, len(factors) + 1), factors, color=ORANGE, marker="o", markersize=4)
    axes.set_yscale("log")
    axes.set(xlabel="batch norm, first to last", ylabel="variance, after / before")
    low, high = min(factors), max(factors)
    drift = "All stand still at 1."
    if not low == high == 1:
        drift = f"They lie between {low:.3g} and {high:.3g}; 1 is unchanged."
    return finish(
        figure, f"By which factor the running variances of {len(factors)} batch norms changed, in the median. {drift}"
    )


def ladder_errors(accuracies: Mapping[str, Sequence[float]], bugs: Collection[str] = ()) -> DescribedFigure:
    """Draw the errors of each rung on a logarithmic scale, in the given order: a mark a run, and the mean in percent.

    Bugs are orange diamonds, runs without a bug are blue circles.

    Args:
        accuracies: by rung, in [0, 1], one for each seed.
        bugs: names of the rungs that have a bug.

    Raises: ValueError for no rungs.
    """
    if not accuracies:
        raise ValueError("a ladder needs at least one rung")
    figure, axes = new_figure(width=8, height=0.9 + 0.42 * len(accuracies))
    descriptions = []
    for place, (name, values) in enumerate(accuracies.items()):
        errors = 100 * (1 - np.asarray(values, dtype=float))
        drawn = np.maximum(errors, LEAST_ERROR)
        style = {"color": ORANGE, "marker": "D"} if name in bugs else {"color": BLUE, "marker": "o"}
        axes.scatter(drawn, np.full(len(drawn), place), s=44, alpha=0.65, linewidths=0, zorder=3, **style)
        seeds = f", {len(errors)} seeds" if len(errors) > 1 else ""
        label = f"{errors.mean():.1f} %{seeds}"
        axes.annotate(label, (drawn.max(), place), (9, 0), textcoords="offset points", va="center", fontsize=10.5)
        descriptions.append(f"{name}{' (a bug)' if name in bugs else ''}: {label}")
    axes.axvline(100 * (1 - CHANCE), color=INK, linestyle=":", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(accuracies)), list(accuracies), fontsize=10.5)
    axes.set(xlim=(LEAST_ERROR, 450), ylim=(len(accuracies) - 0.4, -0.6))
    axes.set_xlabel("errors, on a logarithmic scale (dotted: guessing)")
    axes.set_xticks([1, 2, 5, 10, 20, 50, 90], ["1 %", "2 %", "5 %", "10 %", "20 %", "50 %", "90 %"])
    axes.minorticks_off()
    axes.grid(axis="x", color="#dddddd", zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(left=False)
    return finish(figure, f"Errors of each rung, means over seeds. {'; '.join(descriptions)}.")


def grid_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracies of the grid: a row for each way to prepare images, a column for each way to train.

    ``runs`` is a table of records, with columns ``name`` and ``accuracy``; a cell without a record is NaN.
    """
    means = runs.groupby("name")["accuracy"].mean()
    cells = [[means.get(cell_name(images, mode), float("nan")) for mode in MODES] for images in INPUTS]
    return pd.DataFrame(cells, index=list(INPUTS), columns=list(MODES), dtype=float)


def grid_heatmap(accuracies: pd.DataFrame) -> DescribedFigure:
    """Draw a table of accuracies in [0, 1] as a heat map with numbers."""
    figure, axes = new_figure(width=7, height=0.9 + 0.62 * len(accuracies))
    options = {"vmin": 10, "vmax": 100, "cmap": "cividis", "linewidths": 1, "linecolor": "white"}
    sns.heatmap(100 * accuracies, annot=True, fmt=".1f", ax=axes, cbar=False, **options)
    axes.set_xticklabels(accuracies.columns, rotation=0)
    axes.set_yticklabels(accuracies.index, rotation=0)
    axes.set(xlabel="what is trained", ylabel="")
    axes.tick_params(left=False, bottom=False)
    descriptions = [
        f"{images}: " + ", ".join(f"{mode} {_percent(value)}" for mode, value in row.items())
        for images, row in accuracies.iterrows()
    ]
    return finish(figure, f"Heat map of accuracy. {'; '.join(descriptions)}.")


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
    percentages = "; ".join(f"{name}: {100 * value:.1f} %" for name, value in accuracies.items())
    alt = f"Accuracy of a head on frozen features, by where the backbone ends. {percentages}. Best: {names[best]}."
    return finish(figure, alt)

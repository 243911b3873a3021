"""Results of training: learning curves and the confusion matrix."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter, PercentFormatter

from course_lib.plots.figure import BLUE, ORANGE, DescribedFigure, finish, new_figure
from course_lib.plots.labels import counted
from course_lib.training import History

MARKERS = "os^Dv<>PX*"  # of lines, so that they differ without colours
MEASURES = ("train_", "val_")  # with what their columns begin


def learning_curves(history: History) -> DescribedFigure:
    """Draw loss (left) and accuracy (right) of training and validation by epoch.

    Where a run ends above 95 %, its errors are drawn in place of accuracies, on a logarithmic scale: there a gap that
    would be a line's width is seen.
    """
    frame = _finished(history)
    figure, (left, right) = new_figure(1, 2, width=8, height=3.2)
    parts = [("train", "training", BLUE, "o")]
    if not math.isnan(frame["val_loss"].iloc[-1]):
        parts.append(("val", "validation", ORANGE, "s"))
    errors = frame[f"{parts[-1][0]}_accuracy"].iloc[-1] > 0.95
    for column, label, colour, marker in parts:
        accuracy = frame[f"{column}_accuracy"]
        style = {"color": colour, "marker": marker, "markersize": 4, "label": label}
        left.plot(frame.index, frame[f"{column}_loss"], **style)
        right.plot(frame.index, 1 - accuracy if errors else accuracy, **style)
    for axes, title in ((left, "Loss"), (right, "Errors" if errors else "Accuracy")):
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
    if errors:
        right.set_yscale("log")
    low, high = right.get_ylim()
    right.yaxis.set_major_formatter(PercentFormatter(1, decimals=None if errors else 0 if high - low > 0.04 else 1))
    right.yaxis.set_minor_formatter(NullFormatter())
    first, last = history[0], history[-1]
    alt = f"Training loss goes from {first.train_loss:.3f} to {last.train_loss:.3f} in {len(history)} epochs"
    if len(parts) == 2:
        alt += (
            f", validation loss from {first.val_loss:.3f} to {last.val_loss:.3f}; accuracy ends at "
            f"{last.train_accuracy:.1%} in training and {last.val_accuracy:.1%} in validation."
        )
    else:
        alt += f"; training accuracy ends at {last.train_accuracy:.1%}."
    return finish(figure, f"Two line charts, loss and {'errors' if errors else 'accuracy'} by epoch. {alt}")


def compare_curves(runs: Mapping[str, History], measure: str = "val_accuracy") -> DescribedFigure:
    """Draw one measure of several runs, a column of ``History.to_frame()``, as a line each."""
    figure, axes = new_figure()
    ends = []
    for name, history in runs.items():
        values = _finished(history)[measure]
        axes.plot(values.index, values, marker="o", markersize=4, label=name)
        ends.append(f"{name} {values.iloc[-1]:.4f}")
    label = measure.replace("val_", "validation ").replace("train_", "training ").replace("_", " ")
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(handles=axes.lines, frameon=False)
    return finish(figure, f"Line chart of {label} by epoch for {len(runs)} runs. At the end: {', '.join(ends)}.")


def mean_curves(panels: Mapping[str, pd.DataFrame]) -> DescribedFigure:
    """Draw curves of many runs, a panel each: a line at the mean over seeds, a band from the lowest to the highest.

    Args:
        panels: by title, columns of :func:`course_lib.records.studies.curves`: ``name``, ``epoch``, and one or two
            measures, such as ``train_loss`` and ``val_loss``. With two, training is dashed.
    """
    measured = {title: [column for column in curves if column.startswith(MEASURES)] for title, curves in panels.items()}
    equal = len({tuple(measures) for measures in measured.values()}) == 1
    figure, axes = new_figure(1, len(panels), width=8, height=3.6, squeeze=False, sharey=equal)
    sentences = []
    for place, (title, curves) in zip(axes[0], panels.items(), strict=True):
        measures = measured[title]
        groups = curves.groupby("name", sort=False)
        for (name, runs), colour, marker in zip(groups, sns.color_palette("colorblind"), MARKERS, strict=False):
            for measure in measures:
                images = "training" if measure.startswith("train_") else "validation"
                by_epoch = runs.groupby("epoch")[measure].agg(["mean", "min", "max"])
                style = {"linestyle": "--" if len(measures) > 1 and images == "training" else "-", "color": colour}
                label = f"{name}, {images}" if len(measures) > 1 else name
                place.plot(by_epoch.index, by_epoch["mean"], **style, marker=marker, markersize=4, label=label)
                place.fill_between(by_epoch.index, by_epoch["min"], by_epoch["max"], color=colour, alpha=0.15)
                first, last = by_epoch["mean"].iloc[[0, -1]]
                sentences.append(f"{title}, {label}: from {first:.3f} to {last:.3f}")
        place.set(title=title, xlabel="epoch")
        place.xaxis.set_major_locator(MaxNLocator(integer=True))
        place.legend(frameon=False, fontsize=9)
    words = "Curves"
    if equal and len(measures) == 1:
        words = measures[0].replace("val_", "validation ").replace("train_", "training ")
        axes[0, 0].set_ylabel(words)
    return finish(figure, f"{words.capitalize()} by epoch, means over seeds. {'; '.join(sentences)}.")


def run_dots(
    accuracies: Mapping[str, Sequence[float]] | Iterable[tuple[str, Sequence[float]]], images: str
) -> DescribedFigure:
    """Draw the errors of several runs, a row for each name: a dot a run, a line at the mean, both in percent.

    Args:
        accuracies: of each name's runs, in [0, 1]; a mapping, or pairs such as a pandas ``groupby`` gives.
        images: what they were evaluated on, such as ``"validation"``.
    """
    pairs = accuracies.items() if isinstance(accuracies, Mapping) else accuracies
    rows = [(str(name), 100 * (1 - np.asarray(values, dtype=float))) for name, values in pairs]
    figure, axes = new_figure(width=7, height=0.9 + 0.55 * len(rows))
    for place, (_, errors) in enumerate(rows):
        axes.scatter(errors, np.full(len(errors), place), s=44, color=BLUE, alpha=0.65, linewidths=0, zorder=3)
        axes.plot([errors.mean()] * 2, [place - 0.28, place + 0.28], color=ORANGE, linewidth=2.5, zorder=2)
    means = [f"{name}: {errors.mean():.2f}" for name, errors in rows]
    axes.set(xlabel=f"{images} errors, in percent (line: mean)", ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), means)
    axes.set_xlim(0, 1.04 * max(errors.max() for _, errors in rows) or 1.0)  # room for half a dot
    axes.grid(axis="x", color="#dddddd", zorder=0)
    axes.set_axisbelow(True)
    ranges = [f"{name} {errors.mean():.2f} ({errors.min():.2f} to {errors.max():.2f})" for name, errors in rows]
    runs = sum(len(errors) for _, errors in rows)
    alt = f"Errors on {images} images, in percent: a dot for each of {runs} runs, a line at each mean."
    return finish(figure, f"{alt} {', '.join(ranges)}.")


def accuracy_by(column: str, runs: Mapping[str, pd.DataFrame], images: str) -> DescribedFigure:
    """Draw accuracy by learning rate or by number of training images, a line at each network's means, a dot a run.

    Args:
        column: ``"learning_rate"`` or ``"train"``.
        runs: by name, rows of :func:`course_lib.records.table` with this column and ``accuracy``.
        images: what they were evaluated on, such as ``"validation"``.

    Raises: ValueError for another column.
    """
    words = {"learning_rate": "learning rate", "train": "training images"}
    if column not in words:
        raise ValueError(f"column must be one of {', '.join(words)}, not {column!r}")
    figure, axes = new_figure(width=8, height=3.4)
    sentences = []
    for (name, rows), colour, marker in zip(runs.items(), sns.color_palette("colorblind"), MARKERS, strict=False):
        accuracies = 100 * rows["accuracy"]
        axes.scatter(rows[column], accuracies, s=22, color=colour, alpha=0.5, linewidths=0, marker=marker)
        means = accuracies.groupby(rows[column]).mean()
        axes.plot(means.index, means, color=colour, marker=marker, markersize=6, label=name)
        sentences.append(f"{name}: {', '.join(f'{mean:.1f} at {place:,g}' for place, mean in means.items())}")
    axes.set_xscale("log")
    axes.set(xlabel=words[column], ylabel=f"{images} accuracy, in percent")
    places = sorted({place for rows in runs.values() for place in rows[column]})
    axes.set_xticks(places, [f"{place:,g}" for place in places])
    axes.minorticks_off()
    axes.grid(axis="y", color="#dddddd")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))  # beside the lines, that it hides none
    alt = f"Mean accuracy on {images} images by {words[column]}, in percent, for {len(runs)} networks"
    return finish(figure, f"{alt}. {'; '.join(sentences)}.")


def shift_lines(shifts: pd.DataFrame, images: str = "test") -> DescribedFigure:
    """Draw accuracy by shift, a line a network with its spread over seeds: of all images, and of those that stay whole.

    ``shifts`` comes from :func:`course_lib.records.studies.shifts`.
    """
    figure, panels = new_figure(1, 2, width=8, height=3.6, sharey=True)
    titles = {"accuracy": f"all {images} images", "accuracy_whole": "images that lose no ink"}
    sentences = []
    for axes, (column, title) in zip(panels, titles.items(), strict=True):
        groups = shifts.groupby("name", sort=False)
        for (name, runs), colour, marker in zip(groups, sns.color_palette("colorblind"), MARKERS, strict=False):
            found = 100 * runs.groupby("right")[column].agg(["mean", "std"])
            options = {"color": colour, "marker": marker, "markersize": 5, "capsize": 2, "label": name}
            axes.errorbar(found.index, found["mean"], yerr=found["std"], **options)
            sentences.append(f"{title}, {name}: {', '.join(f'{value:.1f}' for value in found['mean'])}")
        axes.set(title=title, xlabel="moved to the right, in pixels", ylim=(0, 102))
        axes.grid(axis="y", color="#dddddd")
    panels[0].set_ylabel("accuracy, in percent")
    panels[0].legend(frameon=False, loc="lower left", fontsize=10)
    steps = sorted(shifts["right"].unique())
    return finish(figure, f"Accuracy in percent at shifts of {steps[0]} to {steps[-1]} pixels. {'; '.join(sentences)}.")


def _finished(history: History) -> pd.DataFrame:
    if not history.epochs:
        raise ValueError("this history has no epoch, so it has no curve: train for at least one")
    return history.to_frame()


def confusion_heatmap(matrix: pd.DataFrame) -> DescribedFigure:
    """Draw a confusion matrix: counts above zero as numbers, mistakes as colour. The diagonal stays white."""
    figure, axes = new_figure(width=6.4, height=5.4)
    _mistakes_as_colour(axes, matrix, numbers=True)
    axes.set_ylabel("true class")
    return finish(figure, f"Confusion matrix, true class by predicted class. {_most_frequent(matrix)}.")


def confusion_heatmaps(matrices: Mapping[str, pd.DataFrame]) -> DescribedFigure:
    """Draw confusion matrices side by side, by title: mistakes as colour, on one scale, without numbers."""
    figure, axes = new_figure(1, len(matrices), width=4.4 * len(matrices), height=4.3, squeeze=False, sharey=True)
    darkest = max(_mistakes(matrix).max() for matrix in matrices.values())
    for place, (title, matrix) in zip(axes[0], matrices.items(), strict=True):
        _mistakes_as_colour(place, matrix, numbers=False, darkest=darkest)
        place.set_title(title)
    axes[0, 0].set_ylabel("true class")
    each = "; ".join(f"{title}: {_most_frequent(matrix)}" for title, matrix in matrices.items())
    return finish(figure, f"Confusion matrices, true class by predicted class. {each}.")


def _mistakes(matrix: pd.DataFrame) -> np.ndarray:
    """The counts of a confusion matrix with zeros on its diagonal."""
    counts = matrix.to_numpy().copy()
    np.fill_diagonal(counts, 0)
    return counts


def _mistakes_as_colour(axes: Axes, matrix: pd.DataFrame, numbers: bool, darkest: int | None = None) -> None:
    """Draw the mistakes as a heatmap, with the counts above zero, and name the classes."""
    counts = matrix.to_numpy()
    shown = np.where(counts > 0, counts.astype(str), "") if numbers else False
    style = {"linewidths": 0.5, "linecolor": "#dddddd", "cmap": "Oranges", "cbar": False, "vmin": 0, "vmax": darkest}
    sns.heatmap(_mistakes(matrix), annot=shown, fmt="", ax=axes, **style)
    long = len(str(matrix.columns[-1])) >= 3
    axes.set_xticklabels(matrix.columns, rotation=(45 if numbers else 90) if long else 0)
    axes.set_yticklabels(matrix.index, rotation=0)
    axes.set_xlabel("predicted class")


def _most_frequent(matrix: pd.DataFrame) -> str:
    """How many answers are right, and which mistake is the most frequent, in words."""
    mistakes, total = _mistakes(matrix), int(matrix.to_numpy().sum())
    text = f"{total - int(mistakes.sum()):,} of {total:,} answers are right"
    if not mistakes.any():
        return text
    most = [
        f"{matrix.index[true]} taken for {matrix.columns[predicted]}"
        for true, predicted in np.argwhere(mistakes == mistakes.max())
    ]
    return f"{text}; most frequent, {counted(int(mistakes.max()), 'time')}, is {', and '.join(most)}"

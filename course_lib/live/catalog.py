"""The course's live figures, one function each. What they do in the browser is in the module of that name."""

from collections.abc import Sequence
from typing import Any

from course_lib.errors import CourseError
from course_lib.live.figure import LiveFigure
from course_lib.live.windows import NETWORKS
from course_lib.records import studies
from course_lib.records.comparison import t_quantile

# What `seeds` compares: a heading, and the study's names of two networks with the names that the figure shows.
_COMPARISONS = {
    "LeNet-5, pools or strides": {"LeNet-5, modern": "LeNet-5", "LeNet-5, strided": "LeNet-5, strided"},
    "modified networks, constant rate": {
        "modified VGG, constant rate": "Modified VGG",
        "modified ResNet, constant rate": "Modified ResNet",
    },
    "modified networks, falling rate": {
        "modified VGG, falling rate": "Modified VGG",
        "modified ResNet, falling rate": "Modified ResNet",
    },
}


def drag_a_digit(digit: int = 30, right: int = 3, down: int = 0) -> LiveFigure:
    """Drag a test digit, or draw one: the perceptron and LeNet-5 read it side by side, and LeNet's maps show why.

    The networks are those of study ``lenet-fair``, seed 0, rounded to 16 bits.

    Args:
        digit: which of the first 200 test digits of the sample is there at first.
        right, down: by how many pixels it is moved then.
    """
    return LiveFigure(
        name="drag-a-digit",
        caption="Drag the digit, or draw one of your own. Both networks were trained on the same 48,000 digits.",
        alt="A handwritten digit on a square. Beside it, what two networks read in it: a bar for each of ten digits, "
        "once for the perceptron and once for LeNet-5. Below it, LeNet-5's feature maps.",
        files=("perceptron.safetensors", "lenet-5.safetensors", "test-digits.safetensors.gz"),
        options={"digit": digit, "right": right, "down": down},
    )


def moving_window(picture: str = "square", kernel: str = "vertical edge", row: int = 2, column: int = 1) -> LiveFigure:
    """A convolution as a moving window: its kernel can be edited, and the sum at each position is written out.

    Args:
        picture: what the input shows at first: ``square``, ``seven``, ``ring`` or ``empty``.
        kernel: ``vertical edge``, ``horizontal edge``, ``diagonal stroke``, ``blur``, ``sharpen`` or ``copy``.
        row, column: where the window is then, counted from 0 in the output.
    """
    return LiveFigure(
        name="moving-window",
        caption="The kernel moves over the input, and gives one number of the output at each position. The kernel "
        "“vertical edge” finds vertical edges, and gives 0 where all pixels are equal. Choose another one, or change "
        "its weights, or the pixels.",
        alt="A grid of 8 by 8 pixels with a square of ink, a kernel of 3 by 3 weights, and the output, 6 by 6 numbers. "
        "The output is positive at the left edge of the square, negative at the right edge, and 0 inside.",
        options={"picture": picture, "kernel": kernel, "row": row, "column": column},
    )


def residual_block(weights: float = 0.5, blocks: int = 20, skip: bool = True) -> LiveFigure:
    """A stack of residual blocks: the numbers of the first, and the signal and the gradient through all of them.

    Args:
        weights: how large the weights of F are at first, from 0 to 2; 1 is He's rule.
        blocks: how many blocks the stack has then, from 1 to 20.
        skip: whether the skips are on.
    """
    return LiveFigure(
        name="residual-block",
        caption="One residual block, and a stack of them. Make the weights of F smaller or larger, and switch the skip "
        "off.",
        alt="A residual block: x goes through F, and the skip adds x to the result. Two charts over 20 blocks: with "
        "the skip, the signal and the gradient keep their size; without it, both shrink to less than a trillionth.",
        options={"weights": weights, "blocks": blocks, "skip": skip},
    )


def descent(method: str = "sgd", rate: float = 0.18, steps: int = 12) -> LiveFigure:
    """Gradient descent, momentum and Adam on a loss with two weights: a straight line's squared error at five points.

    Args:
        method: ``sgd``, ``momentum`` or ``adam``.
        rate: the learning rate at first. Gradient descent settles below 0.190.
        steps: how many steps are taken at first.
    """
    return LiveFigure(
        name="descent",
        caption="Drag the start, choose a method, and move the learning rate. The loss is the mean squared error of a "
        "straight line at five points, and its two weights are the line's slope and height.",
        alt="A map of a loss with two weights: a long, narrow valley. A path of twelve steps jumps from one side of "
        "the valley to the other and moves slowly along it. Beside it, the loss by step, and the line that the weights "
        "draw.",
        options={
            "points": [[1.2, 1.75], [1.6, 2.0], [2.0, 2.55], [2.4, 3.0], [2.8, 3.2]],
            "start": [-0.5, 2.0],
            "method": method,
            "rate": rate,
            "steps": steps,
        },
    )


def seeds(comparison: str = "LeNet-5, pools or strides", n: int = 1) -> LiveFigure:
    """Draw n seeds of two networks from the records of study ``many-seeds``: how often does the worse network win?

    Runs are paired by seed, as in :func:`course_lib.records.difference`.

    Args:
        comparison: which one is there at first, such as ``modified networks, constant rate``.
        n: how many seeds are drawn at first; fewer where the worse network never wins with so many.
    """
    pairs = [_pair(label, names) for label, names in _COMPARISONS.items()]
    pairs = [pair for pair in pairs if len(pair["seeds"]) >= 2]
    return LiveFigure(
        name="seeds",
        caption="Each dot is a network that was trained with a seed of its own. Draw some seeds, and see which of the "
        "two networks wins.",
        alt="Two rows of dots, one a network: the test errors of all its runs. The runs of one seed are marked in both "
        "rows, and there the network that is worse over all seeds has fewer errors. Below, the difference of each "
        "pair of runs. A chart shows by number of seeds how often the worse network wins, and how often the interval "
        "of the difference contains zero.",
        options={
            "pairs": pairs,
            "start": next((place for place, pair in enumerate(pairs) if pair["label"] == comparison), 0),
            "n": n,
            "seed": 1,
            "images": 10_000,
            "quantiles": [t_quantile(0.95, freedom) for freedom in range(1, 20)],
        },
    )


def train_here(bugs: bool = False) -> LiveFigure:
    """Train chapter 1's perceptron in the page, on the sample's 4,000 digits, with curves that grow step by step.

    First weights are drawn as torch draws them, and the optimiser is torch's Adam; the generator is the browser's.

    Args:
        bugs: whether there are switches for chapter 9's mistakes, with what to check for each.
    """
    caption = "Press Start: the perceptron learns here, in your browser, from 4,000 digits."
    if bugs:
        caption = "Make a mistake on purpose, and press Start: each fails in its own way. Then find a secret one."
    return LiveFigure(
        name="train-here",
        caption=caption,
        alt="Two charts, of training loss and of accuracy by step: in a recorded run the loss falls from 2.3 to 0.1 "
        "within 160 steps, and validation accuracy rises from 10 to 94 percent. Beside them ten handwritten digits and "
        "what the untrained network reads in them, and twelve empty frames for what its units will learn.",
        files=("train-digits.safetensors.gz",),
        options={"bugs": bugs},
        modules=("train-worker",),
    )


def _pair(label: str, names: dict[str, str]) -> dict[str, Any]:
    """Test errors of two networks with the same seeds, seed by seed."""
    runs = {name: {} for name in names}
    for record in studies.read("many-seeds"):
        if record["name"] in runs:
            runs[record["name"]][record["seed"]] = record
    first, second = runs.values()
    same = sorted(first.keys() & second.keys())
    recipe = first[same[0]]["recipe"] if same else {"train": 0, "epochs": 0}
    return {
        "label": label,
        "about": f"{recipe['epochs']} epochs of {recipe['train']:,} training digits",
        "names": list(names.values()),
        "seeds": same,
        "errors": [[_errors(of[seed]) for seed in same] for of in (first, second)],
    }


def _errors(record: dict[str, Any]) -> int:
    confusion = record["confusion"]
    return sum(map(sum, confusion)) - sum(row[place] for place, row in enumerate(confusion))


def receptive_fields(networks: Sequence[str] | None = None, start: str | None = None) -> LiveFigure:
    """Choose a unit in any layer of a network: the square that it sees, by arithmetic, and its gradient by each pixel.

    Args:
        networks: the names that the menu offers, of :data:`course_lib.live.windows.NETWORKS`; all where there is none.
        start: the one that is there at first; by default VGG-16 where it is offered, else the first.

    Raises: CourseError for a name that is not there.
    """
    offered = [networks] if isinstance(networks, str) else list(networks or NETWORKS)
    if unknown := [name for name in offered if name not in NETWORKS]:
        raise CourseError(f"There is no network {unknown[0]!r}: choose some of {', '.join(map(repr, NETWORKS))}.")
    start = start or ("VGG-16" if "VGG-16" in offered else offered[0])
    if start not in offered:
        raise CourseError(f"{start!r} is not offered: start with one of {', '.join(map(repr, offered))}.")
    return LiveFigure(
        name="receptive-fields",
        caption="Choose a network, a layer, and a unit of its map: the picture shows the pixels that the unit depends "
        "on, and how much each of them counts.",
        alt="A grid of a layer's units, one of them chosen. Beside it, a digit with a square around the pixels that "
        "the unit sees. Shading is strong in the middle of the square and fades towards its rim: a dashed square, much "
        "smaller than the first, holds half of it.",
        files=("windows.json", "test-digits.safetensors.gz"),
        options={"networks": offered, "start": start},
    )


def refill(side: int = 112) -> LiveFigure:
    """What ``np.resize`` makes of digits: it refills a new shape with the same numbers, and enlarges nothing.

    Args:
        side: of the new images at first, in pixels, from 28 to 224.

    Raises: CourseError for another side.
    """
    if not 28 <= side <= 224:
        raise CourseError(f"The figure shows sides from 28 to 224 pixels, not {side}.")
    return LiveFigure(
        name="refill",
        caption="Change the side of the new images. Choose a pixel of the large picture to see where it comes from.",
        alt="A digit, enlarged. Beside it, what np.resize gives: sixteen bands, each with four flat copies of another "
        "digit.",
        files=("test-digits.safetensors.gz",),
        options={"side": side},
    )

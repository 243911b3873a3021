"""The course's live figures, one function each. What they do in the browser is in the module of that name."""

from typing import Any

from course_lib.live.figure import LiveFigure
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

"""Chapter 11, the assignment."""

import math
import re

import numpy as np

from course_lib import records
from course_tools.claims.ledger import claim
from course_tools.claims.measurements import difference, mean
from course_tools.claims.published import memory, output, seconds


@claim
def assignment_time():
    """What chapter 11's published run took."""
    return seconds("11-assignment")


@claim
def assignment_memory():
    """The most memory that chapter 11's published run held."""
    return memory("11-assignment")


@claim
def assignment_little():
    """Validation accuracy of the quarter-width VGG8 with batch norm on a twentieth of the data."""
    return mean("11-assignment/VGG8 with batch norm, 5%", split="validation")


@claim
def assignment_all():
    """The same on all training images."""
    return mean("11-assignment/VGG8 with batch norm, 100%", split="validation")


@claim
def assignment_data_gain():
    """What twenty times the images bring to the assignment's network, on validation images."""
    return difference(
        "11-assignment/VGG8 with batch norm, 100%", "11-assignment/VGG8 with batch norm, 5%", split="validation"
    )


def _printed(pattern: str) -> float:
    """The share that the published page prints in percent where ``pattern`` has its group."""
    return 0.01 * float(re.search(pattern, output("11-assignment"))[1])


@claim
def assignment_gap_little():
    """Accuracy on the twentieth that it was trained on less validation accuracy, on the published page."""
    return _printed(r"a twentieth, gap: ([\d.]+)")


@claim
def assignment_gap_all():
    """The same after training on all images; the accuracy is still that on the twentieth."""
    return _printed(r"all images, gap: ([\d.]+)")


@claim
def assignment_gap_falls():
    """That gap is larger after little data: by the means and spreads of three seeds on the published page, Welch's t
    interval lies above zero even with two degrees of freedom.
    """
    rows = re.findall(r"gap: ([\d.]+) ± ([\d.]+) % \(3 seeds\)", output("11-assignment"))
    (little, spread_little), (all_of_it, spread_all) = ((float(gap), float(spread)) for gap, spread in rows)
    return little - all_of_it > 4.303 * math.hypot(spread_little, spread_all) / math.sqrt(3)


@claim
def assignment_longer():
    """Validation accuracy after a twentieth of the data in as many steps as all of it takes, one run."""
    return mean("11-assignment/a twentieth, longer", split="validation")


@claim
def assignment_augmented():
    """Validation accuracy after a twentieth of the data, flipped and cropped, for twice the epochs, one run."""
    return mean("11-assignment/a twentieth, flips and crops", split="validation")


def _gains() -> dict[str, tuple[float, float]]:
    """F1 with all images, and what it gained over a twentieth of them, by class, as the published page shows it."""
    rows = re.findall(r"(?m)^(\w+) +[\d.]+ +([\d.]+) +(-?[\d.]+)$", output("11-assignment"))
    classes = {name: (float(f1), float(gain)) for name, f1, gain in rows if name != "macro"}
    assert len(classes) == 10
    return classes


@claim
def assignment_truck():
    """What the truck gains in F1 on the published page, one seed."""
    return _gains()["truck"][1]


@claim
def assignment_ship():
    """What the ship gains in F1 on the published page, one seed."""
    return _gains()["ship"][1]


@claim
def assignment_classes():
    """On the published page the truck gains most, the horse and the ship least, and the cat stays the hardest."""
    gains = {name: gain for name, (_, gain) in _gains().items()}
    least = {name for name, gain in gains.items() if gain == min(gains.values())}
    hardest = min(_gains(), key=lambda name: _gains()[name][0])
    return (max(gains, key=gains.get), least, hardest) == ("truck", {"horse", "ship"}, "cat") and min(
        gains.values()
    ) > 0


@claim
def assignment_confusion():
    """How often dogs are taken for cats, the most frequent mistake on the published page, one seed."""
    return int(re.search(r"most frequent, (\d+) times, is dog taken for cat", output("11-assignment"))[1])


@claim
def cats_and_dogs_confused():
    """With the two other seeds and all images, the most frequent mistake is cats taken for dogs."""
    runs = records.read(records.results_folder() / "11-assignment.jsonl")
    runs = [run for run in runs if run["name"].endswith("100%") and run["seed"] > 0]
    most = []
    for run in runs:
        mistakes = np.array(run["confusion"])
        np.fill_diagonal(mistakes, 0)
        most.append(np.unravel_index(mistakes.argmax(), mistakes.shape))
    return len(most) == 2 and set(most) == {(3, 5)}  # CIFAR-10's cat and dog


@claim
def assignment_top_pair():
    """Of the trained network's mistakes, the share in its most frequent pair, on the published page."""
    return _printed(r"trained: accuracy [\d.]+%, most frequent pair ([\d.]+)%")


@claim
def made_up_top_pair():
    """The same of one made-up file."""
    return _printed(r"made up: accuracy [\d.]+%, most frequent pair ([\d.]+)%")


@claim
def made_up_highest():
    """The highest such share among 200 made-up files."""
    return _printed(r"200 made-up files: from [\d.]+ to ([\d.]+) %")


@claim
def shared_trained():
    """Of what one trained network misreads, the share that one from another seed misreads, too."""
    return _printed(r"trained: misreads ([\d.]+)%")


@claim
def shared_drawn():
    """The share that answers drawn from the rows of a confusion matrix misread, too."""
    return _printed(r"drawn: misreads ([\d.]+)%")


@claim
def assignment_half():
    """Half precision changes one answer on the published page."""
    return "\n1 of 5,000 answers differ in half precision" in output("11-assignment")


@claim
def assignment_draw_little():
    """Standard error of a validation accuracy on 5,000 images, little data, one seed."""
    return _printed(r"a twentieth: accuracy [\d.]+%, standard error ([\d.]+)%")


@claim
def assignment_draw_all():
    """The same, all data."""
    return _printed(r"all images: accuracy [\d.]+%, standard error ([\d.]+)%")


@claim
def assignment_accuracy_whole():
    """Validation accuracy of one seed, all images."""
    return _printed(r"all: accuracy ([\d.]+)%")


@claim
def assignment_f1_whole():
    """Macro F1 of one seed, all images."""
    return _printed(r"all: accuracy [\d.]+%, macro F1 ([\d.]+)%")


@claim
def assignment_accuracy_fewer():
    """Its accuracy without nine of ten images of its best class."""
    return _printed(r"fewer: accuracy ([\d.]+)%")


@claim
def assignment_f1_fewer():
    """Its macro F1 without nine of ten images of its best class."""
    return _printed(r"fewer: accuracy [\d.]+%, macro F1 ([\d.]+)%")

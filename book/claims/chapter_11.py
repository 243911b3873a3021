"""Chapter 11, the assignment."""

import math
import re

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


@claim
def assignment_gap_little():
    """Accuracy on the twentieth that it was trained on less validation accuracy, on the published page."""
    page = output("11-assignment")
    return 0.01 * float(re.search(r"(?<!\d)5 % +[\d.]+% +[\d.]+% +[\d.]+% +([\d.]+)%", page)[1])


@claim
def assignment_gap_all():
    """The same after training on all images; the accuracy is still that on the twentieth."""
    page = output("11-assignment")
    return 0.01 * float(re.search(r"(?<!\d)100 % +[\d.]+% +[\d.]+% +[\d.]+% +([\d.]+)%", page)[1])


@claim
def assignment_gap_falls():
    """That gap is larger after little data: by the means and spreads of three seeds on the published page, Welch's t
    interval lies above zero even with two degrees of freedom.
    """
    page = output("11-assignment")
    row = r"(?<!\d){} % +[\d.]+% +[\d.]+% +[\d.]+% +([\d.]+)%"
    (little, spread_little), (all_of_it, spread_all) = (
        [float(one) for one in re.findall(row.format(share), page)] for share in (5, 100)
    )
    return little - all_of_it > 4.303 * math.hypot(spread_little, spread_all) / math.sqrt(3)


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


def _mistakes(network: str, place: int) -> int:
    """Mistakes, and those in the most frequent pair, as the published page prints them."""
    found = re.search(network + r": .*?, (\d+) mistakes, (\d+) of them", output("11-assignment"))
    return int(found[1 + place])


@claim
def assignment_mistakes():
    """Mistakes of the trained network on the published page."""
    return _mistakes("trained", 0)


@claim
def made_up_mistakes():
    """Mistakes of noise with the right class raised, on the published page."""
    return _mistakes("made up", 0)


@claim
def made_up_pair():
    """Those of them in the most frequent pair."""
    return _mistakes("made up", 1)


@claim
def assignment_half():
    """How many answers half precision changes on the published page."""
    page = output("11-assignment")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "1 of 5,000 answers differ in half precision",
    ]
    return all(any(row in line for line in lines) for row in rows)


@claim
def assignment_draw_little():
    """Standard deviation of a validation accuracy by the draw of 5,000 images, little data."""
    return math.sqrt(0.526 * (1 - 0.526) / 5_000)


@claim
def assignment_draw_all():
    """The same, all data."""
    return math.sqrt(0.718 * (1 - 0.718) / 5_000)


@claim
def assignment_accuracy_whole():
    """Validation accuracy of one seed, all images."""
    page = output("11-assignment")
    return 0.01 * float(re.search(r"all: accuracy ([\d.]+)%", page)[1])


@claim
def assignment_f1_whole():
    """Macro F1 of one seed, all images."""
    page = output("11-assignment")
    return 0.01 * float(re.search(r"all: accuracy [\d.]+%, macro F1 ([\d.]+)%", page)[1])


@claim
def assignment_accuracy_fewer():
    """Its accuracy without nine of ten horses."""
    page = output("11-assignment")
    return 0.01 * float(re.search(r"fewer: accuracy ([\d.]+)%", page)[1])


@claim
def assignment_f1_fewer():
    """Its macro F1 without nine of ten horses."""
    page = output("11-assignment")
    return 0.01 * float(re.search(r"fewer: accuracy [\d.]+%, macro F1 ([\d.]+)%", page)[1])

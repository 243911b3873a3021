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


@claim
def assignment_classes():
    """Which classes profit on the published page, one seed."""
    page = output("11-assignment")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "cat 0.35 0.55 0.20",
        "dog 0.44 0.60 0.17",
        "bird 0.43 0.65 0.23",
        "deer 0.46 0.66 0.20",
        "horse 0.55 0.71 0.15",
        "frog 0.60 0.73 0.13",
        "airplane 0.55 0.76 0.21",
        "truck 0.58 0.83 0.25",
        "ship 0.67 0.84 0.17",
        "automobile 0.63 0.85 0.23",
    ]
    return all(any(row in line for line in lines) for row in rows)


@claim
def assignment_confusion():
    """The most frequent mistake on the published page, one seed."""
    page = output("11-assignment")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "most frequent, 143 times, is dog taken for cat.",
    ]
    return all(any(row in line for line in lines) for row in rows)


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


@claim
def assignment_made_up():
    """Mistakes of the trained network and of noise on the published page."""
    page = output("11-assignment")
    lines = [" ".join(line.split()) for line in page.replace("\n", "\n").splitlines()]
    rows = [
        "1409 mistakes, 143 of them in the most frequent pair",
        "1377 mistakes, 27 of them in the most frequent pair",
    ]
    return all(any(row in line for line in lines) for row in rows)

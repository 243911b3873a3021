"""When transfer pays: how many images there are, how like photographs they are, and what a head is given.

VGG-16's convolutions, frozen under a linear head, against LeNet-5 from scratch: on 50, 500 and 5,000 digits, and on as
many photographs; on 500 and 5,000 of these VGG-16 with its last blocks trained, too. And on 500 digits: linear heads
on one and two frozen blocks, on the mean of each map or on all places of all maps, against a linear layer on the
pixels, and against the same blocks with random weights.

Images are enlarged to 64 × 64, LeNet-5 gets them as they are. Every network tries its rates with 500 images and one
seed on validation images, and is judged at the best of them on 2,000 test images: five draws of images, three of 5,000.
Images, epochs, the falling rate and batches of 32 are the same for all. Only the last blocks get fewer epochs, for each
of them goes through all of VGG-16. It is an hour of the slower machine, 67 G multiply-adds a second; the longest run
takes ten minutes.
"""

from dataclasses import replace
from functools import partial

from course_lib import models
from course_lib.data.catalog import spec_of
from course_lib.training import cosine
from course_lib.transfer import Choices
from course_tools.studies.plan import Planned, PlannedRun, TransferRun
from studies.transfer_ladder import in_small

SEEDS = 5
JOBS = 1  # so that features that several runs share are computed once; they take 2 GB of the cache
DRAWS = {50: 5, 500: 5, 5_000: 3}
EPOCHS = {50: 200, 500: 60, 5_000: 20}
EPOCHS_OF_LAST_BLOCKS = {500: 5, 5_000: 2}
VALIDATION, TEST = 1_000, 2_000

FROZEN = Choices(side=64, trained="head")
NETWORKS = {
    "one block, averaged": replace(FROZEN, backbone="vgg16 block 1"),
    "one block, flat": replace(FROZEN, backbone="vgg16 block 1", head="flatten"),
    "two blocks, averaged": replace(FROZEN, backbone="vgg16 blocks 1-2"),
    "two blocks, flat": replace(FROZEN, backbone="vgg16 blocks 1-2", head="flatten"),
    "one block, random, flat": replace(FROZEN, backbone="vgg16 block 1, untrained", head="flatten"),
    "two blocks, random, flat": replace(FROZEN, backbone="vgg16 blocks 1-2, untrained", head="flatten"),
    "pixels": partial(models.mlp, hidden=()),
    "digits, frozen": FROZEN,
    "digits, from scratch": models.lenet5,
    "photographs, frozen": replace(FROZEN, channels="keep"),
    "photographs, last blocks": replace(FROZEN, channels="keep", trained="last blocks"),
    "photographs, from scratch": partial(models.lenet5, 10, 3, 32),
}
LAST_BLOCKS = "photographs, last blocks"
RATES = dict.fromkeys(NETWORKS, (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1))
for network in NETWORKS:
    if network.startswith(("one block", "two blocks")):  # their best of seven was at an edge
        RATES[network] = (0.00001, 0.00003, *RATES[network], 0.3, 1.0, 3.0)
RATES[LAST_BLOCKS] = (0.00001, 0.00003, 0.0001, 0.0003, 0.001)
# The rate with the highest validation accuracy of the runs that are named after rates; the lower one of a tie.
BEST: dict[str, float] = {
    "one block, averaged": 1.0,
    "one block, flat": 0.00003,
    "two blocks, averaged": 0.3,
    "two blocks, flat": 0.0001,
    "one block, random, flat": 0.001,
    "two blocks, random, flat": 0.001,
    "pixels": 0.003,
    "digits, frozen": 0.003,
    "digits, from scratch": 0.003,
    "photographs, frozen": 0.001,
    "photographs, last blocks": 0.0003,
    "photographs, from scratch": 0.001,
}


def counts(network: str) -> tuple[int, ...]:
    """Numbers of training images with which a network is judged."""
    if network == LAST_BLOCKS:
        return (500, 5_000)
    return tuple(DRAWS) if network.startswith(("digits", "photographs")) else (500,)


def grid(size: str, seed: int) -> list[PlannedRun]:
    """The runs of one seed. ``quick``: 50 images of the sample, networks without trained weights, two rates."""
    quick = size == "quick"

    def planned(name: str, network: str, rate: float, count: int, judge: str) -> PlannedRun:
        of, data = NETWORKS[network], "cifar10" if network.startswith("photographs") else "mnist"
        epochs = 1 if quick else (EPOCHS_OF_LAST_BLOCKS if network == LAST_BLOCKS else EPOCHS)[count]
        options = {"epochs": epochs, "batch_size": 32, "schedule": cosine, "precision": "auto"}
        judged_by = {"validation": VALIDATION, "test": TEST}
        if quick:
            count, judged_by = 50, dict.fromkeys(judged_by, 50)
        if not isinstance(of, Choices):
            recipe = options | {"learning_rate": rate}
            spec = spec_of(data)
            fraction = 0.05 if quick else count / (spec.train - spec.validation)
            judges = tuple(judged_by.values())
            return Planned(name, seed, of, data, recipe, quick, fraction, judge=judge, judged_by=judges)
        choices = replace(of, learning_rate=rate)
        choices = in_small(choices) if quick else choices
        return TransferRun(name, seed, choices, count, judged_by[judge], quick, options, data, seed, judge)

    tried = [
        planned(f"{network}, rate {rate:g}", network, rate, 500, "validation")
        for network in NETWORKS
        for rate in (RATES[network][:2] if quick else RATES[network])
        if seed == 0
    ]
    return tried + [
        planned(f"{network}, {count:,} images", network, rate, count, "test")
        for network, rate in BEST.items()
        for count in counts(network)
        if seed < DRAWS[count]
    ]

"""The three snippets of the question and answer (sources D) as they are written: digits refilled into 224 × 224.

VGG-16, all of it trainable under a flat head; VGG-16 with its first ten layers frozen under a head on averages; and
MobileNetV2, likewise. `np.resize`, pixels from 0 to 255, test images once. How they were trained is left out there:
Adam at 0.001 and batches of 32 are Keras's defaults, one pass and one seed are ours.

Smaller than there: 672 digits of 60,000 and 336 of 10,000, which 18 minutes of the slower machine hold, 67 G
multiply-adds a second. Each distinct image still stands under 32 labels, and under 16 of the test. Other than there:
torchvision's weights, which expect pixels on a smaller scale; of MobileNetV2's ten layers the tenth learns, 1,536
weights; and the statistics of frozen batch norms move.
"""

from course_lib.transfer import Choices
from course_tools.studies.plan import TransferRun
from studies.transfer_ladder import in_small

SEEDS = 1
JOBS = 1  # VGG-16 and its gradients take 4 GB
DIGITS, JUDGED_BY = 672, 336
AS_WRITTEN = {"side": 224, "resize": "refill", "normalise": False, "learning_rate": 1e-3}
SNIPPETS = {
    "VGG-16, all trainable": Choices(trained="all", head="flatten", **AS_WRITTEN),
    "VGG-16, ten layers frozen": Choices(trained="last blocks", **AS_WRITTEN),
    "MobileNetV2, ten layers frozen": Choices(
        backbone="mobilenet-v2, ten layers", trained="last blocks", freeze_batch_norm=False, **AS_WRITTEN
    ),
}


def grid(size: str, seed: int) -> list[TransferRun]:
    """The runs of one seed. ``quick``: networks without trained weights, on refilled images of 32 × 32."""
    quick = size == "quick"
    return [
        TransferRun(
            name,
            seed,
            in_small(choices) if quick else choices,
            64 if quick else DIGITS,
            64 if quick else JUDGED_BY,
            sample=quick,
            options={"epochs": 1},
        )
        for name, choices in SNIPPETS.items()
    ]

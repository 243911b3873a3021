"""Cases of transfer: the choices of one run, the ladder of bugs, and the grid of input bugs against training modes."""

from dataclasses import asdict, dataclass, replace

OPTIONS = {
    "resize": ("interpolate", "refill"),
    "channels": ("repeat", "one", "keep"),
    "trained": ("head", "last blocks", "all"),
    "head": ("pool", "flatten"),
}
RATES = {"head": 1e-3, "last blocks": 1e-4, "all": 1e-4}  # for Adam
FROM_SCRATCH_RATE = 1e-3


@dataclass(frozen=True)
class Choices:
    """Choices for :func:`course_lib.transfer.run`. Every default is right; each other value is one bug.

    Attributes:
        backbone: a name in ``transfer.BACKBONES``; ``"none"`` is a LeNet-5 from scratch on 28 × 28 pixels, for which
            the other choices have no effect, apart from the rate.
        side: of the images that the backbone gets, in pixels.
        resize: ``"interpolate"`` enlarges each digit. ``"refill"`` is ``np.resize``: it writes all digits one after
            another into larger images, so that each holds several digits, most of them with other labels.
        channels: ``"repeat"`` copies grey into red, green and blue; ``"one"`` leaves green and blue at zero. ``"keep"``
            takes images in colour, such as photographs, as they are.
        normalise: subtract ImageNet's mean and divide by its standard deviation; else pixels stay 0 to 255.
        trained: ``"head"`` freezes the whole backbone; ``"last blocks"`` freezes its first part; ``"all"`` nothing.
        learning_rate: of Adam; None takes the right rate for what is trained.
        head: a linear layer on the mean of each map (``"pool"``) or on all places of all maps (``"flatten"``).
        freeze_batch_norm: keep ImageNet's statistics in batch norms; else training updates them, also where the weights
            around them are frozen.

    Raises: ValueError for an unknown option, a side below 1, or a rate that is not above 0.
    """

    backbone: str = "vgg16"
    side: int = 112
    resize: str = "interpolate"
    channels: str = "repeat"
    normalise: bool = True
    trained: str = "last blocks"
    learning_rate: float | None = None
    head: str = "pool"
    freeze_batch_norm: bool = True

    def __post_init__(self):
        for name, options in OPTIONS.items():
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be {' or '.join(map(repr, options))}, not {getattr(self, name)!r}")
        if self.side < 1:
            raise ValueError(f"side must be at least 1, not {self.side}")
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, not {self.learning_rate}")

    @property
    def rate(self) -> float:
        """The learning rate that is used."""
        if self.learning_rate is not None:
            return self.learning_rate
        return FROM_SCRATCH_RATE if self.backbone == "none" else RATES[self.trained]

    @property
    def images(self) -> str:
        """Preprocessing of the images in a few words, as records hold it."""
        if self.backbone == "none":
            return "as they are"
        enlarged = "enlarged" if self.resize == "interpolate" else "refilled"
        colours = {
            "repeat": "grey repeated in 3 channels",
            "one": "grey in 1 of 3 channels",
            "keep": "in colour",
        }[self.channels]
        scaled = "normalised as for ImageNet" if self.normalise else "pixels 0 to 255"
        return f"{enlarged} to {self.side} × {self.side}, {colours}, {scaled}"

    def as_dict(self) -> dict[str, str | int | float | bool]:
        """The choices as a record holds them, with the rate that is used."""
        return asdict(self) | {"learning_rate": self.rate}


RIGHT = Choices()
FROZEN = Choices(trained="head")  # the standard recipe: keep the convolutions, replace the head
MOBILE = Choices(backbone="mobilenet-v2", trained="head")
# A unit of block 3 sees 44 × 44 pixels, so images have that size; 5 × 5 places are left, few enough for a head on all.
RIGHT_SIZED = Choices(backbone="vgg16 blocks 1-3", side=44, trained="all", head="flatten")
SCRATCH = Choices(backbone="none", side=28)

# The ladder, by the names of its records: runs without a bug, and one bug alone in each of the others.
WITHOUT_BUGS = {
    "frozen backbone": FROZEN,
    "nothing wrong": RIGHT,
    "everything at a small rate": Choices(trained="all"),
    "MobileNetV2, statistics kept": MOBILE,
    "right-sized backbone": RIGHT_SIZED,
    "LeNet from scratch": SCRATCH,
}
LADDER = {
    "refilled images": replace(FROZEN, resize="refill"),
    "grey not repeated": replace(FROZEN, channels="one"),
    "not normalised": replace(FROZEN, normalise=False),
    "everything at 0.001": Choices(trained="all", learning_rate=1e-3),
    "frozen too much": FROZEN,
    "statistics updated": replace(MOBILE, freeze_batch_norm=False),
    "too large a backbone": RIGHT,
    "no need to transfer": RIGHT_SIZED,
}

INPUTS = {
    "right images": {},
    "refilled": {"resize": "refill"},
    "grey not repeated": {"channels": "one"},
    "not normalised": {"normalise": False},
}
MODES = {
    "head": {"trained": "head"},
    "last blocks": {"trained": "last blocks"},
    "all, small rate": {"trained": "all"},
    "all at 0.001": {"trained": "all", "learning_rate": 1e-3},
}


def cell_name(images: str, mode: str) -> str:
    """Name of a cell of the grid in records: ``grid: refilled, head``."""
    return f"grid: {images}, {mode}"


GRID = {
    cell_name(images, mode): replace(RIGHT, **bug, **trained)
    for images, bug in INPUTS.items()
    for mode, trained in MODES.items()
}


def cut_name(backbone: str) -> str:
    """Name in records of a head on a part of a frozen backbone: ``cut: vgg16 blocks 1-3``."""
    return f"cut: {backbone}"


CUTS = ("vgg16 blocks 1-2", "vgg16 blocks 1-3", "vgg16 blocks 1-4", "vgg16")  # of a backbone, from early to late
CUT_RUNS = {cut_name(backbone): Choices(backbone=backbone, trained="head") for backbone in CUTS}


def runs() -> dict[str, Choices]:
    """The runs of the ladder by the names of their records, those without a bug first; no choices twice."""
    return WITHOUT_BUGS | {name: choices for name, choices in LADDER.items() if choices not in WITHOUT_BUGS.values()}

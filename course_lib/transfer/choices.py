"""What one can do right or wrong when a network that knows photographs is to learn digits: each choice a toggle."""

from dataclasses import asdict, dataclass

OPTIONS = {
    "resize": ("interpolate", "refill"),
    "channels": ("repeat", "one"),
    "trained": ("head", "last blocks", "all"),
    "head": ("pool", "flatten"),
}
RATES = {"head": 1e-3, "last blocks": 1e-4, "all": 1e-4}  # for Adam
FROM_SCRATCH_RATE = 1e-3


@dataclass(frozen=True)
class Choices:
    """Choices for :func:`course_lib.transfer.run`. Every default is the right way; change one, and you have one bug.

    Attributes:
        backbone: a name in ``transfer.BACKBONES``; ``"none"`` is a LeNet-5 from scratch on 28 × 28 pixels, for which
            the choices that follow mean nothing, apart from the rate.
        side: of the images that the backbone gets, in pixels.
        resize: ``"interpolate"`` enlarges each digit. ``"refill"`` is ``np.resize``: it writes all digits one after
            another into larger images, which then hold several digits each, and the labels of others.
        channels: ``"repeat"`` copies grey into red, green and blue; ``"one"`` leaves green and blue at zero.
        normalise: take ImageNet's mean off and divide by its standard deviation; else pixels stay 0 to 255.
        trained: ``"head"`` freezes the whole backbone; ``"last blocks"`` freezes its first part; ``"all"`` nothing.
        learning_rate: of Adam; None takes the right one for what is trained.
        head: ``"pool"`` averages each map and has a linear layer on the averages; ``"flatten"`` has it on all places.
        freeze_batch_norm: batch norms go on using ImageNet's statistics; else training replaces them, also where the
            weights around them are frozen.

    Raises: ValueError for a word that is no choice, a side below 1, or a rate that is not above 0.
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
        for name, known in OPTIONS.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be {' or '.join(map(repr, known))}, not {getattr(self, name)!r}")
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
        """In a few words, what is done to all images."""
        if self.backbone == "none":
            return "as they are"
        enlarged = "enlarged" if self.resize == "interpolate" else "refilled"
        colours = "grey repeated in 3 channels" if self.channels == "repeat" else "grey in 1 of 3 channels"
        scaled = "normalised as for ImageNet" if self.normalise else "pixels 0 to 255"
        return f"{enlarged} to {self.side} × {self.side}, {colours}, {scaled}"

    def as_dict(self) -> dict[str, str | int | float | bool]:
        """The choices as a record holds them, with the rate that is used."""
        return asdict(self) | {"learning_rate": self.rate}

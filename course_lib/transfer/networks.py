"""A backbone, some of it frozen, and a new head for ten digits."""

from dataclasses import dataclass

import torch
from torch import nn

from course_lib import models
from course_lib.analysis import count_multiply_adds
from course_lib.errors import CourseError
from course_lib.models import Classifier
from course_lib.transfer.choices import Choices

CLASSES = 10


@dataclass(frozen=True)
class Backbone:
    """How a backbone is used.

    ``network`` is its name for :func:`course_lib.models.backbone`. Its first ``layers`` are used; ``"last blocks"``
    freezes ``frozen`` of them. One that is not ``pretrained`` has random weights, the same for everybody, and needs no
    file; VGG-16 can then be as narrow as its ``width`` says. ``epochs`` is how often fine-tuning sees each digit where
    nobody asks for another number, ``head_epochs`` how often a head on frozen layers does.
    """

    network: str
    layers: int
    frozen: int
    pretrained: bool = True
    width: float = 1.0
    epochs: int = 1
    head_epochs: int = 20

    def features(self) -> nn.Sequential:
        """Its layers with random weights from torch's generator."""
        vgg = self.network == "vgg16"
        network = models.vgg16(CLASSES, 3, self.width) if vgg else models.mobilenet_v2(CLASSES)
        return network.features[: self.layers]


BACKBONES = {
    # up to the third convolution of block 3: with its input layer, these are the first ten layers that Keras counts
    "vgg16": Backbone("vgg16", layers=31, frozen=16),
    "vgg16 blocks 1-4": Backbone("vgg16", layers=24, frozen=10),
    "vgg16 blocks 1-3": Backbone("vgg16", layers=17, frozen=5, epochs=2),
    "vgg16 blocks 1-2": Backbone("vgg16", layers=10, frozen=5, epochs=2),
    # few epochs: where its statistics are updated, no feature can be kept
    "mobilenet-v2": Backbone("mobilenet-v2", layers=19, frozen=14, head_epochs=3),
    "vgg16, narrow and untrained": Backbone("vgg16", layers=31, frozen=16, pretrained=False, width=1 / 16),
    "mobilenet-v2, untrained": Backbone("mobilenet-v2", layers=19, frozen=14, pretrained=False, head_epochs=3),
}


class Transferred(Classifier):
    """A backbone with a head of its own: images (N, 3, H, W) in, logits (N, 10) out.

    The first ``frozen`` layers of ``features`` get no gradients. With ``freeze_batch_norm`` the batch norms of the
    backbone stay in evaluation mode, whatever mode the rest is in.

    Raises: CourseError, which names the rung, where the images have not three channels.
    """

    def __init__(self, features: nn.Sequential, side: int, head: str, frozen: int, freeze_batch_norm: bool):
        super().__init__()
        self.features, self.frozen, self.freeze_batch_norm = features, frozen, freeze_batch_norm
        self.gather = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()) if head == "pool" else nn.Flatten()
        self.head = nn.Linear(self.numbers_for(side), CLASSES)
        self.features.requires_grad_(True)
        self.features[:frozen].requires_grad_(False)
        self.train(self.training)

    def numbers_for(self, side: int) -> int:
        """How many numbers the head gets of an image. Raises ValueError where the image is too small."""
        image = torch.zeros(1, 3, side, side, device=next(self.features.parameters()).device)
        with torch.no_grad(), models.in_mode(self, training=False):
            return self.gather(_maps_or_reason(self.features, image)).shape[1]

    def train(self, mode: bool = True) -> "Transferred":
        super().train(mode)
        if self.freeze_batch_norm:
            for layer in self.features.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.eval()
        return self

    def numbers(self, images: torch.Tensor) -> torch.Tensor:
        """What the head gets: (N, D)."""
        if images.shape[1] != 3:
            raise CourseError(
                f"rung 2, grey not repeated: the backbone takes 3 channels, and these images have {images.shape[1]}: "
                "repeat the grey channel, `images.expand(-1, 3, -1, -1)`."
            )
        return self.gather(self.features(images))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.numbers(images))

    @property
    def all_frozen(self) -> bool:
        """Whether nothing but the head changes in training, so that what the head gets can be computed once."""
        stands_still = self.freeze_batch_norm or not _statistics(self.features)
        return self.frozen == len(self.features) and stands_still


def build(choices: Choices, rung: str = "") -> nn.Module:
    """The network of ``choices``; the head, and a LeNet from scratch, with weights from torch's generator.

    Args:
        choices: which backbone, and what of it learns.
        rung: what an error message calls the run.

    Raises: CourseError for an unknown backbone, and where its weights are missing; ValueError for images that are too
        small for it.
    """
    if choices.backbone == "none":
        return models.lenet5()
    return _with_head(_trained_features(choices, rung), choices)


def multiply_adds(choices: Choices) -> int:
    """What one image costs on its way through the network of ``choices``. Needs no weights."""
    with torch.device("meta"):
        if choices.backbone == "none":
            return count_multiply_adds(models.lenet5(), (1, 28, 28))
        network = _with_head(backbone_of(choices).features(), choices)
        return count_multiply_adds(network, (3, choices.side, choices.side))


def backbone_of(choices: Choices) -> Backbone:
    """The backbone that was chosen. Raises CourseError for a name that is none."""
    if choices.backbone not in BACKBONES:
        raise CourseError(
            f"There is no backbone {choices.backbone!r} here: choose from {', '.join([*BACKBONES, 'none'])}."
        )
    return BACKBONES[choices.backbone]


def trained_share(network: nn.Module) -> float:
    """The share of a network's parameters that learn, in [0, 1]."""
    sizes = [(one.numel(), one.requires_grad) for one in network.parameters()]
    return sum(size for size, learns in sizes if learns) / sum(size for size, _ in sizes)


def _with_head(features: nn.Sequential, choices: Choices) -> Transferred:
    frozen = {"head": len(features), "last blocks": backbone_of(choices).frozen, "all": 0}[choices.trained]
    return Transferred(features, choices.side, choices.head, frozen, choices.freeze_batch_norm)


def _trained_features(choices: Choices, rung: str) -> nn.Sequential:
    used = backbone_of(choices)
    if not used.pretrained:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return used.features()
    try:
        return models.backbone(used.network).features[: used.layers]
    except CourseError as error:
        raise CourseError(f"{rung or choices.backbone}: the backbone's weights are not at hand. {error}") from error


def _statistics(layers: nn.Module) -> dict[str, torch.Tensor]:
    return dict(layers.named_buffers())


def _maps_or_reason(features: nn.Module, image: torch.Tensor) -> torch.Tensor:
    try:
        return features(image)
    except RuntimeError as error:
        reason = models.why_it_does_not_fit(features, image)
        raise ValueError(reason or str(error)) from error

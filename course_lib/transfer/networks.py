"""Networks for transfer: a backbone, part of it frozen, and a new head for ten digits."""

from dataclasses import dataclass

import torch
from torch import nn

from course_lib import models
from course_lib.analysis import count_multiply_adds, count_parameters
from course_lib.errors import CourseError
from course_lib.models import Classifier
from course_lib.transfer.cases import Choices

CLASSES = 10


@dataclass(frozen=True)
class Backbone:
    """Settings of a backbone.

    ``network`` is its name for :func:`course_lib.models.backbone`. Its first ``layers`` are used; ``"last blocks"``
    freezes ``frozen`` of them. Without ``pretrained`` it has random weights, always the same, and needs no file;
    ``width`` then scales VGG-16. ``epochs`` is the default for fine-tuning, ``head_epochs`` for a head on frozen
    layers.
    """

    network: str
    layers: int
    frozen: int
    pretrained: bool = True
    width: float = 1.0
    epochs: int = 1
    head_epochs: int = 20

    def features(self) -> nn.Sequential:
        """Build its layers with random weights from torch's generator."""
        is_vgg = self.network == "vgg16"
        network = models.vgg16(CLASSES, 3, self.width) if is_vgg else models.mobilenet_v2(CLASSES)
        return network.features[: self.layers]


BACKBONES = {
    # up to the third convolution of block 3: with its input layer, these are the first ten layers that Keras counts
    "vgg16": Backbone("vgg16", layers=31, frozen=16),
    "vgg16 blocks 1-4": Backbone("vgg16", layers=24, frozen=10),
    "vgg16 blocks 1-3": Backbone("vgg16", layers=17, frozen=5, epochs=2),
    "vgg16 blocks 1-2": Backbone("vgg16", layers=10, frozen=5, epochs=2),
    "vgg16 block 1": Backbone("vgg16", layers=5, frozen=0, epochs=2),
    # few epochs, because features cannot be cached where batch-norm statistics are updated
    "mobilenet-v2": Backbone("mobilenet-v2", layers=19, frozen=14, head_epochs=3),
    # nine of the first ten layers that Keras counts; the tenth is the first convolution of the next block
    "mobilenet-v2, ten layers": Backbone("mobilenet-v2", layers=19, frozen=2, head_epochs=3),
    "vgg16, narrow and untrained": Backbone("vgg16", layers=31, frozen=16, pretrained=False, width=1 / 16),
    "vgg16 blocks 1-2, untrained": Backbone("vgg16", layers=10, frozen=5, pretrained=False, epochs=2),
    "vgg16 block 1, untrained": Backbone("vgg16", layers=5, frozen=0, pretrained=False, epochs=2),
    "mobilenet-v2, untrained": Backbone("mobilenet-v2", layers=19, frozen=14, pretrained=False, head_epochs=3),
}


class Transferred(Classifier):
    """A backbone with a new head: takes images (N, 3, H, W), returns logits (N, 10).

    The first ``frozen`` layers of ``features`` get no gradients. With ``freeze_batch_norm`` the batch norms of the
    backbone stay in evaluation mode, whatever mode the rest is in.

    Raises: CourseError, which names the rung of the ladder, for images without three channels.
    """

    def __init__(self, features: nn.Sequential, side: int, head: str, frozen: int, freeze_batch_norm: bool):
        super().__init__()
        self.features, self.frozen, self.freeze_batch_norm = features, frozen, freeze_batch_norm
        self.gather = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()) if head == "pool" else nn.Flatten()
        self.head = nn.Linear(self._head_inputs(side), CLASSES)
        self.features.requires_grad_(True)
        self.features[:frozen].requires_grad_(False)
        self.train(self.training)

    def _head_inputs(self, side: int) -> int:
        """Number of inputs of the head for images of that side. Raises ValueError where they are too small."""
        image = torch.zeros(1, 3, side, side, device=next(self.features.parameters()).device)
        try:
            with torch.no_grad(), models.in_mode(self, training=False):
                return self.gather(self.features(image)).shape[1]
        except RuntimeError as error:
            reason = models.shape_mismatch(self.features, image)
            raise ValueError(reason or str(error)) from error

    def train(self, mode: bool = True) -> "Transferred":
        super().train(mode)
        if self.freeze_batch_norm:
            for layer in self.features.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.eval()
        return self

    def numbers(self, images: torch.Tensor) -> torch.Tensor:
        """Inputs of the head, (N, D)."""
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
        """Whether only the head changes in training, so that its inputs can be computed once."""
        has_statistics = any(True for _ in self.features.buffers())
        return self.frozen == len(self.features) and (self.freeze_batch_norm or not has_statistics)


def build(choices: Choices, rung: str = "") -> nn.Module:
    """Build the network of ``choices``; the head, or a LeNet from scratch, has weights from torch's generator.

    Args:
        choices: the backbone, and which part of it is trained.
        rung: name of the run in error messages.

    Raises: CourseError for an unknown backbone or missing weights; ValueError for images that are too small for it.
    """
    if choices.backbone == "none":
        return models.lenet5()
    return _with_head(_pretrained_features(choices, rung), choices)


def multiply_adds(choices: Choices) -> int:
    """Multiply-adds of one image in the network of ``choices``. Needs no weights."""
    with torch.device("meta"):
        if choices.backbone == "none":
            return count_multiply_adds(models.lenet5(), (1, 28, 28))
        network = _with_head(backbone_of(choices).features(), choices)
        return count_multiply_adds(network, (3, choices.side, choices.side))


def backbone_of(choices: Choices) -> Backbone:
    """Settings of the backbone of ``choices``. Raises CourseError for an unknown name."""
    if choices.backbone not in BACKBONES:
        raise CourseError(
            f"There is no backbone {choices.backbone!r} here: choose from {', '.join([*BACKBONES, 'none'])}."
        )
    return BACKBONES[choices.backbone]


def trained_share(network: nn.Module) -> float:
    """Share of a network's parameters that are trained, in [0, 1]."""
    return count_parameters(network) / sum(parameter.numel() for parameter in network.parameters())


def _with_head(features: nn.Sequential, choices: Choices) -> Transferred:
    frozen = {"head": len(features), "last blocks": backbone_of(choices).frozen, "all": 0}[choices.trained]
    return Transferred(features, choices.side, choices.head, frozen, choices.freeze_batch_norm)


def _pretrained_features(choices: Choices, rung: str) -> nn.Sequential:
    backbone = backbone_of(choices)
    if not backbone.pretrained:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return backbone.features()
    try:
        return models.backbone(backbone.network).features[: backbone.layers]
    except CourseError as error:
        raise CourseError(f"{rung or choices.backbone}: the backbone's weights are not at hand. {error}") from error

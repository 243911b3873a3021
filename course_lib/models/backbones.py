"""Networks with weights that were trained on ImageNet."""

from collections.abc import Callable

import torch
from torch import nn

from course_lib import weights
from course_lib.errors import CourseError
from course_lib.models.alexnet import alexnet
from course_lib.models.classifier import Classifier
from course_lib.models.efficientnet_lite import efficientnet_lite0
from course_lib.models.mobilenet import mobilenet_v2
from course_lib.models.vgg import vgg16

# Normalisation that all these networks expect: per channel (red, green, blue), of images scaled to [0, 1], as in
# torchvision.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Features(Classifier):
    """The convolutional part of a network: images (N, 3, H, W) in, feature maps (N, C, H', W') out, and no logits.

    ``features`` has torchvision's layer numbers. An image that does not fit raises ValueError, as for a classifier.
    """

    def __init__(self, features: nn.Sequential):
        super().__init__()
        self.features = features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.features(images)


# By name: which weights, and how the network is built.
_BACKBONES: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "vgg16": ("vgg16-features", lambda: Features(vgg16().features)),
    "alexnet": ("alexnet-features", lambda: Features(alexnet().features)),
    "mobilenet-v2": ("mobilenet-v2", mobilenet_v2),
    "efficientnet-lite0": ("efficientnet-lite0", efficientnet_lite0),
}


def backbone(name: str, pretrained: bool = True) -> nn.Module:
    """Build a network with its ImageNet weights, on the CPU and in evaluation mode.

    Args:
        name: ``"vgg16"``, only its convolutions and pools, images (N, 3, H, W) to maps (N, 512, H/32, W/32);
            ``"alexnet"``, likewise, 224 × 224 to 256 maps of 6 × 6; ``"mobilenet-v2"`` and ``"efficientnet-lite0"``,
            whole, to logits (N, 1000), which ``weights.imagenet_classes()`` names.
        pretrained: False draws random weights from torch's generator instead, and needs no file.

    Images are scaled to [0, 1] and normalised with ``IMAGENET_MEAN`` and ``IMAGENET_STD``. The weights come from the
    cache, or are fetched the first time.

    Raises: CourseError for another name, and as :func:`course_lib.weights.load`.
    """
    if name not in _BACKBONES:
        raise CourseError(f"There is no backbone {name!r}: choose from {', '.join(_BACKBONES)}.")
    weights_name, build = _BACKBONES[name]
    if not pretrained:
        return build().eval()
    tensors = weights.load(weights_name)
    with torch.device("meta"):  # draws no random weights, which would be overwritten
        network = build()
    network.load_state_dict(tensors, assign=True)
    return network.eval()

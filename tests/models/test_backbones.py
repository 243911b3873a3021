"""Pretrained networks, with random weights in place of the real ones, and with these where the cache has them."""

from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from PIL import Image

from course_lib import models, weights
from course_lib.errors import CourseError
from course_lib.models import backbones
from course_lib.torchvision_fix import import_torchvision

theirs = import_torchvision().models
WHOLE = {"mobilenet-v2": models.mobilenet_v2, "efficientnet-lite0": models.efficientnet_lite0}
BUILDERS = {"vgg16": theirs.vgg16, "alexnet": theirs.alexnet} | WHOLE
TRAINED = {"vgg16": "vgg16-features", "alexnet": "alexnet-features"} | {name: name for name in WHOLE}


def drawn(name):
    """Random weights in place of trained ones, under the keys that ``weights.load`` gives."""
    with torch.device("meta"):
        tensors = BUILDERS[name]().state_dict()
    generator = torch.Generator().manual_seed(len(name))
    state = {}
    for key, tensor in tensors.items():
        if name in WHOLE or key.startswith("features."):
            bound = (6 / tensor[0].numel()) ** 0.5 if tensor.dim() > 1 else 1
            state[key] = (bound * (torch.rand(tensor.shape, generator=generator) - 0.5 * (tensor.dim() > 1))).to(
                tensor.dtype
            )
    return state


@pytest.fixture
def stand_in(monkeypatch):
    """Replaces ``weights.load`` by random weights; returns the list of names that it is called with."""
    calls = []

    def load(name):
        calls.append(name)
        return drawn(next(network for network, trained in TRAINED.items() if trained == name))

    monkeypatch.setattr(weights, "load", load)
    return calls


@pytest.mark.parametrize("name", TRAINED)
def test_a_backbone_has_its_weights_and_is_in_evaluation_mode(stand_in, name):
    generator_state = torch.get_rng_state()
    network = models.backbone(name)
    assert stand_in == [TRAINED[name]]
    state = drawn(name)
    assert network.state_dict().keys() == state.keys()
    assert all(torch.equal(tensor, state[key]) for key, tensor in network.state_dict().items())
    assert not any(layer.training for layer in network.modules())
    assert all(parameter.requires_grad and parameter.device.type == "cpu" for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), generator_state), "no random weights were drawn"
    with pytest.raises(ValueError, match=r"features\.0.* takes 3 channels, and 1×64×64 reached it"):
        network(torch.rand(2, 1, 64, 64))


@pytest.mark.parametrize("name", TRAINED)
def test_an_untrained_backbone_reads_no_weights(stand_in, name):
    network = models.backbone(name, pretrained=False)
    assert stand_in == []
    assert network.state_dict().keys() == drawn(name).keys()
    assert not network.training


@pytest.mark.parametrize("name", ["vgg16", "alexnet"])
def test_features_are_torchvisions(stand_in, name):
    with torch.device("meta"):
        features = BUILDERS[name]().features.eval()
    features.load_state_dict(
        {key.removeprefix("features."): tensor for key, tensor in drawn(name).items()}, assign=True
    )
    images = torch.rand(1, 3, 96, 64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        ours, others = models.backbone(name)(images.clone()), features(images.clone())
    assert ours.std() > 1e-3 and torch.equal(ours, others)


def test_an_unknown_backbone():
    with pytest.raises(CourseError, match="no backbone 'vgg-16': choose from vgg16, alexnet, mobilenet-v2, eff"):
        models.backbone("vgg-16")


def test_the_constants_are_torchvisions():
    preset = theirs.MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    assert list(backbones.IMAGENET_MEAN) == preset.mean and list(backbones.IMAGENET_STD) == preset.std


def picture(name):
    """A sample picture of scikit-image, prepared as torchvision does: side 256, the middle 224, normalised."""
    image = Image.open(Path(skimage.__file__).parent / "data" / f"{name}.png").convert("RGB")
    scale = 256 / min(image.size)
    image = image.resize([int(side * scale) for side in image.size], Image.Resampling.BILINEAR)
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), dtype=np.float32) / 255
    normalised = (pixels - backbones.IMAGENET_MEAN) / backbones.IMAGENET_STD
    return torch.from_numpy(normalised).float().permute(2, 0, 1)[None]


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize(
    ("shown", "first", "also"),
    [
        ("chelsea", {"tabby", "tiger cat", "Egyptian cat"}, {"tabby", "tiger cat", "Egyptian cat"}),
        ("coffee", {"espresso"}, {"cup"}),
    ],
)
def test_it_names_a_cat_and_a_cup_of_coffee(name, shown, first, also):
    """Real weights on real pictures."""
    if not weights.available(name):
        pytest.skip(f"the weights are not in the cache: python -m course_lib.data fetch {name}")
    with torch.no_grad():
        best = models.backbone(name)(picture(shown))[0].topk(3).indices
    classes = weights.imagenet_classes()
    names = [classes[number] for number in best]
    assert names[0] in first and also <= set(names)

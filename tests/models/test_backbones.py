"""Networks with others' weights: stand-ins that always run, and the real ones where the cache has them."""

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
        shapes = BUILDERS[name]().state_dict()
    chance = torch.Generator().manual_seed(len(name))
    state = {}
    for key, one in shapes.items():
        if name in WHOLE or key.startswith("features."):
            small = torch.rand(one.shape, generator=chance) * (6 / max(1, one[0].numel() if one.dim() else 1)) ** 0.5
            state[key] = (small - small.mean() if one.dim() > 1 else small).to(one.dtype)
    return state


@pytest.fixture
def stand_in(monkeypatch):
    """``weights.load`` draws what it gives and writes down what it was asked for."""
    asked = []

    def load(name):
        asked.append(name)
        return drawn(next(one for one, trained in TRAINED.items() if trained == name))

    monkeypatch.setattr(weights, "load", load)
    return asked


@pytest.mark.parametrize("name", TRAINED)
def test_a_backbone_takes_its_weights_and_is_in_evaluation_mode(stand_in, name):
    network = models.backbone(name)
    assert stand_in == [TRAINED[name]]
    state = drawn(name)
    assert network.state_dict().keys() == state.keys()
    assert all(torch.equal(one, state[key]) for key, one in network.state_dict().items())
    assert not any(layer.training for layer in network.modules())
    assert all(parameter.requires_grad and parameter.device.type == "cpu" for parameter in network.parameters())


def test_building_one_draws_no_random_numbers(stand_in):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    models.backbone("efficientnet-lite0")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("name", "shape"), [("vgg16", (1, 512, 3, 2)), ("alexnet", (1, 256, 2, 1))])
def test_features_are_torchvisions_layer_by_layer(stand_in, name, shape):
    ours = models.backbone(name)
    with torch.device("meta"):
        features = BUILDERS[name]().features
    other = torch.nn.Sequential()
    for number, layer in features.named_children():
        other.add_module(number, layer)
    other.load_state_dict({key.removeprefix("features."): one for key, one in drawn(name).items()}, assign=True)
    assert list(dict(ours.features.named_children())) == list(dict(other.named_children()))
    images = torch.rand(1, 3, 96, 64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        x = y = images
        for number, (one, two) in enumerate(zip(ours.features, other, strict=True)):
            x, y = one(x.clone()), two(y.clone())
            assert type(one) is type(two) and torch.equal(x, y), f"features.{number}"
        assert torch.equal(ours(images.clone()), y)
    assert y.shape == shape


@pytest.mark.parametrize("name", TRAINED)
def test_grey_images_get_a_clear_answer(stand_in, name):
    with pytest.raises(ValueError, match=r"features\.0.* takes 3 channels, and 1×64×64 reached it"):
        models.backbone(name)(torch.rand(2, 1, 64, 64))


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


@pytest.mark.parametrize("name", ["vgg16", "alexnet"])
def test_the_first_filters_are_the_trained_ones(name):
    """Real weights: trained first filters are smooth and look for colours and edges; random ones do neither."""
    if not weights.available(TRAINED[name]):
        pytest.skip(f"the weights are not in the cache: python -m course_lib.data fetch {TRAINED[name]}")
    filters = models.backbone(name).features[0].weight.detach()
    centred = filters - filters.mean(dim=(2, 3), keepdim=True)
    neighbours = (centred[..., 1:] * centred[..., :-1]).sum() / centred.square().sum()
    assert neighbours > 0.1

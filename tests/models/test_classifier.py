"""The base class: errors for images that do not fit; modes and meta weights leave a network as it is."""

import pytest
import torch
from torch import nn

from course_lib import models


def narrow(name, **options):
    return getattr(models, name)(**{"width": 1 / 16} | options)


@pytest.mark.parametrize(
    ("model", "shape", "problem"),
    [
        (narrow("vgg16"), (1, 32, 32), r"1×32×32 does not fit VGG: features\.0 \(Conv2d\) takes 3 channels, and 1×32"),
        (narrow("alexnet"), (1, 64, 64), r"does not fit AlexNet: features\.0 \(Conv2d\).*build the network with in_"),
        (narrow("vgg16"), (3, 31, 31), r"3×31×31 does not fit VGG: features\.30 \(MaxPool2d\) cannot work on 32×1×1"),
        (
            narrow("whitened"),
            (3, 24, 24),
            r"24×24 does not fit Whitened: pool \(MaxPool2d\) cannot work on 16×2×2; give",
        ),
        (narrow("alexnet"), (3, 5, 5), r"does not fit AlexNet: features\.0 \(Conv2d\) cannot work on 3×5×5; give it a"),
        (models.lenet5(), (1, 32, 32), r"does not fit LeNet5: classifier\.1 \(Linear\) takes 400 numbers, and 576"),
        (models.mlp(), (3, 28, 28), r"3×28×28 does not fit MLP: features\.0 \(Linear\) takes 784 numbers, and 2352"),
        (models.lenet5(), (28, 28), r"of 28×28 does not fit LeNet5: it takes a batch of shape \(N, C, H, W\)"),
        (
            models.mobilenet_v2(10, 1),
            (3, 32, 32),
            r"features\.0\.0 \(Conv2d\) takes 1 channels, and 3×32×32 reached it",
        ),
    ],
)
def test_names_the_layer_that_an_image_does_not_fit(model, shape, problem):
    with pytest.raises(ValueError, match=problem) as caught:
        model(torch.zeros(3, *shape))
    assert "\n" not in str(caught.value)


class OutOfMemory(nn.Module):
    """Fails as a full GPU does, for tensors that take memory."""

    error = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 392.00 MiB")

    def forward(self, maps):
        if maps.is_meta:
            return maps
        raise self.error


class AlwaysOut(OutOfMemory):
    def forward(self, maps):
        raise self.error


class BrokenDriver(OutOfMemory):
    error = RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")


@pytest.mark.parametrize("broken", [OutOfMemory, AlwaysOut, BrokenDriver])
def test_other_errors_pass_through(broken):
    model = models.lenet5()
    model.features[1] = broken()
    with pytest.raises(RuntimeError) as caught:
        model(torch.zeros(2, 1, 28, 28))
    assert caught.value is broken.error


def test_a_wrong_dtype_is_no_wrong_shape():
    with pytest.raises(RuntimeError, match="type"):
        models.lenet5()(torch.zeros(2, 1, 28, 28, dtype=torch.uint8))


def test_shape_mismatch_leaves_network_and_generator_unchanged(unchanged):
    model = mixed_modes()
    with unchanged(model):
        assert "takes 1 channels" in models.shape_mismatch(model, torch.zeros(2, 3, 32, 32))
        assert "MaxPool2d" in models.shape_mismatch(model, torch.zeros(2, 1, 31, 31))
        assert models.shape_mismatch(model, torch.zeros(2, 1, 32, 32)) is None


def mixed_modes():
    """A network whose layers are in different modes."""
    model = models.vgg8_bn(10, in_channels=1, width=1 / 16).train()
    model.features.eval()
    model.features[1].train()
    return model


def modes_of(model):
    return [layer.training for layer in model.modules()]


class Stubborn(nn.ReLU):
    def train(self, mode=True):
        raise ZeroDivisionError


@pytest.mark.parametrize("training", [True, False])
def test_in_mode_sets_all_layers_and_restores_each(training):
    model = mixed_modes()
    before = modes_of(model)
    with models.in_mode(model, training):
        assert set(modes_of(model)) == {training}
    assert modes_of(model) == before
    with pytest.raises(ZeroDivisionError), models.in_mode(model, training):
        raise ZeroDivisionError
    assert modes_of(model) == before
    stubborn = nn.Sequential(model, Stubborn())
    with pytest.raises(ZeroDivisionError), models.in_mode(stubborn, training):
        pass
    assert modes_of(model) == before, "also where a layer refuses the mode"


@pytest.mark.parametrize("around", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_a_meta_copy_differs_from_the_model_in_its_device_only(around):
    model = models.vgg8_bn(10, in_channels=3, width=1 / 16).to(memory_format=torch.channels_last)
    model.features[0].requires_grad_(False)
    model.classifier.to(torch.bfloat16)
    with around():
        twin = models.meta_copy(model)
    assert list(twin.state_dict()) == list(model.state_dict())
    for copied, real in zip(
        [*twin.parameters(), *twin.buffers()], [*model.parameters(), *model.buffers()], strict=True
    ):
        assert copied.is_meta and not real.is_meta
        about = [(of.shape, of.stride(), of.dtype, of.requires_grad) for of in (copied, real)]
        assert about[0] == about[1]


def test_a_meta_copy_shares_what_the_model_shares():
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    twin = models.meta_copy(nn.Sequential(first, second, first))
    assert twin[0] is twin[2] and twin[1].weight is twin[0].weight and twin[1].bias is not twin[0].bias
    assert second.weight is first.weight and not first.weight.is_meta


def test_a_width_leaves_each_layer_at_least_one_channel():
    assert models.vgg8(width=1e-6)(torch.zeros(1, 3, 32, 32)).shape == (1, 10)

import pytest
import torch
from torch import nn

from course_lib import models


def test_lenets_differ_in_activation_and_pooling_only():
    old, new = models.lenet5(form="1998"), models.lenet5(form="modern")
    kinds = [{type(layer) for layer in form.modules()} for form in (old, new)]
    assert kinds[0] - kinds[1] == {nn.Tanh, nn.AvgPool2d}
    assert [tuple(one.shape) for one in old.parameters()] == [tuple(one.shape) for one in new.parameters()]


@pytest.mark.parametrize(("channels", "side", "classes"), [(3, 32, 10), (1, 12, 2), (1, 33, 10)])
def test_lenet_for_other_images_and_classes(channels, side, classes):
    model = models.lenet5(num_classes=classes, in_channels=channels, image_size=side)
    assert model(torch.zeros(2, channels, side, side)).shape == (2, classes)


def test_dropout_acts_in_training_only():
    model, image = models.mlp(dropout=0.5), torch.rand(1, 1, 28, 28)
    assert not torch.equal(model(image), model(image))
    model.eval()
    assert torch.equal(model(image), model(image))

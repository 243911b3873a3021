"""Fixtures for tests of transfer: few digits, and tiny backbones in place of VGG-16 and MobileNetV2."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from course_lib import models
from course_lib.transfer import Choices

SIDE = 32


def tiny_vgg():
    """VGG-16's layers, a sixteenth as wide."""
    torch.manual_seed(1)
    return SimpleNamespace(features=models.vgg16(10, 3, 1 / 16).features)


def tiny_mobile():
    """Nineteen parts with batch norms, as in MobileNetV2."""
    torch.manual_seed(2)

    def part(channels, stride):
        return nn.Sequential(nn.Conv2d(channels, 8, 3, stride, 1), nn.BatchNorm2d(8), nn.ReLU())

    return SimpleNamespace(
        features=nn.Sequential(part(3, 4), *(part(8, 2 if number == 9 else 1) for number in range(18)))
    )


@pytest.fixture(autouse=True)
def tiny_backbones(monkeypatch, home):
    """Small networks under the names of the large ones, and an empty feature cache."""
    built = {"vgg16": tiny_vgg, "mobilenet-v2": tiny_mobile}
    monkeypatch.setattr(models, "backbone", lambda name: built[name](), raising=False)


@pytest.fixture
def small():
    """Choices for images of 32 × 32."""
    return lambda **changes: Choices(**{"side": SIDE} | changes)


@pytest.fixture(scope="session")
def val(digits):
    """60 digits to evaluate on."""
    return digits.val.select(range(60))

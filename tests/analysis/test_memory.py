"""Memory of a training step, against sums by hand and against the memory of a real process."""

import functools
import json
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from course_lib import models
from course_lib.analysis import tensors_of_size, training_memory

SGD = torch.optim.SGD


def tiny():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 5 * 5, 3)
    )


def test_saved_bytes_of_the_forward_pass_by_hand():
    """The ReLU overwrites the convolution's output, which the pool keeps; flattening is a view."""
    images, maps, pooled, logits = 12 * 12, 4 * 10 * 10, 4 * 5 * 5, 3
    image = 4 * (images + maps + pooled + logits) + 8 * pooled + 8  # 8 bytes: the pool's indices, and the label
    total_weight = 4  # a number that cross-entropy keeps
    for batch in (1, 6):
        assert training_memory(tiny(), (1, 12, 12), batch).saved == batch * image + total_weight
    frozen = tiny()
    frozen[0].requires_grad_(False)  # then its output and the pool's indices are not kept; the images are there anyway
    assert training_memory(frozen, (1, 12, 12), 6).saved == 6 * (4 * (images + pooled + logits) + 8) + total_weight


def test_it_counts_in_training_mode_whatever_the_mode_and_context():
    layers = list(tiny())
    norm, dropout = (nn.Sequential(*layers[:1], added, *layers[1:]) for added in (nn.BatchNorm2d(4), nn.Dropout()))
    saved = training_memory(tiny(), (1, 12, 12), 6).saved
    maps = 6 * 4 * 10 * 10
    with torch.inference_mode():
        assert training_memory(norm.eval(), (1, 12, 12), 6).saved == saved + 4 * maps + 2 * 4 * 4, (
            "input, mean, deviation"
        )
        assert training_memory(dropout.eval(), (1, 12, 12), 6).saved >= saved + maps, "a mask"


@pytest.mark.parametrize(
    ("optimizer", "times"),
    [
        (torch.optim.Adam, 2),
        (torch.optim.AdamW, 2),
        (SGD, 0),
        (functools.partial(SGD, momentum=0.9), 1),
        (torch.optim.RMSprop, 1),
    ],
)
def test_state_of_the_optimizer(optimizer, times):
    model = tiny()
    needed = training_memory(model, (1, 12, 12), 2, optimizer)
    weights = 4 * sum(parameter.numel() for parameter in model.parameters())
    assert needed.weights == needed.gradients == weights
    assert needed.optimizer == times * weights


def test_frozen_weights_have_no_gradients_and_buffers_are_held():
    model = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2))
    model[0].requires_grad_(False)
    needed = training_memory(model, (1, 8, 8), 2)
    assert needed.gradients == 4 * (4 + 4 + 288 + 2)
    assert needed.weights == needed.gradients + 4 * 36 + 4 * 8 + 8  # two running statistics, a count of batches
    assert needed.optimizer == 2 * needed.gradients


def test_network_and_generator_are_unchanged(unchanged):
    model = models.vgg8_bn(width=1 / 16)
    model.features.eval()
    with unchanged(model):
        training_memory(model, (3, 32, 32), 4)
        with pytest.raises(ValueError, match=r"1×32×32 does not fit VGG: features\.0 \(Conv2d\) takes 3 channels"):
            training_memory(model, (1, 32, 32), 4)


def test_refuses_invalid_arguments():
    with pytest.raises(ValueError, match="batch_size must be at least 1, not 0"):
        training_memory(tiny(), (1, 12, 12), 0)
    with pytest.raises(ValueError, match="Adafactor needs the numbers themselves"):
        training_memory(tiny(), (1, 12, 12), 2, torch.optim.Adafactor)
    with pytest.raises(ValueError, match=r"^size must be at least 1 byte, not 0$"):
        tensors_of_size(tiny(), (1, 12, 12), 0)


def small():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),  # 4×8×8
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),  # 4×4×4
        nn.Flatten(),
        nn.Linear(64, 128),
    )


def rows(found):
    return list(found[["layer", "what", "precision", "batch"]].astype(object).itertuples(index=False, name=None))


def test_outputs_and_indices_of_a_size_in_the_order_of_running():
    found = tensors_of_size(small(), (3, 8, 8), 4 * 4 * 8 * 8 * 4, batch_sizes=(2, 4, 8))
    assert rows(found) == [
        ("0", "output", "float32", 4),
        ("0", "output", "float16", 8),
        ("2", "indices", "float32", 8),
        ("2", "indices", "float16", 8),
        ("4", "output", "float32", 8),
    ]
    assert found["shape"].tolist() == [(4, 8, 8), (4, 8, 8), (4, 4, 4), (4, 4, 4), (128,)]
    assert found["dtype"].tolist() == ["float32", "float16", "int64", "int64", "float32"]


def test_weights_of_a_size_have_no_batch():
    found = tensors_of_size(small(), (3, 8, 8), 64 * 128 * 4, batch_sizes=(1,))
    assert found["what"].tolist() == ["weights"] and found["layer"].tolist() == ["4"]
    assert found[["batch", "held"]].isna().all(axis=None)


def test_held_bytes_are_those_allocated_before():
    network = small()
    fixed = 4 * sum(weight.numel() for weight in network.parameters())
    found = tensors_of_size(network, (3, 8, 8), 4 * 4 * 4 * 8 * 8, (8,), precisions=[torch.float32])
    indices = found.set_index("layer").loc["2"]
    assert (indices.what, indices.batch) == ("indices", 8)
    before = 8 * (3 * 8 * 8 + 4 * 8 * 8 + 4 * 4 * 4) * 4  # images, convolution, the pool's output; ReLU is in place
    assert indices.held == fixed + before


def test_tensors_of_392_mib_in_vgg16_with_batch_norm():
    with torch.device("meta"):
        network = models.vgg16_bn(10)
    found = tensors_of_size(network, (3, 224, 224), 392 * 2**20)
    assert found[found["what"] == "weights"]["layer"].tolist() == ["classifier.0"]
    pools = found[(found["type"] == "MaxPool2d") & (found["batch"] == 128)]
    assert rows(pools) == [
        ("features.6", "output", "float32", 128),
        ("features.13", "indices", "float32", 128),
        ("features.13", "indices", "float16", 128),
    ]


MEASURE = """
import json, sys
import torch
from torch.nn import functional as F
from course_lib import models
from course_lib.analysis import training_memory
from course_lib.training.memory import peak_memory_mb, reset_peak_memory

cpu = torch.device("cpu")
torch.set_num_threads(1)

def steps(build, batch, optimizer):
    "Two steps in the order in which fit takes them; the second one is measured."
    model = build().to(memory_format=torch.channels_last).train()
    engine = optimizer(model.parameters(), lr=1e-3)
    images = torch.rand(batch, 1, 28, 28).contiguous(memory_format=torch.channels_last)
    labels = torch.zeros(batch, dtype=torch.int64)
    for _ in range(2):
        reset_peak_memory(cpu)
        loss = F.cross_entropy(model(images), labels)
        engine.zero_grad()
        loss.backward()
        engine.step()
    return peak_memory_mb(cpu)

steps(lambda: models.vgg_small(width=1 / 8), 2, torch.optim.Adam)  # so that torch has loaded what it needs
pairs = []
for name, batch, optimizer in json.loads(sys.argv[1]):
    build, optimizer = getattr(models, name), getattr(torch.optim, optimizer)
    estimate = training_memory(build(), (1, 28, 28), batch, optimizer).total / 1e6
    reset_peak_memory(cpu)
    before = peak_memory_mb(cpu)
    pairs.append([estimate, steps(build, batch, optimizer) - before])
print(json.dumps(pairs))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux resets the peak memory of a process")
@pytest.mark.parametrize(
    "runs",
    [
        [("vgg_small", 256, "Adam"), ("minivgg", 16, "Adam")],
        pytest.param([("minivgg", 16, "SGD"), ("resnet_small", 64, "SGD")], marks=pytest.mark.nightly),
    ],
)
def test_the_estimate_is_what_real_steps_take(runs):
    """Activations take most memory in the first and last run, weights and optimiser in the others.

    15 % is for what the estimate leaves out: scratch space of libraries and pages that the allocator keeps. The MALLOC
    variables make it return most of what is freed.
    """
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(runs)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for run, (estimate, measured) in zip(runs, json.loads(done.stdout), strict=True):
        assert estimate > 100, run
        assert measured == pytest.approx(estimate, rel=0.15), run

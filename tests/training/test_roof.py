"""The roof's arithmetic: what is divided by seconds is what torch counts, and the stopwatch is started rightly."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_lib import analysis, models, training
from course_lib.training import roof


@pytest.fixture
def counted(monkeypatch):
    """Instead of a stopwatch: every work takes a quarter of a second, and torch counts what it multiplies and adds."""
    found = []

    def quarter(work, device, rounds):
        with FlopCounterMode(display=False) as counter:
            work()
        found.append(SimpleNamespace(multiply_adds=counter.get_total_flops() // 2, device=device, rounds=rounds))
        return 0.25

    monkeypatch.setattr(roof, "_fastest", quarter)
    return found


@pytest.fixture
def nowhere(monkeypatch):
    """Tensors of any device without their numbers, so that what only a GPU does can be counted here."""
    monkeypatch.setattr(torch, "randn", lambda *sides, device, dtype: torch.empty(*sides, device="meta", dtype=dtype))


def test_a_convolutions_multiply_adds_by_hand_and_as_torch_counts_them(counted, monkeypatch):
    """2 images, 3 channels in and out, 5 × 5 places, 3 × 3 weights: 4,050 forward, and as many for each gradient."""
    monkeypatch.setattr(roof, "CONVOLUTIONS", [(2, 3, 5)])
    assert training.convolution_roof(rounds=7) == 3 * 2 * 3 * 3 * 5 * 5 * 9 / 0.25 == 12_150 / 0.25
    assert [(one.multiply_adds, one.rounds) for one in counted] == [(12_150, 7)]


def test_the_best_size_is_the_roof(counted, monkeypatch):
    monkeypatch.setattr(roof, "CONVOLUTIONS", [(1, 2, 4), (3, 4, 4), (2, 3, 5)])
    largest = 3 * 3 * 16 * 16 * 9
    assert training.convolution_roof() == largest / 0.25
    assert [one.multiply_adds for one in counted] == [3 * 16 * 4 * 9, largest, 12_150]


def test_the_sizes_are_those_of_a_resnet_on_cifar():
    with torch.device("meta"):
        steps = analysis.trace(models.resnet18(stem="cifar"), (3, 32, 32)).steps
    stages = {step.shape[:2] for step in steps if step.type == "Conv2d" and step.window == 3}
    assert {(channels, side) for _, channels, side in roof.CONVOLUTIONS} < stages


def test_a_gpu_gets_sixteen_times_as_many_images(counted, nowhere, monkeypatch):
    monkeypatch.setattr(roof, "CONVOLUTIONS", [(2, 3, 5)])
    for device, times in (("cpu", 1), ("mps", 1), ("cuda", 16), ("cuda:1", 16)):
        assert training.convolution_roof(device) == times * 12_150 / 0.25
    assert [one.multiply_adds // 12_150 for one in counted] == [1, 1, 16, 16]


def test_a_products_multiply_adds_are_its_side_cubed(counted, nowhere):
    for device, side in (("cpu", 2_048), ("cuda", 8_192), ("mps", 8_192)):
        assert training.matmul_roof(device, rounds=2) == side**3 / 0.25
    assert [one.multiply_adds for one in counted] == [2_048**3, 8_192**3, 8_192**3]
    assert {one.rounds for one in counted} == {2}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_both_work_in_the_number_format_that_was_asked_for(dtype, nowhere, monkeypatch):
    seen, convolve = [], F.conv2d
    monkeypatch.setattr(roof, "CONVOLUTIONS", [(2, 3, 5)])
    monkeypatch.setattr(F, "conv2d", lambda *both, **options: seen.extend(both) or convolve(*both, **options))
    monkeypatch.setattr(roof, "_fastest", lambda work, device, rounds: seen.append(work()) or 1.0)
    training.convolution_roof(dtype=dtype)
    images, weights, nothing = seen
    assert images.dtype is weights.dtype is dtype and nothing is None
    assert all(one.is_contiguous(memory_format=torch.channels_last) for one in (images, weights))
    training.matmul_roof(dtype=dtype)
    assert seen[-1].dtype is dtype


def test_roofs_are_positive(monkeypatch):
    """Really measured, on something small."""
    real = torch.randn
    monkeypatch.setattr(roof, "CONVOLUTIONS", [(2, 4, 6)])
    monkeypatch.setattr(torch, "randn", lambda *sides, **options: real(*(min(side, 8) for side in sides), **options))
    assert training.convolution_roof(rounds=2) > 0
    assert training.matmul_roof(rounds=2) > 0


def test_the_fastest_run_counts_and_the_first_only_warms_up(monkeypatch):
    log, now, lasts = [], [100.0], iter([1.0, 5.0, 3.0, 4.0])

    def work():
        log.append("work")
        now[0] += next(lasts)

    monkeypatch.setattr(roof, "time", SimpleNamespace(perf_counter=lambda: log.append("clock") or now[0]))
    monkeypatch.setattr(roof, "synchronize", lambda device: log.append(device))
    cpu = torch.device("cpu")
    assert roof._fastest(work, "cpu", 3) == 3.0
    assert log == [cpu, "clock", "work", cpu, "clock"] * 4, "the device has done all before the clock is read"


def test_share_of_the_roof_by_hand():
    """10 million multiply-adds forward, 30 to train; 2,000 images a second make 60 billion of 240 billion."""
    assert training.share_of_roof(10_000_000, 2_000.0, 240e9) == pytest.approx(0.25)

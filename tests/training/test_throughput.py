"""Peak throughput counts what torch counts; the clocks here are lists of numbers, so nothing depends on the machine."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_lib import training
from course_lib.training import throughput

ONE = 3 * 2 * 3 * 3 * 5 * 5 * 9  # multiply-adds of (2, 3, 5): 2 images, 3 channels, 5 × 5, three passes


@pytest.fixture
def counted(monkeypatch):
    """Every work takes a quarter of a second, and torch counts its multiply-adds."""
    runs = []

    def quarter(work, device, rounds):
        with FlopCounterMode(display=False) as counter:
            work()
        runs.append((counter.get_total_flops() // 2, rounds))
        return 0.25

    monkeypatch.setattr(throughput, "_fastest", quarter)
    return runs


@pytest.fixture
def any_device(monkeypatch):
    """Tensors without numbers, so that work on a GPU can be counted here."""
    monkeypatch.setattr(torch, "randn", lambda *sides, device, dtype: torch.empty(*sides, device="meta", dtype=dtype))


def test_the_best_convolution_counts(counted, monkeypatch):
    monkeypatch.setattr(throughput, "CONVOLUTIONS", [(1, 2, 4), (3, 4, 4), (2, 3, 5)])
    largest = 3 * 3 * 16 * 16 * 9
    assert training.convolution_roof(rounds=7) == largest / 0.25
    assert counted == [(3 * 16 * 4 * 9, 7), (largest, 7), (ONE, 7)]


@pytest.mark.parametrize(
    ("device", "images", "side"), [("cpu", 1, 2_048), ("mps", 1, 8_192), ("cuda", 16, 8_192), ("cuda:1", 16, 8_192)]
)
def test_a_gpu_gets_more_to_do(counted, any_device, monkeypatch, device, images, side):
    monkeypatch.setattr(throughput, "CONVOLUTIONS", [(2, 3, 5)])
    assert training.convolution_roof(device) == images * ONE / 0.25
    assert training.matmul_roof(device, rounds=2) == side**3 / 0.25
    assert counted == [(images * ONE, 5), (side**3, 2)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_number_format_and_layout_of_the_work(dtype, any_device, monkeypatch):
    tensors, convolve = [], F.conv2d
    monkeypatch.setattr(throughput, "CONVOLUTIONS", [(2, 3, 5)])
    monkeypatch.setattr(F, "conv2d", lambda *both, **options: tensors.extend(both) or convolve(*both, **options))
    monkeypatch.setattr(throughput, "_fastest", lambda work, device, rounds: tensors.append(work()) or 1.0)
    training.convolution_roof(dtype=dtype)
    training.matmul_roof(dtype=dtype)
    images, weights, _, product = tensors
    assert images.dtype is weights.dtype is product.dtype is dtype
    assert all(tensor.is_contiguous(memory_format=torch.channels_last) for tensor in (images, weights))


def test_the_fastest_run_counts_and_the_first_only_warms_up(monkeypatch):
    log, now, durations = [], [100.0], iter([1.0, 5.0, 3.0, 4.0])

    def work():
        log.append("work")
        now[0] += next(durations)

    monkeypatch.setattr(throughput, "time", SimpleNamespace(perf_counter=lambda: log.append("clock") or now[0]))
    monkeypatch.setattr(throughput, "synchronize", lambda device: log.append(device))
    cpu = torch.device("cpu")
    assert throughput._fastest(work, "cpu", 3) == 3.0
    assert log == [cpu, "clock", "work", cpu, "clock"] * 4, "the device has finished before the clock is read"


@pytest.fixture
def seconds():
    """Round by round ``fast`` is 2, ½ and 3 times as fast; by their medians it would be 4/3 times."""
    return pd.DataFrame({"slow": [2.0, 4.0, 9.0], "fast": [1.0, 8.0, 3.0]})


def test_works_run_in_turn_after_a_warm_up(seconds):
    log = []

    def work(name):
        numbers = iter([100.0, *seconds[name]])
        return lambda: log.append(name) or next(numbers)

    pd.testing.assert_frame_equal(training.interleave({"slow": work("slow"), "fast": work("fast")}, rounds=3), seconds)
    assert log == ["slow", "fast"] * 4


def test_speedups_are_taken_round_by_round(seconds):
    table = training.speedups(seconds)
    assert table.loc["fast"].to_dict() == {"seconds": 3.0, "median": 2.0, "least": 0.5, "most": 3.0}
    assert table.loc["slow"].to_dict() == {"seconds": 4.0, "median": 1.0, "least": 1.0, "most": 1.0}

"""Batches that do not fit into memory, and memory that stays with the process."""

import re
import subprocess
import sys
from functools import partial

import pytest
import torch
from torch import nn

from course_lib import models, training
from course_lib.errors import CourseError
from course_lib.training import memory

SGD = {"batch_size": 100, "optimizer": partial(torch.optim.SGD, momentum=0.9), "learning_rate": 0.1}
CPU = torch.device("cpu")
pytestmark = pytest.mark.filterwarnings("ignore::course_lib.training.TrainingWarning")


class Limited(nn.Module):
    """Takes at most ``most`` images at a time, or raises what a GPU raises; ``fails_at`` is a call that fails once."""

    def __init__(self, most=1_000, *, most_in_evaluation=1_000, between=None, fails_at=None):
        super().__init__()
        training.set_seed(0)
        self.most, self.most_in_evaluation, self.fails_at, self.sizes = most, most_in_evaluation, fails_at, []
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 12), between or nn.Identity(), nn.Linear(12, 10))

    def forward(self, images):
        if self.training and not images.is_meta:
            self.sizes.append(len(images))
            if len(self.sizes) == self.fails_at:
                raise RuntimeError("MPS backend out of memory")
        if len(images) > (self.most if self.training else self.most_in_evaluation):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 392.00 MiB.")
        return self.layers(images)


def fit(model, *splits, **options):
    return training.fit(model, *splits, **{"epochs": 2, "show": False, "device": "cpu", **SGD, **options})


def assert_same_training(model, history, other, other_history):
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    for row, other_row in zip(history.epochs, other_history.epochs, strict=True):
        assert row.train_loss == pytest.approx(other_row.train_loss, rel=1e-5)
        assert row.train_accuracy == other_row.train_accuracy


@pytest.mark.parametrize("size", [1, 7, 32, 100, 500])
def test_micro_batches_take_the_same_steps(few, size):
    whole, split = Limited(), Limited()
    history, split_history = fit(whole, few), fit(split, few, micro_batch=size)
    assert_same_training(whole, history, split, split_history)
    assert split_history.recipe["micro_batch"] == size and split_history.warnings == {}
    if size >= 100:
        assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), split.parameters(), strict=True))


def test_a_batch_that_does_not_fit_is_halved(few):
    whole, split = Limited(), Limited(20)
    history, split_history = fit(whole, few), fit(split, few)
    assert split.sizes[:12] == [100, 50, 25, 12, *[11] * 8], "halved until it fits, in even parts"
    assert set(split.sizes[3:]) == {12, 11}, "and never tried again"
    assert_same_training(whole, history, split, split_history)
    assert split_history.recipe["micro_batch"] == 12 and "micro_batch" not in history.recipe
    assert split_history.warnings["out-of-memory"] == (
        "Epoch 1: a batch of 100 images did not fit into memory. It goes through the network in parts of at most 12 "
        "now, and their gradients are added up; the step is the same, dropout apart."
    )


def test_a_part_that_does_not_fit_starts_the_batch_again(few):
    whole, split = Limited(), Limited(fails_at=5)
    history, split_history = fit(whole, few, epochs=1), fit(split, few, epochs=1, micro_batch=40)
    assert split.sizes == [34, 33, 33, 34, 33, *[20] * 10], "the second batch failed in its second part"
    assert_same_training(whole, history, split, split_history)


def test_batch_norm_changes_with_the_parts(few):
    warning = fit(Limited(60, between=nn.BatchNorm1d(12)), few).warnings["out-of-memory"]
    assert "parts of at most 50 now" in warning and "batch norm takes its statistics from these" in warning


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 392.00 MiB."), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9.06 GB)"), True),
        (RuntimeError("of another kind"), False),
    ],
)
def test_a_run_without_memory_ends_with_one_line(few, tmp_path, error, expected):
    taken = []

    def augment(images):
        taken.append(len(images))
        if len(taken) == 4:
            raise error
        return images

    with pytest.raises(CourseError if expected else RuntimeError) as raised:
        fit(Limited(), few, augment=augment, checkpoint=tmp_path / "run.pt")
    message = r"CPU, .* ran out of memory in epoch 2, step 1, .*not trained: .* below 100, .*#out-of-memory"
    assert re.fullmatch(message if expected else "of another kind", str(raised.value))
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"], "the last checkpoint stays"
    assert memory.out_of_memory(error) is expected


def test_a_single_image_that_does_not_fit_ends_the_run(few):
    with pytest.raises(CourseError, match="ran out of memory in epoch 1, step 1"):
        fit(Limited(0), few)


def test_validation_takes_fewer_images_where_memory_is_short(few):
    history, whole = fit(Limited(most_in_evaluation=70), few, few), fit(Limited(), few, few)
    assert history[-1].val_loss == pytest.approx(whole[-1].val_loss, rel=1e-6)
    assert history[-1].val_accuracy == whole[-1].val_accuracy


def test_a_resumed_run_keeps_its_parts_and_warnings(few, tmp_path):
    def interrupt(model, _inputs):
        if len(model.sizes) == 40:  # in the second epoch
            raise KeyboardInterrupt

    stopped, resumed = Limited(20), Limited(20)
    stopped.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(stopped, few, checkpoint=tmp_path / "run.pt")
    history = fit(resumed, few, checkpoint=tmp_path / "run.pt")
    assert "parts of at most 12 now" in history.warnings["out-of-memory"]
    assert len(history) == 2 and max(resumed.sizes) == 12, "a batch that did not fit is not tried again"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux resets the peak memory of a process")
def test_peak_memory_restarts_with_each_measurement():
    memory.reset_peak_memory(CPU)
    before = memory.peak_memory_mb(CPU)
    torch.zeros(50_000_000).add_(1)  # 200 MB
    peak = memory.peak_memory_mb(CPU)
    assert 150 < peak - before < 250
    memory.reset_peak_memory(CPU)
    assert memory.peak_memory_mb(CPU) < peak - 100
    assert memory.highest_memory_mb(CPU) >= peak


# In a fresh process: a heap that earlier tests have left with a large hole hands out that hole again and again. So the
# last tensors are five times as large as those before: a hole that these leave is too small for them.
COUNT = """
import contextlib
import resource

import torch

from course_lib.training import memory_kept


def page_faults(megabytes=40):
    "How many pages the system hands out for a megabyte, one tensor after another."
    torch.zeros(megabytes * 250_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        torch.zeros(megabytes * 250_000).add_(1)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // (3 * megabytes)


print(page_faults())
with contextlib.suppress(KeyError), memory_kept():
    raise KeyError
print(page_faults())
with memory_kept():
    page_faults()
    print(page_faults())
print(page_faults(200))
"""


@pytest.mark.skipif(not memory.can_keep_memory(), reason="only glibc has mallopt")
def test_memory_is_kept_inside_and_returned_afterwards():
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    outside, after_an_error, inside, afterwards = map(int, done.stdout.split())
    assert after_an_error > 0.5 * outside
    assert inside < 0.1 * outside
    assert afterwards > 0.5 * outside


def test_only_a_cpu_with_glibc_keeps_memory(monkeypatch):
    model = models.mlp(hidden=(4,))
    assert training.choose_setup(model, device="cpu").keeps_memory is memory.can_keep_memory()
    assert not training.choose_setup(model, device="cpu", keep_memory=False).keeps_memory
    assert not training.choose_setup(model, device="mps").keeps_memory
    monkeypatch.setattr(memory, "_glibc", lambda: None)
    assert not training.choose_setup(model, device="cpu").keeps_memory
    with training.memory_kept():
        pass

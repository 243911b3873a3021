import subprocess
import sys

import pytest
import torch

from course_lib.training import allocator
from course_lib.training.setup import choose_setup

# In a fresh process: a heap that earlier tests have left with a large hole hands out that hole again and again. So the
# last pieces are five times as large as those before: a hole that these leave is too small for them.
COUNT = """
import contextlib
import resource

import torch

from course_lib.training import allocator


def page_faults(megabytes=40):
    "How many pages the system hands out for a megabyte, one piece of memory after another."
    torch.zeros(megabytes * 250_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        torch.zeros(megabytes * 250_000).add_(1)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // (3 * megabytes)


print(page_faults())
with contextlib.suppress(KeyError), allocator.memory_kept():
    raise KeyError
print(page_faults())
with allocator.memory_kept():
    page_faults()
    print(page_faults())
print(page_faults(200))
"""


@pytest.mark.skipif(not allocator.can_keep_memory(), reason="only glibc can be told to keep memory")
def test_memory_stays_inside_and_goes_back_afterwards_and_after_an_error_too():
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    outside, after_an_error, inside, afterwards = map(int, done.stdout.split())
    assert after_an_error > 0.5 * outside
    assert inside < 0.1 * outside
    assert afterwards > 0.5 * outside


def test_a_system_without_glibc_goes_on_as_it_is(monkeypatch):
    monkeypatch.setattr(allocator, "_glibc", lambda: None)
    assert not allocator.can_keep_memory()
    with allocator.memory_kept():
        pass
    assert not choose_setup(torch.nn.Linear(1, 1), device="cpu").keeps_memory


@pytest.mark.skipif(sys.platform != "linux", reason="Linux with glibc is what most readers use")
def test_a_cpu_keeps_memory_unless_it_must_not():
    model = torch.nn.Linear(1, 1)
    assert choose_setup(model, device="cpu").keeps_memory is allocator.can_keep_memory()
    assert not choose_setup(model, device="cpu", keep_memory=False).keeps_memory
    assert not choose_setup(model, device="mps").keeps_memory

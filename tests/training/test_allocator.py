import subprocess
import sys

import pytest
import torch

from course_lib.training import allocator
from course_lib.training.setup import choose_setup

glibc = pytest.mark.skipif(not allocator.can_keep_memory(), reason="only glibc can be told to keep memory")


# In a fresh process each: a heap that earlier tests have left with a hole of 80 MB hands out that hole again and again.
COUNT = """
import contextlib
import resource

import torch

from course_lib.training import allocator


def page_faults(pieces=5):
    torch.zeros(20_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(pieces):
        torch.zeros(20_000_000).add_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


print(page_faults())
"""


def page_faults(program: str) -> list[int]:
    """How many pages the system has handed out for pieces of 80 MB, 19,531 each: first outside, then as asked."""
    done = subprocess.run([sys.executable, "-c", COUNT + program], capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


@glibc
def test_memory_stays_inside_and_goes_back_afterwards():
    outside, inside, again = page_faults("""
with allocator.memory_kept():
    page_faults(1)
    print(page_faults())
print(page_faults())
""")
    assert inside < 0.1 * outside
    assert again > 0.5 * outside


@glibc
def test_it_goes_back_after_an_error_too():
    outside, again = page_faults("""
with contextlib.suppress(KeyError), allocator.memory_kept():
    raise KeyError
print(page_faults())
""")
    assert again > 0.5 * outside


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

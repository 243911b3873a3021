"""How this machine trains: device, precision, memory layout, optimiser kernel, threads."""

import contextlib
import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from course_lib import runlog
from course_lib.errors import CourseError
from course_lib.training.distributed import ALONE, Processes, processes
from course_lib.training.memory import can_keep_memory, memory_kept

HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
PRECISIONS = ("float32", "auto", *HALVES)


def best_device() -> torch.device:
    """A CUDA GPU if there is one, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def describe_device(device: torch.device, threads: int | None = None) -> str:
    """The name of a device: ``NVIDIA H200``, ``Apple MPS`` or ``CPU, 2 threads``, by default those of torch."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple MPS"
    threads = threads or torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished its work, so that a clock read afterwards includes it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@dataclass(frozen=True)
class Setup:
    """The settings of a machine for training. ``str(setup)`` lists them in one line.

    ``precision`` is ``float32``, ``bfloat16`` or ``float16``; ``channels_last`` is how images and filters lie in
    memory; ``fused`` is whether the optimiser updates all weights in one kernel; ``compiled`` is whether
    ``torch.compile`` rewrites the network; ``keeps_memory`` is whether freed memory stays with the process from step to
    step; ``threads`` are those of a CPU; ``processes`` are those that torchrun started, which train together.
    """

    device: torch.device
    precision: str = "float32"
    channels_last: bool = False
    fused: bool = False
    compiled: bool = False
    keeps_memory: bool = False
    threads: int = 1
    processes: Processes = ALONE

    def __str__(self) -> str:
        extras = {"channels last": self.channels_last, "fused optimiser": self.fused, "compiled": self.compiled}
        extras |= {"memory kept": self.keeps_memory, str(self.processes): self.processes.count > 1}
        return ", ".join([self.machine, self.precision, *(extra for extra, chosen in extras.items() if chosen)])

    @property
    def machine(self) -> str:
        """The name of the device, and the threads of a CPU."""
        return describe_device(self.device, self.threads)

    @property
    def memory_format(self) -> torch.memory_format:
        """Torch's name for the layout of images, (N, C, H, W)."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def autocast(self) -> contextlib.AbstractContextManager:
        """The context of a forward pass."""
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, HALVES[self.precision])

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Use the chosen number of threads inside the ``with`` block, and keep memory if that was chosen."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with memory_kept() if self.keeps_memory else contextlib.nullcontext():
                yield
        finally:
            torch.set_num_threads(before)

    def build(self, optimizer: Callable[..., torch.optim.Optimizer], parameters, lr: float) -> torch.optim.Optimizer:
        """Call ``optimizer(parameters, lr=lr)``, with its fused kernel where that was chosen."""
        return optimizer(parameters, lr=lr, fused=True) if self.fused else optimizer(parameters, lr=lr)


def choose_setup(
    model: nn.Module,
    *,
    device: torch.device | str | None = None,
    precision: str = "float32",
    channels_last: bool | None = None,
    optimizer: Callable[..., torch.optim.Optimizer] | None = None,
    fused: bool | None = None,
    compiled: bool | None = None,
    keep_memory: bool | None = None,
    threads: int | None = None,
) -> Setup:
    """Choose the fastest settings of this machine where an argument is None; anything else is taken as given.

    * ``device``: a CUDA GPU, else Apple's MPS, else the CPU.
    * ``precision``: ``auto`` takes half precision where the device is built for it: on CUDA bfloat16 from compute
      capability 8.0 on and float16 before (such a GPU emulates bfloat16, slowly); on a CPU bfloat16 where it has
      instructions for it (AVX512-BF16 or AMX); else float32.
    * ``channels_last``: for networks that convolve, on a CPU always, on CUDA in half precision. Only the order of
      numbers in memory changes, so results differ by rounding at most. Not on a CPU for a network with torch's strided
      1×1 convolution of fewer than 16 channels: its gradient is written beyond its memory, and the process ends (issue
      6035 of oneDNN; seen with fewer than 8 channels with AVX2, with fewer than 16 with AVX-512).
    * ``fused``: with ``precision="auto"``, for the optimisers of torch that have such a kernel.
    * ``compiled``: never by itself. On two CPU cores ``torch.compile`` did not pay (chapter 10).
    * ``keep_memory``: on a CPU, where the C library can (glibc can). No result changes.
    * ``threads``: those of torch, but no more than the cores that this process may use (a container's limit counts).

    Raises: ValueError for an unknown precision or a number below 1; CourseError for a precision that the device lacks.
    """
    device = torch.device(device) if device is not None else best_device()
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(map(repr, PRECISIONS))}, not {precision!r}")
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    fast = precision == "auto" and not runlog.wants_fingerprints()  # which must not depend on the machine
    supported = _half_precisions(device)
    if precision in HALVES and precision not in supported:
        instead = supported[0] if supported else "float32"
        raise CourseError(
            f"{describe_device(device)} is not built for {precision}: use precision='{instead}', or 'auto'."
        )
    if precision == "auto":
        precision = supported[0] if fast and supported else "float32"
    if channels_last is None:
        convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
        safe = device.type == "cpu" and not any(map(_is_narrow_shortcut, convolutions))
        channels_last = bool(convolutions) and (safe or (device.type == "cuda" and precision in HALVES))
    if fused is None:
        fused = fast and optimizer is not None and _has_fused_kernel(optimizer)
    return Setup(
        device=device,
        precision=precision,
        channels_last=channels_last,
        fused=fused,
        compiled=bool(compiled),
        keeps_memory=device.type == "cpu" and keep_memory is not False and can_keep_memory(),
        threads=threads or min(torch.get_num_threads(), usable_cores()),
        processes=processes(),
    )


def usable_cores(control_group: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """How many cores this process may use: those of its affinity mask, and a container's share of time, rounded up.

    Torch sees the first only: in a container with two of 64 cores' time it would start 64 threads.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = control_group.read_text(encoding="utf-8").split()
        return max(1, min(cores, -(-int(quota) // int(period))))
    except (OSError, ValueError):  # another system, or "max": no limit
        return cores


def _is_narrow_shortcut(layer: nn.Conv2d) -> bool:
    """Whether oneDNN, in channels last, writes the gradient of this convolution beyond its memory."""
    torchs = type(layer).forward is nn.Conv2d.forward
    return torchs and layer.kernel_size == (1, 1) and max(layer.stride) > 1 and layer.in_channels < 16


def _half_precisions(device: torch.device) -> list[str]:
    """The half precisions that ``device`` is built for, the best one first."""
    if device.type == "cuda":
        return ["bfloat16", "float16"] if torch.cuda.get_device_capability(device) >= (8, 0) else ["float16"]
    return ["bfloat16"] if device.type == "cpu" and _cpu_multiplies_bfloat16() else []


def _cpu_multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions for bfloat16 and oneDNN may use them; False where torch cannot detect them.

    ``ONEDNN_MAX_CPU_ISA`` can forbid oneDNN instructions that are there: then bfloat16 would be very slow.
    """
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper()
    if not any(word in allowed for word in ("ALL", "DEFAULT", "BF16", "AMX", "AVX10")):
        return False
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # private names: other versions may lack them
    return any(getattr(torch.cpu, check, bool)() for check in checks)


def _has_fused_kernel(optimizer: Callable) -> bool:
    """Whether ``optimizer`` takes ``fused``, and neither that nor ``foreach`` is set already."""
    settings = getattr(optimizer, "keywords", {})
    return "fused" in inspect.signature(optimizer).parameters and not {"fused", "foreach"} & settings.keys()

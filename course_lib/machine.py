"""What this machine is, in the words of a record."""

import platform
from pathlib import Path

# What makes a processor fast at training, by flag in /proc/cpuinfo, the best first.
_INSTRUCTIONS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 with bfloat16", "avx512f": "AVX-512", "avx2": "AVX2"}


def processor() -> str:
    """Such as ``AMD EPYC, AVX-512 with bfloat16``; the architecture where /proc/cpuinfo does not list more."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        entries = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        best = next(name for flag, name in _INSTRUCTIONS.items() if flag in entries["flags"].split())
        return f"{entries['model name']}, {best}"
    except (OSError, KeyError, StopIteration):
        return platform.processor() or platform.machine()

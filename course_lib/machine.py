"""What this machine is, in the words of a record."""

import platform
from pathlib import Path

# What makes a processor fast at training, in the words of /proc/cpuinfo, the best first.
_INSTRUCTIONS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 with bfloat16", "avx512f": "AVX-512", "avx2": "AVX2"}


def processor() -> str:
    """Such as ``AMD EPYC, AVX-512 with bfloat16``; the architecture where the system does not say more."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        has = next(words for flag, words in _INSTRUCTIONS.items() if flag in said["flags"].split())
        return f"{said['model name']}, {has}"
    except (OSError, KeyError, StopIteration):
        return platform.processor() or platform.machine()

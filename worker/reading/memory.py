"""How much memory this process holds, and handing free memory back."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable


def resident_mb() -> float:
    """Memory of this process in RAM, MB; 0 where the system does not say (other than Linux)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, IndexError):
        return 0.0


def trim() -> None:
    """Ask the C library to hand free memory back to the system (glibc only; elsewhere nothing happens)."""
    give_back = _malloc_trim()
    if give_back is not None:
        give_back(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    return found

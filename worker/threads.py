"""One thread for every numeric library: processes are the parallelism here. Set before the first of them is loaded."""

from __future__ import annotations

import os

LIBRARIES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


def one_thread_each() -> None:
    """Set the environment of this process and of those it starts."""
    for name in LIBRARIES:
        os.environ[name] = "1"

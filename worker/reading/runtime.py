"""Running a model: an ONNX file in, a warm session on one thread out (OpenVINO)."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.reading import kernels
from worker.reading.models import ModelError

SHAPES_KEPT = 24  # prepared shapes that stay in memory; each costs megabytes, so callers use few sizes


PRECISIONS = ("auto", "f32", "bf16")


def arithmetic(precision: str = "auto") -> str:
    """`f32` or `bf16`: what `precision` means on this processor.

    `auto` takes bf16 where the processor multiplies it natively (AVX-512 BF16, AMX): layers are then 1.6 to 1.9 times as
    fast, and as exact on real lines (docs/measurements.md). Elsewhere bf16 would be emulated, slowly, so it is f32 even
    where it was asked for. Raises ValueError for another word.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}; known: {', '.join(PRECISIONS)}")
    return "bf16" if precision != "f32" and "BF16" in _capabilities() else "f32"


@functools.cache
def _capabilities() -> frozenset[str]:
    return frozenset(core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


@functools.cache
def core() -> Any:
    """The process's one OpenVINO core; made at the first use and never before a fork."""
    # Sessions keep their kernels themselves (CPU_RUNTIME_CACHE_CAPACITY). oneDNN's own store beside that made nothing
    # quicker, and held on to 50 MB of kernels and more after their session was gone.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "0")
    import openvino

    return openvino.Core()


class Session:
    """A compiled model. Call it with its inputs (float32); one thread, tuned for the latency of one picture.

    `precision` is that of its arithmetic, see `arithmetic`. `edit` may change the graph before it is compiled (see `ctc_graph`). Raises ModelError where the file is no model.
    """

    def __init__(
        self,
        model: Path | bytes,
        *,
        threads: int = 1,
        shapes_kept: int = SHAPES_KEPT,
        precision: str = "auto",
        edit: Callable[[Any], Any] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            graph = core().read_model(model if isinstance(model, bytes) else str(model))
        except RuntimeError as error:
            name = "the given bytes" if isinstance(model, bytes) else str(model)
            raise ModelError(
                reason=f"{name} cannot be read as a model: {str(error).splitlines()[-1].strip()}"
            ) from error
        self.precision = arithmetic(precision)
        self.metadata = _metadata(graph)
        if edit is not None:
            graph = edit(graph)
        if self.precision == "f32" and kernels.supported():
            graph = kernels.preferred(graph)
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": self.precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # the worker pins its process itself
            "CPU_RUNTIME_CACHE_CAPACITY": shapes_kept * 64,  # counted in prepared kernels, some dozens a shape
        }
        self._compiled = core().compile_model(graph, "CPU", settings | dict(config or {}))
        self._request = self._compiled.create_infer_request()
        self._outputs = len(self._compiled.outputs)

    def __call__(self, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """Run once; returns copies of the outputs, in the model's order."""
        self._request.infer(list(inputs), share_inputs=True)
        return [np.array(self._request.get_output_tensor(i).data) for i in range(self._outputs)]

    def input_shape(self, index: int) -> list[int]:
        """The shape of an input; -1 where it may vary."""
        shape = self._compiled.inputs[index].get_partial_shape()
        return [dimension.get_length() if dimension.is_static else -1 for dimension in shape]

    def release(self) -> None:
        """Give the memory of the last shapes back; the next call is slower by some milliseconds."""
        self._compiled.release_memory()


def _metadata(graph: Any) -> dict[str, str]:
    info = graph.get_rt_info()
    if "framework" not in info:
        return {}
    return {key: graph.get_rt_info(["framework", key]).astype(str) for key in info["framework"]}

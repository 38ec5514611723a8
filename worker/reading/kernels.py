"""Which of oneDNN's kernels a convolution runs with, where another than its first choice is quicker.

On processors with AVX2 and without AVX-512 oneDNN 3.x takes its newer kernels of batched products (brgconv) for every convolution. The
ones it had before are quicker with these models' point-wise and depth-wise ones (docs/measurements.md); what they give
differs in the last bits.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from worker.reading import processor

KEY = "primitives_priority_0"  # under which OpenVINO's CPU plugin looks for it in a node's runtime information
POINT_WISE = "cpu:jit_avx2_1x1"
DEPTH_WISE = "cpu:jit_avx2_dw"


def supported() -> bool:
    """Whether the processor is one on which they are quicker."""
    return "avx2" in processor.flags() and "avx512f" not in processor.flags()


def preferred(graph: Any) -> Any:
    """`graph`, an OpenVINO model, with the kernels that its convolutions ask for first; where one cannot do a layer, OpenVINO chooses
    as ever."""
    for node in graph.get_ops():
        kind = node.get_type_name()
        if kind == "Convolution" and list(node.input(1).get_partial_shape()[2:]) == [1, 1]:
            node.set_rt_info(_wish(POINT_WISE), KEY)
        elif kind == "GroupConvolution":
            node.set_rt_info(_wish(DEPTH_WISE), KEY)
    return graph


# As OpenVINO writes it: Python can hand such an attribute on, but make none other than by reading a model that has it.
MODEL = """<?xml version="1.0"?>
<net name="wish" version="11">
  <layers>
    <layer id="0" name="in" type="Parameter" version="opset1">
      <data shape="1" element_type="f32"/>
      <rt_info><attribute name="primitives_priority" version="0" value="{kernel}"/></rt_info>
      <output><port id="0" precision="FP32"><dim>1</dim></port></output>
    </layer>
    <layer id="1" name="out" type="Result" version="opset1">
      <input><port id="0" precision="FP32"><dim>1</dim></port></input>
    </layer>
  </layers>
  <edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges>
</net>"""


@functools.cache
def _wish(kernel: str) -> Any:
    """The attribute of a node that asks for a kernel."""
    from openvino import Tensor

    from worker.reading.runtime import core

    graph = core().read_model(MODEL.format(kernel=kernel).encode(), Tensor(np.zeros(1, np.uint8)))
    return graph.get_parameters()[0].get_rt_info()[KEY]

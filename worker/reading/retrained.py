"""Weights trained further, kept as what differs: a file of some megabytes beside the published model, not a second model.

The file is NumPy's (`.npz`, float16), an array for every weight that was trained, under the name it has in the ONNX graph.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from worker.reading.models import ModelError


def applied(graph: Any, file: Path) -> Any:
    """An OpenVINO model with the weights of `file` in place of its own. Raises ModelError where they are not of this model."""
    from openvino import opset13

    try:
        with np.load(file) as kept:
            weights = {name: kept[name].astype(np.float32) for name in kept.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(reason=f"The model file {file} is damaged: reinstall ocrfleet.") from error
    constants = {node.get_friendly_name(): node for node in graph.get_ops() if node.get_type_name() == "Constant"}
    for name, values in weights.items():
        node = constants.get(name)
        if node is None or tuple(node.get_output_shape(0)) != values.shape:
            raise ModelError(reason=f"The weights in {file} belong to another model: they name {name}.")
        node.output(0).replace(opset13.constant(values).output(0))
    return graph

"""What fine-tuning needs and this machine may lack. Imports nothing that may be missing."""

from __future__ import annotations

import importlib.util


def missing_parts() -> list[str]:
    """Packages and fonts that fine-tuning needs and that are not here."""
    parts = {"torch": "torch", "onnx": "onnx", "fontTools": "fonttools", "wordfreq": "wordfreq", "rapidfuzz": "rapidfuzz", "cv2": "opencv-python-headless", "openvino": "openvino"}  # fmt: skip
    out = [package for module, package in parts.items() if importlib.util.find_spec(module) is None]
    if out:
        return out
    from training.fonts import faces

    try:
        faces()
    except RuntimeError:
        return ["fonts"]
    return out

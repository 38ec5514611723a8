"""Brings a ModelScope OCR model in: its own classes load it, it leaves as ONNX, and proves that it reads the same.

`export.py` runs where torch and modelscope are installed, alone; `add.py` is the program's side of it.
"""

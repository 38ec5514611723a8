"""Trains the project's own line recognisers: rendered lines in, ONNX weights out. Imports nothing of the service."""

"""The trainer: data sets in, one checked `.onnx` model file out. Needs the extra `seg-viewer[trainer]`."""

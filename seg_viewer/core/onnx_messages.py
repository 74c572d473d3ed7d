"""The messages that an ONNX file is made of, without the rest of the package `onnx`.

`import onnx` also loads its checker, its shape inference and more number types: 9 MB of C++ and 0.15 s that reading a
model file has no use for. The classes need protobuf only, and lie in a file of their own. They are the same objects as
`onnx.ModelProto` and the others, whichever was imported first.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from importlib.machinery import PathFinder
from typing import Any

_NAME = "onnx.onnx_ml_pb2"
_lock = threading.Lock()


def onnx_messages() -> Any:
    """The module with `ModelProto`, `TensorProto`, …: ONNX's `onnx/onnx-ml.proto`."""
    with _lock:
        if _NAME in sys.modules or "onnx" in sys.modules:
            return importlib.import_module(_NAME)
        package = importlib.util.find_spec("onnx")
        places = list(package.submodule_search_locations or ()) if package else []
        spec = PathFinder.find_spec(_NAME, places)
        if spec is None or spec.loader is None:  # an ONNX that keeps them elsewhere
            return importlib.import_module("onnx")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return sys.modules.setdefault(_NAME, module)

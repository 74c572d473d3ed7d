"""ONNX's messages alone are those of the whole package."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ALONE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from seg_viewer.core.onnx_messages import onnx_messages
with ThreadPoolExecutor(8) as pool:
    found = {id(each) for each in pool.map(lambda _: onnx_messages(), range(64))}
print(len(found), [name for name in ("onnx", "onnx.onnx_cpp2py_export", "ml_dtypes") if name in sys.modules])
"""
_THEN_WHOLE = """
import onnx
model = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], []))
ours = onnx_messages().ModelProto.FromString(model.SerializeToString())
onnx.checker.check_model(ours)
print(onnx_messages().ModelProto is onnx.ModelProto and onnx_messages().TensorProto is onnx.TensorProto)
"""


@pytest.mark.parametrize("first", ["", "import onnx\n"])
def test_they_are_the_same_classes_whichever_came_first(first: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", first + _ALONE + _THEN_WHOLE], capture_output=True, encoding="utf-8", check=False
    )
    alone = "['onnx', 'onnx.onnx_cpp2py_export', 'ml_dtypes']" if first else "[]"
    assert done.stdout.splitlines() == [f"1 {alone}", "True"], done.stderr


def test_without_onnx_it_is_named() -> None:
    code = "import sys; sys.modules['onnx'] = None\n" + _ALONE
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert "ModuleNotFoundError" in done.stderr and "onnx" in done.stderr.splitlines()[-1]

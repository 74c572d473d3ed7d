"""NVIDIA's own parser and builder on our graphs: TensorRT for RTX makes plans without a GPU.

What the stand-ins cannot notice is noticed here: a node that the parser refuses, a type it does not take.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from seg_viewer.core.assets import shipped_models
from seg_viewer.core.errors import EngineError, UsageError
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines.nvidia.library import RTX
from seg_viewer.engines.nvidia.options import PlanOptions
from seg_viewer.engines.nvidia.plan_cache import PlanCache, plan_beside
from seg_viewer.engines.nvidia.plans import MadePlan, make_plan_ahead
from tests.conftest import TOLD

pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX is not installed; there is no wheel for this system")


Build = Callable[..., tuple[MadePlan, bytes]]


@pytest.fixture
def build(tmp_path: Path, record_property: Callable[[str, object], None]) -> Build:
    """Makes a plan, and has the end of the test run say what came of it."""

    def make(model: Path | ModelSpec, **options: Any) -> tuple[MadePlan, bytes]:
        made = make_plan_ahead(model, RTX, PlanOptions(**options), output=tmp_path / "m.rtx.plan")
        size = f"{made.size / 1e6:.2f} MB for compute {made.key.capability.replace(' ', ', ')}"
        line = f"{made.key.model}: {made.layers} layers, {made.key.precision}, {size}, {made.seconds:.2f} s"
        record_property(TOLD, f"TensorRT for RTX {made.key.tensorrt} built {line}")
        return made, made.path.read_bytes()

    return make


@pytest.mark.parametrize("path", shipped_models(), ids=lambda path: path.stem)
def test_a_model_that_ships_is_built_for_every_rtx_card(path: Path, build: Build) -> None:
    made, plan = build(path)
    assert made.layers > 100 and len(plan) > 1_000_000 and made.key.capability == "7.5 8.0 8.6 8.9 12.0"
    described = json.loads(made.path.with_suffix(".json").read_text(encoding="utf-8"))
    assert described["size"] == len(plan) and described["key"]["runtime"] == "tensorrt-rtx"
    # the parser took every node of the graph into the plan
    names = {node.name for node in onnx.load(str(path)).graph.node if node.op_type in ("Conv", "ConvTranspose")}
    missing = {name for name in names if f"[ONNX Layer: {name}]".encode() not in plan}
    assert names and missing == set()


def test_a_plan_for_one_card_is_smaller(build: Build) -> None:
    path = shipped_models()[0]
    _, every = build(path)
    made, one = build(path, capabilities=("8.9",))
    assert len(one) < len(every) and made.key.capability == "8.9"


@pytest.mark.parametrize("capabilities", [(), ("9.0",), ("8.9", "5.0")])
def test_cards_that_it_does_not_serve_are_refused(capabilities: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"compute capability .*choose of 7\.5, 8\.0"):
        make_plan_ahead(shipped_models()[0], RTX, PlanOptions(capabilities=capabilities), cache=PlanCache(tmp_path))
    assert list(tmp_path.iterdir()) == []


# -- what the trainer can make -----------------------------------------------------------------------------------------


def _networks() -> dict[str, tuple[Any, Any]]:
    """Untrained networks of every kind, with what their logits mean."""
    from seg_viewer.core.labels import DRIVING
    from tests.trainer.test_details import FINE
    from trainer.architecture import Model
    from trainer.labels.details import plain

    return {
        "unet": (Model(arch="unet", width=8, depth=3), plain(DRIVING)),
        "unet residual": (Model(arch="unet", width=8, depth=3, residual=True, norm=False), plain(DRIVING)),
        "unet-fast": (Model(widths=(8, 16, 24), context=(2,)), plain(DRIVING)),
        "sub-pixel": (Model(widths=(8, 16), subpixel=True), plain(DRIVING, subpixel=True)),
        "folded classes": (Model(widths=(8, 16)), FINE),
    }


@pytest.fixture(scope="module")
def graphs() -> dict[tuple[str, bool], Any]:
    """ONNX graph of each network, for floating point and fused for int8."""
    pytest.importorskip("tensorflow")
    from trainer.export.graph import whole_model
    from trainer.network.unet import build

    made = {}
    for name, (model, details) in _networks().items():
        heads = details.heads[0] + (details.heads[1] if details.subpixel else 0)
        network = build(model, heads, 64, 96)
        for fused in (False, True):
            made[name, fused] = whole_model(network, details, fused)
    return made


@pytest.mark.parametrize("margin", [False, True], ids=["", "margin"])
@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
@pytest.mark.parametrize("name", ["unet", "unet residual", "unet-fast", "sub-pixel", "folded classes"])
def test_every_network_of_the_trainer_is_built(
    name: str, precision: str, margin: bool, graphs: dict[tuple[str, bool], Any], build: Build, tmp_path: Path
) -> None:
    from trainer.export.graph import write_model
    from trainer.export.int8 import int8_graph
    from trainer.export.margin import add_margin

    graph = onnx.ModelProto.FromString(graphs[name, precision == "int8" or margin].SerializeToString())
    if precision == "int8":
        pictures = [np.random.default_rng(seed).integers(0, 256, (64, 96, 3), np.uint8) for seed in range(2)]
        graph = int8_graph(graph, pictures)
    if margin:
        graph = add_margin(graph)
    labels = _networks()[name][1].labels
    spec = ModelSpec(Path(), name.replace(" ", "-"), labels, 64, 96, "int8" if precision == "int8" else "float32")
    spec = write_model(graph, dataclasses.replace(spec, has_margin=margin), tmp_path / "net.onnx")
    made, _ = build(
        spec, precision="float16" if precision == "float16" else "auto" if precision == "int8" else "float32"
    )
    assert made.key.precision == precision


# -- what it refuses ---------------------------------------------------------------------------------------------------


def test_a_graph_that_breaks_the_contract_is_refused_in_the_parsers_words() -> None:
    """uint8 may only be read by a cast: without `prepare_graph` the file as it is has a transposition first."""
    from seg_viewer.engines.nvidia.build import build_plan

    spec = read_model_file(shipped_models()[0])
    with pytest.raises(EngineError, match=r"TensorRT for RTX cannot read the graph: node planes: .*UInt8"):
        build_plan(RTX, spec.path.read_bytes(), spec, PlanOptions())


def test_what_is_no_graph_is_refused() -> None:
    from seg_viewer.engines.nvidia.build import build_plan

    with pytest.raises(EngineError, match="cannot read the graph"):
        build_plan(RTX, b"no graph", read_model_file(shipped_models()[0]), PlanOptions())


def test_stopping_ends_the_build(tmp_path: Path) -> None:
    from seg_viewer.engines.base import LoadStopped

    with pytest.raises(LoadStopped):
        make_plan_ahead(shipped_models()[0], RTX, cache=PlanCache(tmp_path), progress=lambda _what, _share: False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["", "cut short", "another model", "another version", "no sidecar", "other cards"])
def test_a_plan_beside_its_model_is_found_when_it_fits(damage: str, model: Path, tmp_path: Path) -> None:
    from seg_viewer.engines.nvidia.ahead import serves

    own = tmp_path / "mine.onnx"
    own.write_bytes(model.read_bytes())
    made, plan = make_plan_ahead(own, RTX, output=own.with_suffix(".rtx.plan")), None
    key, sidecar = made.key, own.with_suffix(".rtx.json")
    card = "8.6"
    if damage == "cut short":
        made.path.write_bytes(made.path.read_bytes()[:-100])
    elif damage == "another model":
        key = dataclasses.replace(key, model_sha256="0" * 64)
    elif damage == "another version":
        key = dataclasses.replace(key, tensorrt="9.9")
    elif damage == "no sidecar":
        sidecar.unlink()
    elif damage == "other cards":
        card = "7.0"
    plan = plan_beside(own, key, lambda capabilities: serves(capabilities, card))
    assert (plan is not None) is (damage == "")


def test_without_a_card_the_plan_is_not_loaded_and_that_is_said() -> None:
    """The real runtime's word where there is no driver; on a machine with a card it is that card's."""
    from seg_viewer.engines import available_engines
    from seg_viewer.engines.nvidia.library import has_driver

    if has_driver():
        pytest.skip("an NVIDIA driver is installed here")
    told = next(choice for choice in available_engines() if choice.name == "tensorrt-rtx")
    assert told.devices == () and "CUDA finds no NVIDIA GPU here" in told.problem

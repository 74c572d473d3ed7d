"""TensorRT for RTX on the stand-in: plans made ahead, verified and finished on the card, and what goes wrong there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.engines import Engine, available_engines, load_engine
from seg_viewer.engines.nvidia.library import RTX
from seg_viewer.engines.nvidia.options import PlanOptions
from seg_viewer.engines.nvidia.plan_cache import PlanCache
from seg_viewer.engines.nvidia.plans import make_plan_ahead


@pytest.fixture
def card(machine: Any) -> Any:
    """A machine with an RTX card."""
    machine.capability = (8, 9)
    return machine


def _open(model: Path, **choices: Any) -> Engine:
    """Without the processor that takes over."""
    from seg_viewer.core.model_file import read_model_file
    from seg_viewer.engines.nvidia.engine import NvidiaEngine

    return NvidiaEngine(RTX, read_model_file(model), **choices)


def _same_as_reference(engine: Engine, model: Path) -> bool:
    reference = load_engine(model, "onnxruntime", "CPU")
    picture = np.random.default_rng(5).integers(0, 256, (32, 64, 3), np.uint8)
    same = np.mean(engine.segment(picture) == reference.segment(picture)) > 0.99
    reference.close()
    return bool(same)


def test_the_first_start_builds_verifies_and_compiles_and_the_second_does_none_of_it(card: Any, model: Path) -> None:
    first = _open(model)
    assert first.report.name == "tensorrt-rtx" and first.report.version == "1.7.1.116"
    assert first.report.note.startswith("plan built in ") and _same_as_reference(first, model)
    assert card.names().count("compile kernels") == 1 and card.calls("graph")[0].detail == "WHOLE_GRAPH_CAPTURE"
    first.close()
    card.journal.clear()
    second = _open(model)
    assert second.report.note == "" and _same_as_reference(second, model)
    assert not {"build", "compile kernels"} & set(card.names())
    second.close()


def test_frames_in_flight_share_their_kernels(card: Any, model: Path) -> None:
    _open(model, mode="throughput").close()
    assert card.names().count("compile kernels") == 1


def test_a_plan_beside_the_model_is_taken_and_verified_here(card: Any, model: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.onnx"
    shutil.copy(model, own)
    make_plan_ahead(own, RTX, output=own.with_suffix(".rtx.plan"))
    card.journal.clear()
    engine = _open(own)
    assert engine.report.note.startswith("plan verified on this card: 100.00 %") and "build" not in card.names()
    engine.close()
    assert _note_of_next(own) == ""


def _note_of_next(model: Path) -> str:
    engine = _open(model)
    engine.close()
    return engine.report.note


def test_a_plan_beside_the_model_for_other_cards_is_left(card: Any, model: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.onnx"
    shutil.copy(model, own)
    make_plan_ahead(own, RTX, PlanOptions(capabilities=("7.5", "8.6")), output=own.with_suffix(".rtx.plan"))
    card.capability = (8, 0)
    assert _note_of_next(own).startswith("plan built in")


def test_a_newer_card_than_any_that_is_known_is_served(card: Any, model: Path) -> None:
    card.capability = (13, 0)
    assert _note_of_next(model).startswith("plan built in")


def test_each_card_verifies_for_itself(card: Any, model: Path) -> None:
    _open(model).close()
    card.capability = (7, 5)
    assert _note_of_next(model).startswith("plan verified on this card")
    assert _note_of_next(model) == ""


@pytest.mark.parametrize("capability", [(9, 0), (7, 0), (6, 1), (10, 0)])
def test_a_card_that_it_does_not_serve_is_named(machine: Any, model: Path, capability: tuple[int, int]) -> None:
    machine.capability = capability
    number = "{}.{}".format(*capability)
    with pytest.raises(
        EngineError, match=rf"Stand-in GPU \(compute {number}\) is no card that TensorRT for RTX serves"
    ):
        _open(model)
    told = next(choice for choice in available_engines() if choice.name == "tensorrt-rtx")
    assert told.devices == () and f"compute {number}" in told.problem and "seg-viewer[tensorrt]" in told.problem


def test_auto_takes_it_first_and_the_other_where_the_card_is_none_of_its(machine: Any, model: Path) -> None:
    machine.capability = (8, 6)
    engine = load_engine(model)
    assert engine.report.name == "tensorrt-rtx"
    engine.close()
    machine.capability = (9, 0)
    engine = load_engine(model)
    assert (
        engine.report.name == "tensorrt" and "tensorrt-rtx: Stand-in GPU (compute 9.0) is no card" in engine.report.note
    )
    engine.close()


def test_without_an_nvidia_card_nobody_speaks_of_it(machine: Any, model: Path) -> None:
    machine.devices = 0
    engine = load_engine(model)
    assert engine.report.name == "openvino" and "tensorrt" not in engine.report.note
    engine.close()


@pytest.mark.parametrize("damage", ["plan", "kernels"])
def test_what_is_damaged_is_made_again(card: Any, model: Path, damage: str) -> None:
    _open(model).close()
    folder = PlanCache().folder
    (plan,) = folder.glob("*.plan")
    (kernels,) = folder.glob("*.kernels")
    if damage == "kernels":
        kernels.write_bytes(b"nothing")
    else:
        plan.write_bytes(plan.read_bytes()[:-20])
    card.journal.clear()
    engine = _open(model)
    assert _same_as_reference(engine, model)
    assert ("build" in card.names()) is (damage == "plan")
    assert ("compile kernels" in card.names()) is (damage == "kernels")
    engine.close()
    assert kernels.read_bytes().startswith(b"kernels of")


def test_a_plan_that_computes_something_else_is_not_used(card: Any, model: Path) -> None:
    card.wrong_classes = True
    with pytest.raises(EngineError, match="the TensorRT for RTX plan gives"):
        _open(model)
    assert list(PlanCache().folder.glob("*.plan")) == []


@pytest.mark.parametrize(
    ("call", "text", "expected"),
    [
        ("Builder", "CUDA initialization failure", "TensorRT for RTX cannot make a builder"),
        ("parse", "unsupported operator", "TensorRT for RTX cannot read the graph: node node0: unsupported operator"),
        ("build", "no kernel", "TensorRT for RTX cannot build a plan"),
        ("set_compute_capability", "", "builds nothing for compute capability 7.5"),
        ("create_execution_context", "out of memory", "TensorRT for RTX cannot make an execution context"),
    ],
)
def test_every_refusal_is_one_line(card: Any, model: Path, call: str, text: str, expected: str) -> None:
    card.faults[call] = text
    with pytest.raises(EngineError) as caught:
        _open(model)
    assert expected in str(caught.value) and "\n" not in str(caught.value)


def test_no_room_for_the_cache_is_told_and_it_runs(
    card: Any, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    engine = _open(model)
    assert "but not kept: " in engine.report.note and _same_as_reference(engine, model)
    engine.close()


def test_two_programs_that_build_at_once_leave_one_whole_plan(card: Any, model: Path) -> None:
    first, second = _open(model), _open(model)
    for engine in (first, second):
        assert _same_as_reference(engine, model)
        engine.close()
    assert len(PlanCache().plans()) == 1 and PlanCache().plans()[0].whole

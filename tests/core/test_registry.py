"""What a registry takes from its modules, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from seg_viewer.core.registry import entries


@dataclass(frozen=True)
class Tool:
    """Something with a name."""

    name: str


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    head = "from tests.core.test_registry import Tool\n"
    (tmp_path / "registry_saw.py").write_text(head + "TOOL = Tool('saw')\n")
    (tmp_path / "registry_axe.py").write_text(head + "TOOL = Tool('axe')\n")
    (tmp_path / "registry_saw_again.py").write_text(head + "TOOL = Tool('saw')\n")
    (tmp_path / "registry_text.py").write_text("TOOL = 'saw'\n")
    (tmp_path / "registry_empty.py").write_text("")


def test_the_order_is_that_of_the_list() -> None:
    assert list(entries(["registry_saw", "registry_axe"], "TOOL", Tool)) == ["saw", "axe"]
    assert entries(["registry_axe", "registry_saw"], "TOOL", Tool) == {"axe": Tool("axe"), "saw": Tool("saw")}


@pytest.mark.parametrize("module", ["registry_text", "registry_empty"])
def test_a_module_without_its_constant_is_refused(module: str) -> None:
    with pytest.raises(TypeError, match=f"{module}: needs a constant TOOL that is a Tool"):
        entries(["registry_saw", module], "TOOL", Tool)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="registry_saw_again: there is a Tool 'saw' already"):
        entries(["registry_saw", "registry_saw_again"], "TOOL", Tool)

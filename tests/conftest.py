"""What all tests share: made clips, made models, an own cache folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models import color_model

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compiled models go to a folder of this run, never to the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    yield


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The colour model, 64×32."""
    return color_model(tmp_path_factory.mktemp("models") / "colors.onnx")


@pytest.fixture(scope="session")
def shared_videos() -> Path:
    """Real clips; skips where they are not at hand."""
    folder = SHARED / "videos"
    if not folder.is_dir():
        pytest.skip(f"{folder.name}: the real clips lie beside a developer's checkout only")
    return folder

"""TensorRT plans in the user's cache folder: each with a JSON sidecar that says what it is the plan of.

A plan is machine code for one GPU, driver and TensorRT version. It is only ever loaded when every part of its key and
its hash are as expected; anything else is built again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from seg_viewer.core.errors import EngineError, ExportError
from seg_viewer.core.part_file import write_bytes

BESIDE = ".rtx.plan"
"""End of the name of a plan beside its model, in place of .onnx."""
SIZE_CAP = 2 * 2**30
"""Bytes of all plans together; beyond it those used longest ago leave."""

_SIDECAR_VERSION = 1


@dataclass(frozen=True)
class PlanKey:
    """What a plan depends on; a plan of another key is never loaded.

    Args:
        model: name of the model, for people.
        model_sha256: of the model file.
        tensorrt: version of the runtime.
        gpu: product name, or what cards a plan made ahead is for.
        capability: compute capability, e.g. "9.0"; of a plan made ahead all that it is for, with spaces between.
        driver: version of the NVIDIA driver and of the CUDA that it speaks; "any" for a plan made ahead.
        precision: of the graph that was built.
        options: of the builder.
        runtime: name of the engine whose plan it is.
    """

    model: str
    model_sha256: str
    tensorrt: str
    gpu: str
    capability: str
    driver: str
    precision: str
    options: Mapping[str, int | str]
    runtime: str = "tensorrt"

    @property
    def stem(self) -> str:
        """File name without suffix."""
        text = json.dumps(asdict(self), sort_keys=True)
        name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in self.model)
        return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Card:
    """A GPU that a plan runs on.

    Args:
        gpu: product name.
        capability: compute capability, e.g. "8.9".
        driver: version of the NVIDIA driver and of the CUDA that it speaks.
    """

    gpu: str
    capability: str
    driver: str

    @property
    def stem(self) -> str:
        """For file names."""
        return hashlib.sha256("\0".join((self.gpu, self.capability, self.driver)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class KernelFile:
    """What a runtime compiled for a plan on a card, in a file.

    Args:
        path: of the file.
    """

    path: Path

    def load(self) -> bytes:
        """b"" where there is nothing."""
        try:
            return self.path.read_bytes()
        except OSError:
            return b""

    def store(self, data: bytes) -> None:
        """Raises: EngineError."""
        write_whole(self.path, data)


@dataclass(frozen=True)
class CachedPlan:
    """A plan in the cache, as its sidecar describes it.

    Args:
        path: of the plan.
        key: what it depends on.
        size: bytes.
        checks: what was found when the plan was verified: precisions, agreement, latency.
        whole: the plan is there and as its sidecar says (only its size is compared).
    """

    path: Path
    key: PlanKey
    size: int
    checks: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = True


class PlanCache:
    """Plans kept as files, each with a sidecar; those used longest ago leave when all together are too large.

    Args:
        folder: where plans are kept; the user's cache folder by default.
        size_cap: bytes of all plans together.
    """

    def __init__(self, folder: Path | None = None, size_cap: int = SIZE_CAP) -> None:
        self.folder = folder or user_cache_path("seg-viewer") / "tensorrt"
        self.size_cap = size_cap

    def load(self, key: PlanKey) -> bytes | None:
        """The plan of a key, or None when there is none, or one that is not what its sidecar says."""
        plan, sidecar = self._paths(key)
        try:
            stored = json.loads(sidecar.read_text())
            data = plan.read_bytes()
        except (OSError, ValueError):
            return None
        if (
            not isinstance(stored, dict)
            or stored.get("version") != _SIDECAR_VERSION
            or stored.get("key") != asdict(key)
        ):
            return None
        if stored.get("sha256") != hashlib.sha256(data).hexdigest():
            return None
        with suppress(OSError):  # a cache that may only be read is still a cache
            os.utime(sidecar)  # used now: the last to leave when room is needed
        return data

    def store(self, key: PlanKey, plan: bytes, layers: str | None, checks: Mapping[str, Any]) -> Path:
        """Keep a plan, its layers (JSON of the inspector) and what was checked; older plans may leave for it.

        Raises: EngineError when it cannot be written.
        """
        path, _sidecar = self._paths(key)
        write_plan(path, key, plan, layers, checks)
        self._evict(keep=path)
        return path

    def remove(self, key: PlanKey) -> None:
        """Forget a plan, e.g. because the runtime refused it."""
        self._remove(self._paths(key)[0])

    # -- of a plan made ahead, on each card -----------------------------------------------------------------------

    def checks_on(self, key: PlanKey, card: Card) -> Mapping[str, Any] | None:
        """What was found when a plan was verified on a card; None where it was not."""
        try:
            stored = json.loads(self._beside(key, card, ".checks.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        known = isinstance(stored, dict) and stored.get("card") == asdict(card) and stored.get("key") == asdict(key)
        return dict(stored["checks"]) if known else None

    def store_checks(self, key: PlanKey, card: Card, checks: Mapping[str, Any]) -> None:
        """Raises: EngineError."""
        described = {"card": asdict(card), "key": asdict(key), "checks": dict(checks)}
        write_whole(self._beside(key, card, ".checks.json"), (json.dumps(described, indent=2) + "\n").encode())

    def kernel_file(self, key: PlanKey, card: Card) -> KernelFile:
        """Where the kernels of a plan are kept that are compiled on a card."""
        return KernelFile(self._beside(key, card, ".kernels"))

    def _beside(self, key: PlanKey, card: Card, end: str) -> Path:
        return self.folder / f"{key.stem}.{card.stem}{end}"

    def plans(self) -> list[CachedPlan]:
        """All plans, used last first; plans whose sidecar cannot be read are left out."""
        found = []
        for sidecar in self._sidecars():
            try:
                stored = json.loads(sidecar.read_text())
                key = PlanKey(**stored["key"])
                checks, expected = dict(stored["checks"]), int(stored["size"])
            except (OSError, ValueError, TypeError, KeyError):
                continue
            plan = sidecar.with_suffix(".plan")
            size = plan.stat().st_size if plan.exists() else 0
            found.append(CachedPlan(plan, key, size, checks, size == expected))
        return found

    @property
    def size(self) -> int:
        """Bytes of all plans."""
        return sum(path.stat().st_size for path in self._files("*.plan"))

    # -- timing cache ----------------------------------------------------------------------------------------------

    def load_timings(self, key: PlanKey) -> bytes:
        """How fast kernels ran in earlier builds on the same GPU, b"" when nothing is known."""
        try:
            return self._timings(key).read_bytes()
        except OSError:
            return b""

    def store_timings(self, key: PlanKey, timings: bytes) -> None:
        """Raises: EngineError."""
        write_whole(self._timings(key), timings)

    def _timings(self, key: PlanKey) -> Path:
        text = f"{key.tensorrt} {key.gpu} {key.capability} {key.driver}"
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.timings"

    # -- files -----------------------------------------------------------------------------------------------------

    def _paths(self, key: PlanKey) -> tuple[Path, Path]:
        return self.folder / f"{key.stem}.plan", self.folder / f"{key.stem}.json"

    def _files(self, pattern: str) -> list[Path]:
        """Those that are whole: hidden ones are being written."""
        return [path for path in self.folder.glob(pattern) if not path.name.startswith(".")]

    def _sidecars(self) -> list[Path]:
        """Used last first."""
        names = [path for path in self._files("*.json") if not path.name.endswith((".layers.json", ".checks.json"))]
        return sorted(names, key=lambda path: path.stat().st_mtime, reverse=True)

    def _evict(self, keep: Path) -> None:
        known = {path.with_suffix(".plan") for path in self._sidecars()}
        strangers = [path for path in self._files("*.plan") if path not in known]
        oldest_first = [*strangers, *(path.with_suffix(".plan") for path in reversed(self._sidecars()))]
        for path in oldest_first:
            if self.size <= self.size_cap:
                return
            if path != keep:
                self._remove(path)

    def _remove(self, plan: Path) -> None:
        of_cards = [*self.folder.glob(f"{plan.stem}.*.checks.json"), *self.folder.glob(f"{plan.stem}.*.kernels")]
        for path in (plan.with_suffix(".json"), plan.with_suffix(".layers.json"), *of_cards, plan):
            path.unlink(missing_ok=True)


def sidecar_json(key: PlanKey, plan: bytes, checks: Mapping[str, Any]) -> bytes:
    """What is written beside a plan."""
    described = {
        "version": _SIDECAR_VERSION,
        "key": asdict(key),
        "sha256": hashlib.sha256(plan).hexdigest(),
        "size": len(plan),
        "checks": dict(checks),
    }
    return (json.dumps(described, indent=2) + "\n").encode()


def write_plan(path: Path, key: PlanKey, plan: bytes, layers: str | None, checks: Mapping[str, Any]) -> None:
    """Write a plan, its sidecar (.json) and, where they are known, its layers (.layers.json).

    A plan that was there stays in use when the new one cannot be written; a sidecar of another plan is none.

    Raises: EngineError naming the file.
    """
    described = sidecar_json(key, plan, checks)
    write_whole(path, plan)
    if layers is not None:
        write_whole(path.with_suffix(".layers.json"), layers.encode())
    write_whole(path.with_suffix(".json"), described)


def plan_beside(model: Path, key: PlanKey, serves: Callable[[tuple[str, ...]], bool]) -> bytes | None:
    """A plan that was made ahead and lies beside its model file, as MODEL.rtx.plan with its sidecar.

    Args:
        model: the model file.
        key: of the plan that would be made now.
        serves: whether a plan for these compute capabilities runs on the present card.

    Returns:
        The plan, or None when there is none, or one of another model, version or card, or a damaged one.
    """
    path = model.with_suffix(BESIDE)
    try:
        stored = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        data, of = path.read_bytes(), PlanKey(**stored["key"])
        whole = stored["sha256"] == hashlib.sha256(data).hexdigest()
    except (OSError, ValueError, TypeError, KeyError):
        return None
    same = (of.model_sha256, of.tensorrt, of.precision, of.runtime) == (
        key.model_sha256, key.tensorrt, key.precision, key.runtime,
    )  # fmt: skip
    return data if whole and same and serves(tuple(of.capability.split())) else None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, and its folder where it is missing; it appears under its name only when it is whole.

    Raises: EngineError naming the file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)
    except (OSError, ExportError) as error:
        reason = error if isinstance(error, OSError) else error.__cause__ or error
        raise EngineError(f"{path}: cannot be written: {getattr(reason, 'strerror', None) or reason}") from error

"""What a person may choose about a TensorRT plan."""

from __future__ import annotations

from dataclasses import dataclass

from seg_viewer.core.errors import UsageError


@dataclass(frozen=True)
class PlanOptions:
    """What a person chooses for the builder.

    Args:
        precision: "auto", "float32" or "float16", see `graph.target_precision`.
        workspace_mib: most memory that a layer may use for intermediate results, MiB.
        capabilities: compute capabilities of the cards that a plan made ahead is for.
        optimization_level: 0 (builds fast) … 5 (looks longest for fast kernels); 3 is TensorRT's default.

    Raises:
        UsageError: a value is out of range.
    """

    precision: str = "auto"
    workspace_mib: int = 2048
    optimization_level: int = 3
    capabilities: tuple[str, ...] = ("7.5", "8.0", "8.6", "8.9", "12.0")

    def __post_init__(self) -> None:
        if not 0 <= self.optimization_level <= 5:
            raise UsageError(f"optimisation level {self.optimization_level}: choose 0 to 5")
        if self.workspace_mib < 1:
            raise UsageError(f"workspace of {self.workspace_mib} MiB: give 1 or more")

"""One way through: source → class maps → whoever iterates."""

from seg_viewer.pipeline.pipeline import (
    BUSY_DISPLAY,
    BUSY_ENGINE,
    BUSY_RECORDER,
    LATE_DISPLAY,
    LATE_ENGINE,
    WHILE_PAUSED,
    Pipeline,
    Policy,
)

__all__ = [
    "BUSY_DISPLAY",
    "BUSY_ENGINE",
    "BUSY_RECORDER",
    "LATE_DISPLAY",
    "LATE_ENGINE",
    "WHILE_PAUSED",
    "Pipeline",
    "Policy",
]

"""One way through: source → class maps → whoever iterates."""

from seg_viewer.pipeline.governing import Governing, GovernorStatus
from seg_viewer.pipeline.moves import Move, Seek, SeekBy, Step
from seg_viewer.pipeline.pair import PairSegmenter
from seg_viewer.pipeline.pipeline import Pipeline
from seg_viewer.pipeline.segmenter import EngineSegmenter, Segmenter
from seg_viewer.pipeline.shared import Share, SharedEngine
from seg_viewer.pipeline.state import (
    BUSY_DISPLAY,
    BUSY_ENGINE,
    BUSY_RECORDER,
    DEADLINE,
    LATE_DISPLAY,
    LATE_ENGINE,
    MODEL_CHANGED,
    WHILE_PAUSED,
    Policy,
)

__all__ = [
    "BUSY_DISPLAY",
    "BUSY_ENGINE",
    "BUSY_RECORDER",
    "DEADLINE",
    "LATE_DISPLAY",
    "LATE_ENGINE",
    "MODEL_CHANGED",
    "WHILE_PAUSED",
    "EngineSegmenter",
    "Governing",
    "GovernorStatus",
    "Move",
    "PairSegmenter",
    "Pipeline",
    "Policy",
    "Seek",
    "SeekBy",
    "Segmenter",
    "Share",
    "SharedEngine",
    "Step",
]

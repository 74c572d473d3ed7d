"""The errors a person can cause.

The text of each is one line that names the thing (file, address, class, device) and says what to do.
"""

from __future__ import annotations


class SegViewerError(Exception):
    """Base of all errors that are reported as one line, without a traceback."""

    exit_code = 1


class UsageError(SegViewerError):
    """What was asked for cannot be meant: a missing file, an output that is the input, an unknown option value."""

    exit_code = 2


class SourceError(SegViewerError):
    """A video, folder, camera or stream cannot be opened or read."""


class EngineError(SegViewerError):
    """A runtime is missing, cannot load the model, or failed while it ran."""


class ModelFileError(SegViewerError):
    """A file is no model, or a model that breaks the contract of `seg_viewer.core.model_file`."""


class ExportError(SegViewerError):
    """An output file cannot be written."""

"""The errors a person can cause, and the line that any error is shown as when it ends a program.

The text of each is one line that names the thing (file, address, class, device) and says what to do.
"""

from __future__ import annotations

from seg_viewer.core.printable import printable
from seg_viewer.core.redact import redact_text

STOPPED = 130
"""Exit code of a program that Ctrl-C ended, as shells have it."""


class SegViewerError(Exception):
    """Base of all errors that are reported as one line, without a traceback."""

    exit_code = 1


class UsageError(SegViewerError):
    """What was asked for cannot be meant: a missing file, an output that is the input, an unknown option value."""

    exit_code = 2


class SourceError(SegViewerError):
    """A video, folder, camera or stream cannot be opened or read."""


class NotThereYetError(SourceError):
    """A live source that cannot be had now, and may be there in a moment: trying again makes sense."""


class PasswordError(SourceError):
    """A live source that asks for user and password, or does not accept those it was given."""


class EngineError(SegViewerError):
    """A runtime is missing, cannot load the model, or failed while it ran."""


class ModelFileError(SegViewerError):
    """A file is no model, or a model that breaks the contract of `seg_viewer.core.model_file`."""


class ExportError(SegViewerError):
    """An output file cannot be written."""


def last_words(error: BaseException, program: str, stopped: str = "stopped") -> tuple[str, int]:
    """What a program says when an error ends it, and its exit code.

    Args:
        error: what came up to the top.
        program: its command, as it is typed.
        stopped: what to say of a Ctrl-C.

    Returns:
        One line without passwords, and the code: 2 for usage, 1 for the rest, 130 when stopped.
    """
    code = 1
    if isinstance(error, SegViewerError):
        text, code = str(error), error.exit_code
    elif isinstance(error, KeyboardInterrupt):
        kept = str(error)  # what it says of itself, where something can be gone on with
        text, code = f"stopped; {kept}" if kept else stopped, STOPPED
    elif isinstance(error, OSError) and error.filename and error.strerror:
        text = f"{error.filename}: {error.strerror}"
    else:
        kind = type(error).__name__
        text = f"unexpected {kind}: {str(error) or kind} (run '{program} --debug …' and report it)"
    return printable(redact_text(f"{program}: {' '.join(text.split())}")), code

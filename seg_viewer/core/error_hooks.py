"""What happens to errors that nobody catches: in slots, on threads, in finalizers. They may quote an address."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from seg_viewer.core.redact import redact_text

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_log = logging.getLogger(__name__)


def redacted_traceback(error: BaseException) -> str:
    """The whole traceback of an error, causes included, without credentials."""
    return redact_text("".join(traceback.format_exception(error)))


@contextmanager
def error_hooks(show: Callable[[str], None] = lambda _text: None) -> Iterator[None]:
    """Log such errors without credentials; the hooks before come back at the end of the block.

    Args:
        show: called, on the thread of the error, with one line for a person; not for errors in finalizers.
    """

    def report(kind: type[BaseException], error: BaseException | None, _trace: TracebackType | None) -> None:
        error = kind() if error is None else error
        _log.error("unexpected error\n%s", redacted_traceback(error))
        show(redact_text(" ".join(f"Unexpected error: {kind.__name__}: {error}".split())))

    def on_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit:
            report(args.exc_type, args.exc_value, args.exc_traceback)

    def unraisable(args: UnraisableHookArgs) -> None:
        error = args.exc_type() if args.exc_value is None else args.exc_value
        where = redact_text(f"{args.err_msg or 'ignored'}: {args.object!r}")
        _log.error("unexpected error, %s\n%s", where, redacted_traceback(error))

    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    sys.excepthook, threading.excepthook, sys.unraisablehook = report, on_thread, unraisable
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before

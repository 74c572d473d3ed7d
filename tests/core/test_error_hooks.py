"""Errors that nobody catches are logged, and without what opens doors."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable

import pytest

from seg_viewer.core.error_hooks import error_hooks

ADDRESS = "rtsp://joe:hush@host/cam?token=hush&x=1"
SHOWN = "rtsp://host/cam?token=***&x=1"


def _fail() -> None:
    try:
        raise OSError(f"cannot open {ADDRESS}")
    except OSError as error:
        raise ValueError(f"{ADDRESS}\nis broken") from error


def _in_a_slot() -> None:
    try:
        _fail()
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)


def _on_a_thread() -> None:
    thread = threading.Thread(target=_fail)
    thread.start()
    thread.join()


class _Fails:
    def __repr__(self) -> str:
        return f"<camera at {ADDRESS}>"

    def __del__(self) -> None:
        _fail()


def _in_a_finalizer() -> None:
    _Fails()
    gc.collect()


@pytest.mark.parametrize(("happen", "is_shown"), [(_in_a_slot, True), (_on_a_thread, True), (_in_a_finalizer, False)])
def test_it_is_logged_and_shown_without_credentials(
    happen: Callable[[], None], is_shown: bool, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    with error_hooks(shown.append):
        happen()
    assert "Traceback" in caplog.text and f"cannot open {SHOWN}" in caplog.text and "in _fail" in caplog.text
    printed = "".join(capfd.readouterr())
    assert "hush" not in caplog.text and "hush" not in printed
    assert shown == ([f"Unexpected error: ValueError: {SHOWN} is broken"] if is_shown else [])


def test_a_thread_that_ends_itself_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with error_hooks():
        thread = threading.Thread(target=sys.exit)
        thread.start()
        thread.join()
    assert not caplog.records

"""The one line that an error is shown as."""

import pytest

from seg_viewer.core.errors import SourceError, UsageError, last_words


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (UsageError("a.mp4: no such file"), "prog: a.mp4: no such file", 2),
        (SourceError("rtsp://me:secret@host/path: no answer"), "prog: rtsp://host/path: no answer", 1),
        (KeyboardInterrupt(), "prog: stopped", 130),
        (PermissionError(13, "Permission denied", "/a/b"), "prog: /a/b: Permission denied", 1),
        (ValueError("odd\n  value"), "prog: unexpected ValueError: odd value (run 'prog --debug …' and report it)", 1),
        (KeyError(), "prog: unexpected KeyError: KeyError (run 'prog --debug …' and report it)", 1),
        (OSError("no file named"), "prog: unexpected OSError: no file named (run 'prog --debug …' and report it)", 1),
    ],
)
def test_any_error_is_one_line_without_secrets(error: BaseException, line: str, code: int) -> None:
    assert last_words(error, "prog") == (line, code)


def test_a_program_says_what_a_stop_leaves_behind() -> None:
    assert last_words(KeyboardInterrupt(), "prog", "stopped; nothing was left behind")[0].endswith("left behind")

"""Numbers of things in a sentence."""

from __future__ import annotations


def counted(count: int, thing: str, things: str = "", form: str = "") -> str:
    """ "1 frame", "3 frames", "0 classes".

    Args:
        count: how many.
        thing: the word for one of them.
        things: the word for several, where it is not `thing` with an s.
        form: how the number is written, as for `format`: "," for 25,279.
    """
    return f"{count:{form}} {thing if count == 1 else things or thing + 's'}"

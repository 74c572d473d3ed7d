"""Several pictures of a stream decoded at once, on the way to a place that is far from a key frame."""

from __future__ import annotations

from pathlib import Path

import av

from seg_viewer.core.machine import usable_cores
from seg_viewer.media.av_file import open_input
from seg_viewer.media.decoding import Decoder

FEW_CORES = 4
"""With no more than these a stream is decoded by one thread: the pipeline's own threads keep the others busy."""

_MORE_THREADS = 2
"""Than there are cores: each waits now and then for what the picture before it has not decoded yet."""

_LONG_WAY, _SHORTEST = 40, 8
_HD = 1920 * 1080


def fewer_if_large(count: int, least: int, width: int, height: int) -> int:
    """Of pictures up to 1920×1080 as many as `count`; of larger ones so many fewer, but at least `least`."""
    return max(least, min(count, count * _HD // max(1, width * height)))


def long_way(width: int, height: int) -> int:
    """Pictures between a key frame and a place from which on it is quicker to decode several at once.

    40 up to 1920×1080, as measured; fewer larger ones, which take longer each.
    """
    return fewer_if_large(_LONG_WAY, _SHORTEST, width, height)


class TogetherDecoder(Decoder):
    """Decodes the packets of a stream that another `Decoder` has, by threads that each take a picture of their own.

    FFmpeg fixes a decoder's threads when it is made, so this is a second one, of the same file opened again. Sound
    pictures come out the same, one packet later for each thread more. After a damaged one they may differ.

    Args:
        path: of the file.
        stream: of that file; its index is what counts.

    Raises:
        av.FFmpegError, OSError: the file cannot be opened any more.
        IndexError: it holds other streams now.
    """

    def __init__(self, path: Path, stream: av.VideoStream) -> None:
        self._container = open_input(path)
        again = self._container.streams[stream.index]
        if not isinstance(again, av.VideoStream) or again.codec_context.extradata != stream.codec_context.extradata:
            self._container.close()
            raise IndexError(f"{path}: other streams than before")
        again.thread_type = "FRAME"
        again.codec_context.thread_count = usable_cores() + _MORE_THREADS
        again.codec_context.options = {"err_detect": "explode"}  # H.265 pictures bear no mark of damage
        super().__init__(again)

    def begin(self) -> None:
        """What comes next does not follow what came last."""
        self.context.flush_buffers()

    def close(self) -> None:
        """Let the file go."""
        self._container.close()


def works_together() -> bool:
    """Whether this machine has more than one core, and so few that a stream is decoded by one thread."""
    return 1 < usable_cores() <= FEW_CORES

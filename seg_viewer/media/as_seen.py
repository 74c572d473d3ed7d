"""Decoded frames as they are to be seen: in standard range and upright."""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
from av.video.reformatter import ColorPrimaries

from seg_viewer.media.filters import FilterChain
from seg_viewer.media.orientation import UPRIGHT, Orientation, orientation_of
from seg_viewer.media.tone_map import PQ, is_hdr, peak_nits, tag_bt709, tone_map_steps, write_table

_Form = tuple[int, int, str, int, int, int, int, Orientation]
KNOWN_PRIMARIES = (1, 2, *range(4, 13), 22)
"""Values of ITU-T H.273, table 2, that have a meaning; 2 says nothing."""
_KNOWN_MATRICES = (0, 1, 2, 4, 5, 6, 7, 9, 10)
"""Matrix coefficients (ITU-T H.273, table 4) that pictures are converted by; 0 is RGB, 2 says nothing."""


class AsSeen:
    """Turns, mirrors and tone-maps frames; what needs none of it comes back untouched.

    Attributes:
        orientation: of the latest frame.
        notes: a line for each thing that was done or could not be done, without the name of the file.
    """

    def __init__(self) -> None:
        self.orientation = UPRIGHT
        self.notes: list[str] = []
        self._chain: FilterChain | None = None
        self._form: _Form | None = None
        self._peak: float | None = None

    def of(self, frame: av.VideoFrame) -> av.VideoFrame:
        """A frame as it is to be seen, of the same time. A frame that was changed is another one."""
        self.orientation = orientation = orientation_of(frame)
        if orientation.off_deg:
            self._tell(
                f"asks to be turned by {orientation.off_deg:+.0f}° beyond a quarter turn; "
                "it is shown at the nearest quarter turn"
            )
        hdr = is_hdr(frame)
        if not hdr and frame.colorspace not in _KNOWN_MATRICES:
            self._tell(f"has colours of a kind that is not known (matrix {frame.colorspace}); they may look wrong")
        if not hdr and not orientation.steps:
            return frame
        form = (
            frame.width, frame.height, frame.format.name, frame.color_trc, frame.color_primaries, frame.colorspace,
            frame.color_range, orientation,
        )  # fmt: skip
        if self._chain is None or form != self._form:
            self._chain, self._form = self._build(frame, orientation), form
        if hdr and frame.color_primaries not in KNOWN_PRIMARIES:
            frame.color_primaries = int(ColorPrimaries.BT2020)  # FFmpeg's scaler refuses the others
        ((given, made),) = self._chain.push(frame)
        if hdr:
            tag_bt709(made)
        else:
            made.colorspace, made.color_range = given.colorspace, given.color_range
            made.color_trc, made.color_primaries = given.color_trc, given.color_primaries
        return made

    def _build(self, frame: av.VideoFrame, orientation: Orientation) -> FilterChain:
        if not is_hdr(frame):
            return FilterChain(frame, orientation.steps)
        if self._peak is None:
            self._peak = peak_nits(frame)
        name = "PQ" if frame.color_trc == PQ else "HLG"
        self._tell(
            f"is HDR ({name}); its colours were brought to standard range (BT.709), "
            f"with {self._peak:.0f} cd/m² as the brightest"
        )
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "table.cube"
            write_table(table, frame.color_trc, frame.color_primaries, self._peak)
            return FilterChain(frame, [*tone_map_steps(frame, table), *orientation.steps])  # has read it by then

    def _tell(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

"""High dynamic range to what the network, the window and H.264 with 8 bits expect: BT.709.

The steps are those of ITU-R BT.2390-10: signal to light (BT.2100-2), light above the white of a paper (BT.2408-7: 203
cd/m²) bent down by its EETF (section 5.4.1), primaries to BT.709, light to signal for a display as in BT.1886. They are
put into one table of colours, which FFmpeg looks pixels up in.
"""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from seg_viewer.media.filters import Step
from seg_viewer.media.side_data import UnknownSideData, side_data

Floats = NDArray[np.float64]

PQ, HLG = int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67)
"""Transfer characteristics as in ITU-T H.273, table 3."""
WHITE_NITS = 203.0
_USUAL_PEAK_NITS = 1000.0
_PQ_PEAK_NITS = 10_000.0
_HLG_GAMMA = 1.2
_DISPLAY_GAMMA = 2.4
_STEPS = 33
"""Of the table, along each of red, green and blue."""
_BT709, _BT2020 = int(ColorPrimaries.BT709), int(ColorPrimaries.BT2020)
_D65 = (0.3127, 0.3290)
_CHROMATICITIES = {
    _BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    _BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    int(ColorPrimaries.SMPTE432): ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_MATRIX_NAMES = {1: "bt709", 5: "bt470", 6: "smpte170m", 9: "bt2020"}


def is_hdr(frame: av.VideoFrame) -> bool:
    """Whether a frame says that its signal is PQ or HLG."""
    return frame.color_trc in (PQ, HLG)


def peak_nits(frame: av.VideoFrame) -> float:
    """The brightest light that a PQ frame is said to hold, cd/m²; of HLG, and where nothing is said, 1000.

    From its content light level (CTA-861.3), else its mastering display (SMPTE ST 2086).
    """
    if frame.color_trc == HLG:
        return _USUAL_PEAK_NITS
    try:
        content = side_data(frame, Type.CONTENT_LIGHT_LEVEL)
        mastering = side_data(frame, Type.MASTERING_DISPLAY_METADATA)
    except UnknownSideData:
        return _USUAL_PEAK_NITS
    peak = 0.0
    if content is not None:
        (peak,) = struct.unpack_from("=I", content)
    if not WHITE_NITS <= peak <= _PQ_PEAK_NITS and mastering is not None:
        # AVMasteringDisplayMetadata: eight chromaticities and the least light, then the most light, then two flags
        over, under, _, known = struct.unpack_from("=iiii", mastering, 72)
        peak = over / under if known and under else 0.0
    return float(peak) if WHITE_NITS <= peak <= _PQ_PEAK_NITS else _USUAL_PEAK_NITS


def tone_map_steps(frame: av.VideoFrame, table: Path) -> list[Step]:
    """The filters that take a frame to yuv420p in BT.709, limited range, by a table that `write_table` wrote."""
    is_full = frame.color_range == ColorRange.JPEG or frame.format.is_rgb
    given = {
        "in_color_matrix": _MATRIX_NAMES.get(frame.colorspace, "bt2020"),
        "in_range": "full" if is_full else "limited",
        "flags": "bilinear+accurate_rnd+full_chroma_int",
    }
    made = {"out_color_matrix": "bt709", "out_range": "limited", "flags": "bilinear+accurate_rnd"}
    return [
        ("scale", given),
        ("format", {"pix_fmts": "gbrp16le"}),
        ("lut3d", {"file": str(table), "interp": "tetrahedral"}),
        ("scale", made),
        ("format", {"pix_fmts": "yuv420p"}),
    ]


def tag_bt709(frame: av.VideoFrame) -> None:
    """Say of a frame that it is BT.709, limited range."""
    frame.colorspace, frame.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
    frame.color_trc, frame.color_primaries = int(ColorTrc.BT709), _BT709


def write_table(path: Path, transfer: int, primaries: int, peak: float) -> None:
    """Write a table of colours for FFmpeg's filter lut3d (Adobe Cube LUT specification 1.0).

    Args:
        path: NAME.cube.
        transfer: `PQ` or `HLG`.
        primaries: as in ITU-T H.273, table 2; unknown ones are taken for those of BT.2020.
        peak: the brightest light, cd/m²; brighter pixels become white.
    """
    number = np.arange(_STEPS**3)
    signal = np.stack([number % _STEPS, number // _STEPS % _STEPS, number // _STEPS**2], axis=-1) / (_STEPS - 1)
    colours = tone_mapped(signal, transfer, primaries, peak)
    np.savetxt(path, colours, fmt="%.5f", header=f"LUT_3D_SIZE {_STEPS}", comments="", encoding="ascii")


def tone_mapped(signal: Floats, transfer: int, primaries: int = _BT2020, peak: float = _USUAL_PEAK_NITS) -> Floats:
    """HDR signal to BT.709 signal.

    Args:
        signal: shape (…, 3), red, green, blue, 0…1.
        transfer, primaries, peak: as for `write_table`.

    Returns:
        shape (…, 3), 0…1. Hues stay; colours that BT.709 has not become paler or darker until it has them.
    """
    nits = pq_to_nits(signal) if transfer == PQ else _hlg_to_nits(signal)
    brightest = np.max(nits, axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(brightest > 0, _bent(brightest, peak) / brightest, 0.0)
    light = nits * gain / WHITE_NITS @ _to_bt709(primaries).T
    return np.asarray(_into_gamut(light) ** (1 / _DISPLAY_GAMMA))


def pq_to_nits(signal: Floats) -> Floats:
    """EOTF of BT.2100-2, table 4: signal 0…1 to cd/m²."""
    power = np.clip(signal, 0, 1) ** (1 / _M2)
    return np.asarray(_PQ_PEAK_NITS * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1))


def nits_to_pq(nits: Floats) -> Floats:
    """Inverse EOTF of BT.2100-2, table 4: cd/m² to signal 0…1."""
    power = (np.maximum(nits, 0) / _PQ_PEAK_NITS) ** _M1
    return np.asarray(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def _hlg_to_nits(signal: Floats) -> Floats:
    """EOTF of BT.2100-2, table 5, on a display of 1000 cd/m²: inverse OETF, then OOTF."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    signal = np.clip(signal, 0, 1)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = (scene @ np.array([0.2627, 0.6780, 0.0593]))[..., None]
    return np.asarray(_USUAL_PEAK_NITS * luminance ** (_HLG_GAMMA - 1) * scene)


def _bent(nits: Floats, peak: float) -> Floats:
    """EETF of BT.2390-10, section 5.4.1, steps 1 to 4: light up to `peak` to light up to `WHITE_NITS`, cd/m²."""
    top = nits_to_pq(np.array(peak))
    most = nits_to_pq(np.array(WHITE_NITS)) / top
    knee = 1.5 * most - 0.5
    given = np.minimum(nits_to_pq(nits) / top, 1.0)
    t = (given - knee) / np.maximum(1 - knee, 1e-9)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    return pq_to_nits(np.where(given < knee, given, spline) * top)


def _into_gamut(light: Floats) -> Floats:
    """Linear BT.709 within 0…1: what is below is moved towards the grey of its luminance, what is above made darker."""
    grey = np.maximum(light @ np.array([0.2126, 0.7152, 0.0722]), 0)[..., None]
    lowest = np.min(light, axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(lowest < 0, grey / (grey - lowest), 1.0)
    light = grey + share * (light - grey)
    return np.clip(light / np.maximum(np.max(light, axis=-1, keepdims=True), 1.0), 0, 1)


def _to_bt709(primaries: int) -> Floats:
    """Matrix from linear RGB of some primaries to linear RGB of BT.709."""
    known = primaries if primaries in _CHROMATICITIES else _BT2020
    return np.asarray(np.linalg.inv(_to_xyz(_BT709)) @ _to_xyz(known))


def _to_xyz(primaries: int) -> Floats:
    """Matrix from linear RGB to CIE XYZ with white at D65 (SMPTE RP 177)."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in _CHROMATICITIES[primaries]]).T
    x, y = _D65
    return np.asarray(columns * np.linalg.solve(columns, np.array([x / y, 1.0, (1 - x - y) / y])))

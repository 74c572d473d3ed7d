"""HDR becomes BT.709: greys keep their order, the white of paper is bright, hues stay; SDR is left alone."""

from __future__ import annotations

import colorsys
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.media.tone_map import HLG, PQ, nits_to_pq, pq_to_nits, tone_mapped
from seg_viewer.media.video_reader import VideoReader
from seg_viewer.sources import VideoFile
from tests.films import Pixels, film, yuv_frame

NITS = np.array([0, 1, 5, 20, 50, 100, 203, 400, 700, 1000], float)
DEPTHS = [("yuv420p", 8), ("yuv420p10le", 10), ("yuv422p10le", 10), ("yuv444p12le", 12)]
BLOCK = 16


def _hlg(scene: Pixels) -> Pixels:
    """OETF of BT.2100-2, table 5."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


def _signal(nits: Pixels, transfer: int) -> Pixels:
    """Of greys: light on a display of 1000 cd/m² to a signal 0…1."""
    return nits_to_pq(nits) if transfer == PQ else _hlg((nits / 1000) ** (1 / 1.2))


def _blocks(rgb: Pixels, pix_fmt: str, depth: int, *, full: bool = False) -> Pixels:
    """A frame with a block of each BT.2020 signal, shape (N, 3)."""
    red, green, blue = rgb.T
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    cb, cr = (blue - luma) / 1.8814, (red - luma) / 1.4746
    unit = 2.0 ** (depth - 8)
    top = 2**depth - 1
    y = luma * top if full else (16 + 219 * luma) * unit
    u, v = (128 * unit + c * (top if full else 224 * unit) for c in (cb, cr))
    kind = np.uint8 if depth == 8 else np.uint16
    across = BLOCK // (1 if "444" in pix_fmt else 2)
    down = 32 // (2 if "420" in pix_fmt else 1)

    def plane(values: Pixels, columns: int, rows: int) -> Pixels:
        return np.repeat(np.rint(values).astype(kind), columns)[None].repeat(rows, axis=0)

    return yuv_frame([plane(y, BLOCK, 32), plane(u, across, down), plane(v, across, down)], pix_fmt)


def _middles(plane: Pixels, block: int) -> Pixels:
    return plane[plane.shape[0] // 2, block // 2 :: block].astype(float)


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(("pix_fmt", "depth"), DEPTHS)
@pytest.mark.parametrize("transfer", [PQ, HLG], ids=["pq", "hlg"])
def test_a_ramp_of_greys(tmp_path: Path, transfer: int, pix_fmt: str, depth: int, full: bool) -> None:
    signal = np.clip(_signal(NITS, transfer), 0, 1)
    frame = _blocks(np.stack([signal] * 3, -1), pix_fmt, depth, full=full)
    path = film(tmp_path / "a.mkv", [frame] * 2, codec="ffv1", tags=(9, transfer, 9, 2 if full else 1))
    source = VideoFile(path)
    first, _ = source
    planes = first.picture.yuv420()
    assert (planes.matrix, planes.full_range) == ("bt709", False)
    assert (planes.coefficients, planes.transfer, planes.primaries) == (1, 1, 1)
    seen = (_middles(planes.y, BLOCK) - 16) / 219
    wanted = tone_mapped(np.stack([signal] * 3, -1), transfer)[:, 0]
    assert seen == pytest.approx(wanted, abs=0.02 if depth == 8 else 0.01)
    assert (
        (np.diff(seen) > 0).all() and seen[0] == pytest.approx(0, abs=0.01) and seen[-1] == pytest.approx(1, abs=0.01)
    )
    assert 0.75 <= seen[NITS == 203] <= 1
    assert np.abs(np.stack([planes.u, planes.v]).astype(int) - 128).max() <= 1
    assert _middles(first.picture.rgb()[..., 1], BLOCK) / 255 == pytest.approx(seen, abs=0.01)
    (told,) = source.warnings
    assert "HDR" in told and ("PQ" if transfer == PQ else "HLG") in told and "\n" not in told
    source.close()


# linear BT.709: what every display has
COLOURS = np.array([(0.7, 0.1, 0.1), (0.1, 0.6, 0.1), (0.1, 0.1, 0.8), (0.7, 0.6, 0.05), (0.5, 0.3, 0.2)])
# ITU-R BT.2087-0, table 1: linear BT.709 to linear BT.2020
TO_BT2020 = np.array([(0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956)])


@pytest.mark.parametrize(("pix_fmt", "depth"), DEPTHS)
@pytest.mark.parametrize("nits", [50, 150, 600])
@pytest.mark.parametrize("transfer", [PQ, HLG], ids=["pq", "hlg"])
def test_hues_stay(tmp_path: Path, transfer: int, nits: float, pix_fmt: str, depth: int) -> None:
    light = COLOURS @ TO_BT2020.T * nits
    if transfer == PQ:
        signal = nits_to_pq(light)
    else:
        luminance = (light @ np.array([0.2627, 0.6780, 0.0593]) / 1000)[:, None]
        signal = _hlg(light / 1000 * luminance ** (1 / 1.2 - 1))
    path = film(tmp_path / "a.mkv", [_blocks(signal, pix_fmt, depth)], codec="ffv1", tags=(9, transfer, 9, 1))
    (picture,) = VideoReader(path).pictures()
    rgb = picture.rgb()[16, BLOCK // 2 :: BLOCK] / 255
    for seen, wanted in zip(rgb, COLOURS ** (1 / 2.4), strict=True):
        away = abs(colorsys.rgb_to_hsv(*seen)[0] - colorsys.rgb_to_hsv(*wanted)[0])
        assert min(away, 1 - away) * 360 < (12 if depth == 8 else 6)
        if nits <= 50:  # far below the bend: the same light
            assert seen == pytest.approx((wanted**2.4 * nits / 203) ** (1 / 2.4), abs=0.04)


def test_colours_that_bt709_has_not_keep_near_to_their_hue() -> None:
    corners = np.array([[(i >> k) & 1 for k in range(3)] for i in range(1, 7)], float) * 0.5
    seen = tone_mapped(corners, PQ)
    for corner, colour in zip(corners, seen, strict=True):
        away = abs(colorsys.rgb_to_hsv(*corner)[0] - colorsys.rgb_to_hsv(*colour)[0])
        assert min(away, 1 - away) * 360 < 45 and 0 <= colour.min() <= colour.max() <= 1
        assert np.argmax(colour) in np.flatnonzero(corner)


def test_the_curves_are_those_of_bt2100() -> None:
    # ITU-R BT.2100-2 and BT.2408-7, table 1: 203 cd/m² is 58 % of PQ and 75 % of HLG; 1000 is 75 % of PQ
    assert nits_to_pq(np.array([203.0, 1000.0])) == pytest.approx([0.58, 0.75], abs=0.005)
    assert _signal(np.array([203.0]), HLG) == pytest.approx([0.75], abs=0.002)
    assert pq_to_nits(nits_to_pq(NITS)) == pytest.approx(NITS, abs=1e-3)
    same = tone_mapped(np.stack([_signal(NITS, PQ)] * 3, -1), PQ)
    assert same == pytest.approx(tone_mapped(np.stack([_signal(NITS, HLG)] * 3, -1), HLG), abs=2e-3)


@pytest.mark.parametrize(
    ("params", "peak"),
    [
        ("", 1000),
        ("master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,50)", 4000),
        ("max-cll=600,100:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,50)", 600),
        ("max-cll=50,20", 1000),
    ],
)
def test_the_brightest_light_is_what_the_file_says(tmp_path: Path, params: str, peak: int) -> None:
    grey = _blocks(np.full((8, 3), 0.5), "yuv420p10le", 10)
    options = {"x265-params": f"log-level=none:{params}"}
    path = film(tmp_path / "a.ts", [grey] * 2, codec="libx265", tags=(9, PQ, 9, 1), options=options)
    reader = VideoReader(path)
    pictures = list(reader.pictures())
    assert len(pictures) == 2 and f"{peak} cd/m²" in reader.notes[0]
    wanted = 16 + 219 * tone_mapped(np.full((1, 3), 0.5), PQ, 9, peak)[0, 0]
    assert pictures[1].yuv420().y.mean() == pytest.approx(wanted, abs=3)


@pytest.mark.parametrize("tags", [(1, 1, 1), (9, 14, 9), (9, 1, 9), (1, 13, 12), (6, 6, 6), (5, 6, 5)], ids=str)
@pytest.mark.parametrize(("pix_fmt", "depth"), DEPTHS[:2])
def test_standard_range_keeps_its_colours_and_what_is_said_of_them(
    tmp_path: Path, tags: tuple[int, int, int], pix_fmt: str, depth: int
) -> None:
    levels = np.linspace(0, 1, 10)
    frame = _blocks(np.stack([levels] * 3, -1), pix_fmt, depth)
    path = film(tmp_path / "a.mkv", [frame], codec="ffv1", tags=(*tags, 1))
    reader = VideoReader(path)
    (picture,) = reader.pictures()
    planes = picture.yuv420()
    assert reader.notes == []
    assert (planes.coefficients, planes.transfer, planes.primaries) == tags and not planes.full_range
    assert _middles(planes.y, BLOCK) == pytest.approx(16 + 219 * levels, abs=1)


def test_hdr_that_lies_on_its_side(tmp_path: Path) -> None:
    ramp = _blocks(np.stack([_signal(NITS, PQ)] * 3, -1), "yuv420p10le", 10)
    options = {"x265-params": "log-level=none:lossless=1"}
    path = film(
        tmp_path / "a.mp4", [ramp] * 2, codec="libx265", tags=(9, PQ, 9, 1), turn=(90, False, False), options=options
    )
    source = VideoFile(path)
    planes = next(iter(source)).picture.yuv420()
    assert planes.y.shape == (BLOCK * len(NITS), 32)
    column = planes.y[BLOCK // 2 :: BLOCK, 16].astype(int)
    assert (np.diff(column) <= 0).all() and column[0] > column[-1] + 200  # the right side is up now
    source.close()

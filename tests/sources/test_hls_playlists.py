"""A live HLS playlist that grows no more, or begins anew, is noticed; what was shown of it is not shown again."""

from __future__ import annotations

import pytest

from seg_viewer.sources.hls import PlaylistStoppedError, Watched

URL = "http://h/a.m3u8"


def _playlist(first: int, count: int = 3, target: int = 2) -> str:
    lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{target}", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for number in range(first, first + count):
        lines += [f"#EXTINF:{target:.3f},", f"{number}.ts"]
    return "\n".join([*lines, ""])


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    times = [100.0]
    monkeypatch.setattr("seg_viewer.sources.hls.time.perf_counter", lambda: times[0])
    return times


def test_one_that_grows_goes_on(now: list[float]) -> None:
    watched = Watched()
    for number in range(50):
        watched.look(URL, _playlist(number))
        now[0] += 2.0
    assert watched.given_up_s == pytest.approx(98.0 + 100.0 + 6.0)


def test_one_that_grows_no_more_is_given_up(now: list[float]) -> None:
    watched = Watched()
    watched.look(URL, _playlist(5))
    now[0] += 5.9
    watched.look(URL, _playlist(5))
    now[0] += 0.2
    with pytest.raises(PlaylistStoppedError, match="nobody adds"):
        watched.look(URL, _playlist(5))


def test_one_that_was_written_long_ago_is_not_now(now: list[float]) -> None:
    with pytest.raises(PlaylistStoppedError, match="nobody adds"):
        Watched().look(URL, _playlist(5), 60.0)
    Watched().look(URL, _playlist(5), 3.0)


@pytest.mark.parametrize(("before", "after"), [((5, 3), (0, 1)), ((0, 4), (0, 1)), ((9, 3), (0, 3))])
def test_one_that_begins_anew_is_noticed(now: list[float], before: tuple[int, int], after: tuple[int, int]) -> None:
    watched = Watched()
    watched.look(URL, _playlist(*before))
    with pytest.raises(PlaylistStoppedError, match="begins anew"):
        watched.look(URL, _playlist(*after))
    watched.connect()
    watched.look(URL, _playlist(*after))  # nothing had been shown of it


def test_what_was_shown_is_not_shown_again(now: list[float]) -> None:
    watched = Watched()
    watched.look(URL, _playlist(5))
    watched.is_shown = True
    for _ in range(2):  # the connection broke, and the playlist is still the same
        watched.connect()
        with pytest.raises(PlaylistStoppedError, match="the one of before"):
            watched.look(URL, _playlist(5))
    watched.connect()
    watched.look(URL, _playlist(6))


@pytest.mark.parametrize(
    "text",
    ["", "\0\xff", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n", _playlist(1) + "#EXT-X-ENDLIST\n"],
)
def test_what_is_no_live_playlist_is_left_alone(now: list[float], text: str) -> None:
    watched = Watched()
    for _ in range(3):
        watched.look(URL, text, 900.0)
        now[0] += 900
    assert watched.given_up_s is None

"""The sound of streams from real servers, in recordings: in step with the pictures, and told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from seg_viewer.core.errors import UsageError
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.record import RecordJob, RecordProgress, RecordResult, run_record
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat
from seg_viewer.sources import LiveSource, open_source
from tests.servers.beeps import beeping, hls, offsets_s
from tests.servers.pushed import free_port, rtmp_server
from tests.servers.rtsp import RtspServer, why_not

IN_STEP_S = 0.04
ENCODER_S = {"mp3": 0.026}
"""What a sender's encoder delays the sound by without a word: measured by decoding what it makes."""


@contextmanager
def _stream(kind: str, folder: Path) -> Iterator[str]:
    if kind == "rtsp":
        if reason := why_not(encoders=("jpegenc", "lamemp3enc", "rtpmpapay")):
            pytest.skip(reason)
        with RtspServer(codec="mjpeg", sound="mp3", flash=1) as server:
            yield server.url
    elif kind == "rtmp":
        with rtmp_server(folder) as url, beeping(url, "flv", sound="pcm_alaw") as sent:
            sent.wait(12)
            yield url
    elif kind == "hls":
        with hls(folder, codec="hevc", sound="aac") as url:
            yield url
    else:
        port = free_port(socket.SOCK_DGRAM)
        with beeping(f"udp://127.0.0.1:{port}?pkt_size=1316", "mpegts", sound="libopus"):
            yield f"udp://127.0.0.1:{port}#timeout=20"


def _record(url: str, plan: RecordPlan, model: Path, pictures: int) -> RecordResult:
    def on_progress(progress: RecordProgress) -> None:
        if progress.frames >= pictures:
            raise KeyboardInterrupt  # the usual end

    job = RecordJob(url, plan, RunOptions(model=str(model)), duration_s=90.0, wait=True)
    return run_record(job, on_progress=on_progress)


@pytest.mark.parametrize(
    ("kind", "codec", "suffix", "told"),
    [
        ("rtsp", "mp3", ".mkv", ("mp3 copied", "mp3 copied")),
        ("rtmp", "pcm_s16le", ".mkv", ("pcm_alaw as pcm_s16le, without loss", "pcm_alaw encoded as aac")),
        ("hls", "aac", ".mp4", ("aac copied", "aac copied")),
        ("udp", "opus", ".mp4", ("opus copied", "opus copied")),
    ],
)
def test_sound_is_in_step(
    tmp_path: Path, model: Path, kind: str, codec: str, suffix: str, told: tuple[str, str]
) -> None:
    (tmp_path / "server").mkdir()
    with _stream(kind, tmp_path / "server") as url:
        result = _record(url, RecordPlan(tmp_path / "a.mp4", RecordWhat.BOTH), model, 45)
    assert result.problem == "" and [path.suffix for path in result.files] == [suffix, ".mp4"]
    for report, sound in zip(result.reports, told, strict=True):
        assert report.sound in (f"sound: {sound}", f"sound: {codec} encoded as aac")  # where it came too late to copy
        source = open_source(str(report.path))
        assert sum(1 for _frame in source) == report.pictures
        source.close()
    offsets = offsets_s(result.files[0])
    assert offsets and all(abs(offset - ENCODER_S.get(codec, 0.0)) < IN_STEP_S for offset in offsets)
    assert all(abs(offset - ENCODER_S.get(codec, 0.0)) < IN_STEP_S for offset in offsets_s(result.files[1]))
    with av.open(str(result.files[0])) as container:
        assert container.streams.audio[0].codec_context.name.startswith(codec)
        assert next(packet for packet in container.demux(video=0) if packet.size).is_keyframe


def test_no_sound_where_none_is_wanted_and_what_cannot_be_held_is_told(tmp_path: Path, model: Path) -> None:
    (tmp_path / "server").mkdir()
    with _stream("rtmp", tmp_path / "server") as url:
        source = open_source(url)
        assert isinstance(source, LiveSource)
        with pytest.raises(UsageError, match=r"mp4 cannot hold pcm_alaw sound; name it \.mkv"):
            Recording(RecordPlan(tmp_path / "a.mp4", RecordWhat.SOURCE), source, None)
        source.close()
        assert [path.name for path in tmp_path.iterdir()] == ["server"]
        result = _record(url, RecordPlan(tmp_path / "a.mp4", RecordWhat.SOURCE, sound=False), model, 5)
    assert result.problem == "" and result.reports[0].sound == "no sound"
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert not container.streams.audio


def test_where_nothing_is_named_a_folder_of_videos_gets_it(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from seg_viewer.cli.main import cli

    (tmp_path / "user-dirs.dirs").write_text(f'XDG_VIDEOS_DIR="{tmp_path}/Filme"\n', encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "server").mkdir()
    with _stream("rtmp", tmp_path / "server") as url:
        command = ["record", url, "--what", "source", "--duration", "2s"]
        done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    (made,) = (tmp_path / "Filme" / "seg-viewer").iterdir()
    assert made.suffix == ".mkv" and f"{made}: " in done.output and "pcm_alaw as pcm_s16le" in done.output

"""Recordings of live streams, by protocol and codec: whether they play, how long they are, how far the sound is off.

python -m benchmarks.live_recordings [--seconds 6] [--only TEXT]

A sender flashes and beeps each second at the same moment. Each stream is recorded as it comes in and with its overlay,
by a tiny model. "plays" asks ffmpeg (decodes all without a word), ffplay and this program (shows as many pictures as
were written). The offset is the worst over the flashes of a file; positive is late sound.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import av
import click

from seg_viewer.core.errors import SegViewerError
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.record import RecordJob, run_record
from seg_viewer.jobs.recording import RecordPlan, RecordWhat
from seg_viewer.sinks.recording_file import RecordedFile
from seg_viewer.sources import open_source
from tests.models import color_model
from tests.servers.beeps import beeping, hls, offsets_s, over_http, rtp_by_sdp
from tests.servers.pushed import free_port, rtmp_server
from tests.servers.rtsp import RtspServer, why_not

_NAMES = {"libmp3lame": "mp3", "libopus": "opus", "alaw": "G.711 A", "mulaw": "G.711 µ", "pcm_alaw": "G.711 A", "": "–"}
_SENDERS_OWN_MS = {("RTSP", "aac"): 36, ("RTSP", "mp3"): 25}
"""Delay of the sender's encoder, which it tells nobody (GStreamer's voaacenc and lame): measured without a network."""

_AS_TIMED = ("-vsync", "passthrough", "-enc_time_base", "-1")  # else ffmpeg puts pictures onto a steady rate


@contextmanager
def _rtsp(codec: str, sound: str) -> Iterator[str]:
    if reason := why_not():
        raise click.ClickException(reason)
    with RtspServer(codec=codec, sound=sound, flash=1, gop=12) as server:
        yield server.url


@contextmanager
def _rtmp(codec: str, sound: str) -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory() as folder,
        rtmp_server(Path(folder)) as url,
        beeping(url, "flv", codec=codec, sound=sound) as sent,
    ):
        sent.wait(12)
        yield url


@contextmanager
def _hls(codec: str, sound: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, hls(Path(folder), codec=codec, sound=sound) as url:
        yield url


@contextmanager
def _udp(codec: str, sound: str) -> Iterator[str]:
    port = free_port(socket.SOCK_DGRAM)
    with beeping(f"udp://127.0.0.1:{port}?pkt_size=1316", "mpegts", codec=codec, sound=sound):
        yield f"udp://127.0.0.1:{port}#timeout=10"


@contextmanager
def _sdp(codec: str, sound: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, rtp_by_sdp(Path(folder), codec=codec, sound=sound) as path:
        yield str(path)


def _http(container: str) -> Callable[[str, str], AbstractContextManager[str]]:
    return lambda codec, sound: over_http(container, codec=codec, sound=sound)


_ROWS: tuple[tuple[str, Callable[[str, str], AbstractContextManager[str]], str, str], ...] = (
    ("RTSP", _rtsp, "h264", "aac"),
    ("RTSP", _rtsp, "h264", "alaw"),
    ("RTSP", _rtsp, "hevc", "opus"),
    ("RTSP", _rtsp, "mjpeg", "mp3"),
    ("RTP by SDP file", _sdp, "av1", "libopus"),
    ("RTMP", _rtmp, "h264", "aac"),
    ("RTMP", _rtmp, "h264", "libmp3lame"),
    ("RTMP", _rtmp, "h264", "pcm_alaw"),
    ("HLS (TS)", _hls, "h264", "aac"),
    ("HLS (fMP4)", _hls, "hevc", "aac"),
    ("HLS (fMP4)", _hls, "av1", "aac"),
    ("TS/UDP", _udp, "h264", "aac"),
    ("TS/UDP", _udp, "hevc", "libopus"),
    ("HTTP (TS)", _http("mpegts"), "h264", "libmp3lame"),
    ("HTTP (FLV)", _http("flv"), "hevc", "aac"),
    ("HTTP (FLV)", _http("flv"), "av1", "aac"),
    ("HTTP (Matroska)", _http("matroska"), "mjpeg", "libopus"),
    ("HTTP (MJPEG)", _http("mpjpeg"), "mjpeg", ""),
)


@click.command(help=__doc__)
@click.option("--seconds", default=6.0)
@click.option("--only", default="", help="Rows that hold this text.")
def main(seconds: float, only: str) -> None:
    click.echo("| protocol | picture | sound | file | plays | length | pictures | first is key | sound | offset |")
    click.echo("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        options = RunOptions(model=str(color_model(Path(folder, "colors.onnx"))))
        for number, (protocol, serve, codec, sound) in enumerate(_ROWS):
            if only not in f"{protocol} {codec} {sound}":
                continue
            with ExitStack() as stack:
                start = f"| {protocol} | {codec} | {_NAMES.get(sound, sound)} |"
                try:
                    url = stack.enter_context(serve(codec, sound))
                    plan = RecordPlan(Path(folder, f"{number}.mp4"), RecordWhat.BOTH)
                    result = run_record(RecordJob(url, plan, options, duration_s=seconds, wait=True))
                except (SegViewerError, av.FFmpegError, ValueError) as error:
                    click.echo(f"{start} {error} |")
                    continue
                for report in result.reports:
                    own_ms = _SENDERS_OWN_MS.get((protocol, sound), 0)
                    click.echo(f"{start} {_row(report, own_ms)}")
                for line in (*result.warnings, *filter(None, [result.problem])):
                    click.echo(f"  {line}", err=True)


def _row(report: RecordedFile, own_ms: int) -> str:
    kind = "raw" if "_source" in report.path.name else "annotated"
    offsets = offsets_s(report.path) if report.sound.startswith("sound") else []
    offset = f"{max(offsets, key=abs) * 1000:+.0f} ms" if offsets else "–"
    if own_ms and offsets:
        offset += f" ({own_ms} of it the sender's)"
    with av.open(str(report.path)) as container:
        first = next(packet for packet in container.demux(video=0) if packet.size)
    missing = "".join(f"; {each}" for each in report.missing)
    return (
        f"{kind} {report.path.suffix} | {_plays(report)} | {report.seconds:.1f} s | {report.pictures} |"
        f" {'yes' if first.is_keyframe else 'NO'} | {report.sound.removeprefix('sound: ')}{missing} | {offset} |"
    )


def _plays(report: RecordedFile) -> str:
    """ "yes", or who does not play it."""
    bad = []
    quiet: dict[str, Any] = {"capture_output": True, "encoding": "utf-8", "timeout": 120}
    command = [shutil.which("ffmpeg") or "ffmpeg", "-v", "error", "-i", str(report.path), *_AS_TIMED, "-f", "null", "-"]
    done = subprocess.run(command, **quiet)
    if done.returncode or done.stderr.strip():
        bad.append(f"ffmpeg: {(done.stderr.strip().splitlines() or ['?'])[0]}")
    if player := shutil.which("ffplay"):
        silent = {**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
        command = [player, "-v", "error", "-autoexit", "-t", "1", str(report.path)]
        done = subprocess.run(command, env=silent, **quiet)
        if done.returncode or done.stderr.strip():
            bad.append(f"ffplay: {(done.stderr.strip().splitlines() or ['?'])[0]}")
    source = open_source(str(report.path))
    shown = sum(1 for _frame in source)
    source.close()
    if shown != report.pictures:
        bad.append(f"seg-viewer: {shown} pictures")
    return "; ".join(bad) or "yes"


if __name__ == "__main__":
    main()

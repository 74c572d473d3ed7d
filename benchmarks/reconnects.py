"""Memory, threads and descriptors over many reconnects: the server of the tests is killed and started again.

python -m benchmarks.reconnects [--times 100] [--http]
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

import click
import psutil

from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Pipeline, Policy
from seg_viewer.sources import NetworkStream
from seg_viewer.sources.address import parse_address
from seg_viewer.sources.live import Backoff
from tests.servers.http_video import HttpVideo
from tests.servers.rtsp import RtspServer, why_not


@click.command(help=__doc__)
@click.option("--times", default=100)
@click.option("--http", is_flag=True, help="MJPEG over HTTP instead of RTSP.")
def main(times: int, http: bool) -> None:
    if not http and (reason := why_not()):
        raise click.ClickException(reason)
    options = RunOptions()
    spec = options.read_spec()
    process = psutil.Process()
    server: HttpVideo | RtspServer = HttpVideo(Path(tempfile.mkdtemp())) if http else RtspServer()
    with server:
        url = server.url() if isinstance(server, HttpVideo) else server.url
        source = NetworkStream(parse_address(url), Backoff(0.05, 0.2))
        start_s = time.perf_counter()
        done = 0
        with Pipeline(source, options.segmenter(spec, "latency"), policy=Policy.LATEST) as pipeline:
            for number, shot in enumerate(pipeline):
                shot.frame.picture.scaled_bgra(shot.frame.picture.width, shot.frame.picture.height)
                if source.status.reconnects < done or number < 5:
                    continue
                if done in (0, 1, 5) or done % max(1, times // 10) == 0:
                    rss, threads = process.memory_info().rss / 2**20, threading.active_count()
                    click.echo(
                        f"{done:4d} reconnects  {rss:6.1f} MiB  {process.num_threads()} threads ({threads} of Python)"
                        f"  {process.num_fds()} descriptors"
                    )
                if done == times:
                    break
                server.kill()
                server.start()
                done += 1
    seconds = time.perf_counter() - start_s
    click.echo(f"{source.status.reconnects} reconnects in {seconds:.0f} s")


if __name__ == "__main__":
    main()

"""`python -m tests.carla_server`: prints its address, then serves until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

from tests.carla_server.scene import SCENES
from tests.carla_server.server import HOST, Server
from tests.carla_server.world import World


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.carla_server", description=__doc__)
    parser.add_argument("--port", type=int, default=2000, help="of the RPC; 0 takes a free one")
    parser.add_argument("--scene", choices=sorted(SCENES), default="demo", help="what the cameras see")
    parser.add_argument("--version", default="0.9.16", help="what the server says it is")
    parser.add_argument(
        "--mute", action="append", default=[], help="blueprint whose cameras never send; may be repeated"
    )
    parser.add_argument("--silent-after", type=int, default=0, help="answer nothing any more after so many ticks")
    parser.add_argument("--stop-at-removal", action="store_true", help="hang once, when a client removes an actor")
    parser.add_argument("--log", action="store_true", help="print every call to standard error")
    given = parser.parse_args()
    server = Server(
        World(SCENES[given.scene](), frozenset(given.mute)),
        given.version,
        given.silent_after,
        given.stop_at_removal,
        (lambda line: print(line, file=sys.stderr, flush=True)) if given.log else lambda _line: None,
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve(given.port, lambda port: print(f"{HOST}:{port}", flush=True)))


if __name__ == "__main__":
    main()

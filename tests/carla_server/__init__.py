"""A small CARLA server: speaks enough of CARLA 0.9.16's RPC and sensor streams for the official client library.

`python -m tests.carla_server` runs it; `CarlaServer` runs it as a process of its own, for tests; see `server.py`.
The protocol is that of LibCarla's public sources (carla-simulator/carla, `LibCarla/source/carla`: `rpc/`, `streaming/`,
`sensor/`). There is no simulation behind it: cars stand where they were spawned, cameras show a `Scene`.
"""

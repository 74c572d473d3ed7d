"""What a drive has left in the simulator, and how it is removed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SETTINGS = (
    "synchronous_mode",
    "no_rendering_mode",
    "fixed_delta_seconds",
    "substepping",
    "max_substep_delta_time",
    "max_substeps",
)
WEATHER = (
    "cloudiness",
    "precipitation",
    "precipitation_deposits",
    "wind_intensity",
    "sun_azimuth_angle",
    "sun_altitude_angle",
    "fog_density",
    "fog_distance",
    "fog_falloff",
    "wetness",
    "scattering_intensity",
    "mie_scattering_scale",
    "rayleigh_scattering_scale",
    "dust_storm",
)


@dataclass(frozen=True)
class Leftovers:
    """What must be removed from the simulator, or reset in it, when a drive ends.

    Args:
        actors: ids of what was spawned, oldest first.
        settings, weather: the world's own values of what was changed, by name.
        token: of the drive, see `journal.py`.
    """

    actors: tuple[int, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    weather: Mapping[str, float] = field(default_factory=dict)
    token: str = ""

    @property
    def is_something(self) -> bool:
        """There is something to remove or to reset."""
        return bool(self.actors or self.settings or self.weather)


def clean_up(
    carla: Any, client: Any, world: Any, leftovers: Leftovers, answered: Callable[[], object] = lambda: None
) -> None:
    """Destroy the actors, latest first, then put settings and weather back; `answered` is called after each step."""
    if leftovers.actors:
        client.apply_batch_sync([carla.command.DestroyActor(actor) for actor in reversed(leftovers.actors)], False)
        answered()
    if leftovers.settings:
        settings = world.get_settings()
        for key, value in leftovers.settings.items():
            setattr(settings, key, value)
        world.apply_settings(settings)
        answered()
    if leftovers.weather:
        weather = world.get_weather()
        for key, value in leftovers.weather.items():
            setattr(weather, key, value)
        world.set_weather(weather)
        # that call is only sent, not waited for: an answer to a later one says that it arrived before the client ends
        world.get_weather()


_SUBSTEP_S = 0.01


def set_clock(settings: Any, fps: float) -> Any:
    """Settings of a world that its client ticks, `fps` times a second of its own time; changed in place."""
    settings.synchronous_mode = True
    settings.no_rendering_mode = False
    settings.fixed_delta_seconds = 1 / fps
    # CARLA's physics wants fixed step ≤ substep × substeps
    settings.substepping, settings.max_substep_delta_time = True, _SUBSTEP_S
    settings.max_substeps = max(1, min(16, math.ceil(1 / fps / _SUBSTEP_S)))
    settings.max_substep_delta_time = max(_SUBSTEP_S, 1 / fps / settings.max_substeps)
    return settings

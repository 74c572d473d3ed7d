"""What a drive has to put back in the simulator."""

from __future__ import annotations

from collections.abc import Mapping
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
class Debt:
    """What is to be put back in the simulator.

    Args:
        actors: ids of what was spawned, oldest first.
        settings, weather: the world's own values of what was changed, by name.
    """

    actors: tuple[int, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    weather: Mapping[str, float] = field(default_factory=dict)


def settle(carla: Any, client: Any, world: Any, debt: Debt) -> None:
    """Destroy the actors, latest first, then put settings and weather back."""
    if debt.actors:
        client.apply_batch_sync([carla.command.DestroyActor(actor) for actor in reversed(debt.actors)], False)
    if debt.settings:
        settings = world.get_settings()
        for key, value in debt.settings.items():
            setattr(settings, key, value)
        world.apply_settings(settings)
    if debt.weather:
        weather = world.get_weather()
        for key, value in debt.weather.items():
            setattr(weather, key, value)
        world.set_weather(weather)
        # that call is only sent, not waited for: an answer to a later one says that it arrived before the client ends
        world.get_weather()

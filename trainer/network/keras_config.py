"""What the description of a network in a Keras file says, before Keras builds it."""

from __future__ import annotations

from typing import Any


def holds_code(config: Any) -> bool:
    """Whether a Lambda layer, or a lambda of another layer, is anywhere in the description of a network."""
    if isinstance(config, dict):
        return config.get("class_name") in ("Lambda", "__lambda__") or any(map(holds_code, config.values()))
    return isinstance(config, list) and any(map(holds_code, config))

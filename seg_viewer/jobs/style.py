"""How classes are painted, made from plain values that a person wrote."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.palette import CLASSIC, RGB, parse_color

Color = str | RGB
"""Of a class: "#rrggbb" or (red, green, blue), each 0…255."""


def style_of(
    opacity: float,
    hidden: Collection[str] = (),
    outline: bool = False,
    hatched: bool = False,
    palette: str = CLASSIC,
    colors: Mapping[str, Color] | None = None,
    labels: LabelSet | None = None,
    *,
    smooth: bool = True,
) -> OverlayStyle:
    """See `OverlayStyle`.

    Args:
        opacity, hidden, outline, hatched, palette, smooth: its fields; a single name may stand for `hidden`.
        colors: of single classes, by name.
        labels: the classes there are; None: names are not checked.

    Raises:
        UsageError: a value is none, or there is no such class.
    """
    names = (hidden,) if isinstance(hidden, str) else tuple(hidden)
    if labels is not None:
        check_names((*names, *(colors or ())), labels)
    if not 0 <= opacity <= 1:
        raise UsageError(f"opacity {opacity} is outside 0…1; choose 0 (unpainted) to 1 (flat colour)")
    try:
        given = {name: parse_color(each) if isinstance(each, str) else each for name, each in (colors or {}).items()}
        return OverlayStyle(opacity, frozenset(names), outline, hatched, palette, given, smooth)
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error


def check_names(names: Collection[str], labels: LabelSet) -> None:
    """Raises: UsageError: there is no such class."""
    for name in names:
        if name not in labels.names:
            raise UsageError(f"class '{name}': the model has no such class; it has {', '.join(labels.names)}")

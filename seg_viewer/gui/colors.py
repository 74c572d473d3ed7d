"""The colours of the window, light and dark. The picture's surroundings are dark in both."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colors:
    """Every colour that the window is painted in, as "#rrggbb".

    Text is `text`, `dim`, or what the notes below say; a pair that is used for text has a contrast of at least 4.5
    (WCAG 2.2, 1.4.3), which a test computes. `faint` is only for what is switched off.

    Args:
        is_dark: whether the surfaces are dark.
        background, panel, raised, hover, pressed: surfaces, from the back to the front.
        border: lines between surfaces.
        track: empty part of sliders and bars.
        hovered: of the seek bar, up to the pointer.
        text, dim, faint: ink; less important; switched off.
        accent: lines and marks that stand out, focus.
        fill, fill_hover, fill_focus, on_fill: the main button, its focus ring, and text on it.
        chosen: behind the chosen line of menus and lists, under `text`.
        selected, selected_border: a button that is on, a selected row.
        error, warning, info: behind messages, under `text`; and their borders.
        badge, live, lost: behind `on_fill`.
        good, caution, problem, recording: text.
        deep: shadow of bevels.
    """

    is_dark: bool
    background: str
    panel: str
    raised: str
    hover: str
    pressed: str
    border: str
    track: str
    hovered: str
    text: str
    dim: str
    faint: str
    accent: str
    fill: str
    fill_hover: str
    fill_focus: str
    on_fill: str
    chosen: str
    selected: str
    selected_border: str
    error: str
    error_border: str
    warning: str
    warning_border: str
    info: str
    info_border: str
    badge: str
    live: str
    lost: str
    good: str
    caution: str
    problem: str
    recording: str
    deep: str


DARK = Colors(
    is_dark=True,
    background="#14171c",
    panel="#1c2027",
    raised="#272d37",
    hover="#303846",
    pressed="#343c49",
    border="#343c49",
    track="#343c49",
    hovered="#4a5566",
    text="#e8ebf0",
    dim="#a3adbb",
    faint="#6d7786",
    accent="#5c9aff",
    fill="#2463c9",
    fill_hover="#2b6cd6",
    fill_focus="#cfe0ff",
    on_fill="#ffffff",
    chosen="#215bb9",
    selected="#24406b",
    selected_border="#365d99",
    error="#5b2328",
    error_border="#8d3a42",
    warning="#54431a",
    warning_border="#86702f",
    info="#1d3a5f",
    info_border="#33608f",
    badge="#5f6876",
    live="#b3262e",
    lost="#806a2a",
    good="#7fd18b",
    caution="#e3c26b",
    problem="#ff9095",
    recording="#ff7a7f",
    deep="#0e1115",
)

LIGHT = Colors(
    is_dark=False,
    background="#f4f5f7",
    panel="#ffffff",
    raised="#e8ebf0",
    hover="#dde2e9",
    pressed="#cfd5de",
    border="#c3cad4",
    track="#c3cad4",
    hovered="#9aa5b4",
    text="#1a1f27",
    dim="#4f5968",
    faint="#98a1ae",
    accent="#1a5fd0",
    fill="#1f5fc6",
    fill_hover="#1a53ae",
    fill_focus="#030c20",
    on_fill="#ffffff",
    chosen="#cfe0fb",
    selected="#cfe0fb",
    selected_border="#6f9be0",
    error="#fbdcde",
    error_border="#d98088",
    warning="#fbeecb",
    warning_border="#c9a94a",
    info="#d9e8fb",
    info_border="#86aee0",
    badge="#5f6876",
    live="#b3262e",
    lost="#75601f",
    good="#17642e",
    caution="#6b4e00",
    problem="#a81c27",
    recording="#b8232d",
    deep="#aab2be",
)

PICTURE = "#0a0c0f"
"""Around the picture, light or dark."""
ON_PICTURE = "#a3adbb"
"""Text there."""

TEXT_ON: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("text", ("background", "panel", "raised", "hover", "pressed", "chosen", "selected", "error", "warning", "info")),
    ("dim", ("background", "panel", "raised", "selected")),
    ("on_fill", ("fill", "fill_hover", "badge", "live", "lost")),
    ("good", ("background", "panel", "selected")),
    ("caution", ("background", "panel", "selected")),
    ("problem", ("background", "panel", "selected")),
    ("recording", ("background", "panel", "raised")),
)
"""Which text may stand on which surface."""

FOCUS_ON: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("accent", ("background", "panel", "raised", "border", "track")),
    ("fill_focus", ("fill", "background", "panel")),
)
"""Which focus ring is beside which colour: a contrast of at least 3 to one side of it (WCAG 2.2, 1.4.11)."""

_current = [DARK]


def colors() -> Colors:
    """Those of the present theme: ask at each painting, the theme may change at any time."""
    return _current[0]


def set_colors(new: Colors) -> None:
    """For `Theme` alone: others would not repaint."""
    _current[0] = new

"""The look: Fusion, dark, few colours."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import SegViewerError

BACKGROUND = "#14171c"
PANEL = "#1c2027"
RAISED = "#272d37"
BORDER = "#343c49"
TEXT = "#e8ebf0"
DIM = "#a3adbb"
FAINT = "#6d7786"
ACCENT = "#4d90fe"
ACCENT_DARK = "#2463c9"
ERROR = "#5b2328"
WARNING = "#54431a"
INFO = "#1d3a5f"

STYLE_SHEET = f"""
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {BORDER}; padding: 4px 6px; }}
QMenuBar {{ background: {PANEL}; border-bottom: 1px solid {BORDER}; padding: 1px 4px; }}
QMenuBar::item {{ padding: 5px 10px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {RAISED}; }}
QMenu {{ background: {PANEL}; border: 1px solid {BORDER}; padding: 4px; }}
QMenu::item {{ padding: 5px 26px 5px 26px; border-radius: 4px; }}
QMenu::item:selected {{ background: {ACCENT_DARK}; }}
QMenu::item:disabled {{ color: {FAINT}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {BORDER}; margin: 4px 8px; }}
QMenu::icon {{ padding-left: 6px; }}
#controls {{ background: {PANEL}; border-top: 1px solid {BORDER}; }}
#controls[floating="true"] {{ border: 1px solid {BORDER}; border-radius: 10px; }}
#panel {{ background: {PANEL}; border-left: 1px solid {BORDER}; }}
#panel QScrollArea, #panel QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
#heading {{ color: {DIM}; font-weight: 600; letter-spacing: 1px; }}
#dim {{ color: {DIM}; }}
#title {{ font-size: 26pt; font-weight: 600; }}
#lead {{ font-size: 12pt; color: {DIM}; }}
QToolButton {{ border: 1px solid transparent; border-radius: 6px; padding: 5px; background: transparent; }}
QToolButton:hover:enabled {{ background: {RAISED}; }}
QToolButton:pressed {{ background: {BORDER}; }}
QToolButton:checked {{ background: #24406b; border-color: #365d99; }}
QToolButton:focus {{ border-color: {ACCENT}; }}
QToolButton:disabled {{ color: {FAINT}; }}
QToolButton::menu-indicator {{ width: 11px; height: 11px; subcontrol-position: right center; right: 5px; }}
QToolButton#section {{ text-align: left; color: {DIM}; font-weight: 600; padding: 3px 2px; }}
QToolButton#section:checked {{ background: transparent; border-color: transparent; }}
QToolButton#section:hover:enabled {{ background: {RAISED}; }}
QToolButton#section:focus {{ border-color: {ACCENT}; }}
#count {{ color: {DIM}; font-weight: 600; }}
#notices, #notices > QWidget > QWidget {{ background: transparent; }}
QToolButton[bare="true"]::menu-indicator {{ image: none; width: 0px; }}
QSplitter::handle {{ background: {BORDER}; }}
QSplitter::handle:hover {{ background: {ACCENT}; }}
QToolButton[popup="true"] {{ padding-right: 20px; }}
QPushButton {{ background: {RAISED}; border: 1px solid {BORDER}; border-radius: 6px; padding: 6px 14px; }}
QPushButton {{ min-height: 18px; }}
QPushButton:hover {{ background: #303846; }}
QPushButton:pressed {{ background: {BORDER}; }}
QPushButton:focus {{ border-color: {ACCENT}; }}
QPushButton:disabled {{ color: {FAINT}; background: {PANEL}; }}
QPushButton#primary {{ background: {ACCENT_DARK}; border-color: {ACCENT_DARK}; color: white; font-weight: 600; }}
QPushButton#primary:hover {{ background: #2f72df; }}
QPushButton#primary:focus {{ border-color: #cfe0ff; }}
QPushButton#primary:disabled {{ background: {RAISED}; border-color: {BORDER}; color: {FAINT}; }}
QPushButton[big="true"] {{ min-height: 30px; padding: 6px 26px; font-size: 12pt; }}
QPushButton#recent {{ background: transparent; border-color: transparent; text-align: left; padding: 5px 10px; }}
QPushButton#recent:hover {{ background: {RAISED}; }}
QPushButton#recent:focus {{ border-color: {ACCENT}; }}
QLineEdit, QComboBox {{ background: {BACKGROUND}; border: 1px solid {BORDER}; border-radius: 6px; padding: 5px 8px; }}
QLineEdit:focus, QComboBox:focus {{ border-color: {ACCENT}; }}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {PANEL}; border: 1px solid {BORDER}; }}
QProgressBar {{ background: {BACKGROUND}; border: 1px solid {BORDER}; border-radius: 6px; height: 16px; }}
QProgressBar {{ text-align: center; }}
QProgressBar::chunk {{ background: {ACCENT_DARK}; border-radius: 5px; }}
QCheckBox {{ spacing: 8px; }}
QCheckBox::indicator {{ width: 15px; height: 15px; border: 1px solid {FAINT}; border-radius: 4px; }}
QCheckBox::indicator {{ background: {BACKGROUND}; }}
QCheckBox::indicator:hover {{ border-color: {TEXT}; }}
QCheckBox::indicator:checked {{ background: {ACCENT_DARK}; border-color: {ACCENT_DARK}; }}
QCheckBox:focus {{ color: white; }}
QCheckBox::indicator:focus {{ border-color: {ACCENT}; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {BORDER}; }}
QSlider::sub-page:horizontal {{ background: {ACCENT}; border-radius: 2px; }}
QSlider::sub-page:horizontal:disabled {{ background: {BORDER}; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: {TEXT}; }}
QSlider::handle:horizontal:disabled {{ background: {FAINT}; }}
QSlider::handle:horizontal:focus {{ background: {ACCENT}; }}
#message {{ border-radius: 6px; }}
#message[kind="error"] {{ background: {ERROR}; border: 1px solid #8d3a42; }}
#message[kind="warning"] {{ background: {WARNING}; border: 1px solid #86702f; }}
#message[kind="info"] {{ background: {INFO}; border: 1px solid #33608f; }}
#badge {{ color: white; font-weight: 600; border-radius: 5px; padding: 3px 10px; background: {FAINT}; }}
#badge[kind="live"] {{ background: #b3262e; }}
#badge[kind="lost"] {{ background: #86702f; }}
#recording {{ color: #ff6b70; font-weight: 600; }}
#problem {{ color: #ff9095; }}
QPlainTextEdit#plan {{ background: {PANEL}; color: {DIM}; border: 1px solid {BORDER}; border-radius: 6px; }}
QPlainTextEdit#plan {{ padding: 4px; }}
QPlainTextEdit#plan:disabled {{ color: {FAINT}; }}
QPlainTextEdit#plan:focus {{ border-color: {ACCENT}; }}
QPlainTextEdit#plan[problem="true"] {{ color: #ff9095; }}
QTreeWidget#queue {{ background: {BACKGROUND}; border: 1px solid {BORDER}; border-radius: 6px; }}
QTreeWidget#queue:focus {{ border-color: {ACCENT}; }}
QTreeWidget#queue::item {{ padding: 0 5px; }}
QTreeWidget#queue::item:selected {{ background: #24406b; }}
QHeaderView::section {{ background: {PANEL}; color: {DIM}; border: none; padding: 5px 8px; }}
QListWidget {{ background: {BACKGROUND}; border: 1px solid {BORDER}; border-radius: 6px; padding: 4px; }}
QListWidget::item {{ padding: 4px; border-radius: 4px; }}
QListWidget::item:selected {{ background: {ACCENT_DARK}; }}
#message QPushButton {{ background: transparent; border-color: {DIM}; padding: 2px 10px; }}
#key {{ background: {RAISED}; border: 1px solid {BORDER}; border-radius: 4px; padding: 1px 7px; }}
"""


def apply_theme(app: QApplication) -> None:
    app.setStyle(QStyleFactory.create("Fusion"))
    palette = QPalette()
    role = QPalette.ColorRole
    for where, color in {
        role.Window: BACKGROUND,
        role.WindowText: TEXT,
        role.Base: BACKGROUND,
        role.AlternateBase: PANEL,
        role.Text: TEXT,
        role.Button: RAISED,
        role.ButtonText: TEXT,
        role.BrightText: "#ffffff",
        role.ToolTipBase: RAISED,
        role.ToolTipText: TEXT,
        role.PlaceholderText: FAINT,
        role.Highlight: ACCENT_DARK,
        role.HighlightedText: "#ffffff",
        role.Link: ACCENT,
        role.Light: BORDER,
        role.Midlight: BORDER,
        role.Mid: BORDER,
        role.Dark: "#0e1115",
        role.Shadow: "#000000",
    }.items():
        palette.setColor(where, QColor(color))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(FAINT))
    app.setPalette(palette)
    app.setStyleSheet(STYLE_SHEET + _pictures())


_PICTURES = {
    "QCheckBox::indicator:checked": "check",
    "QComboBox::down-arrow": "chevron",
    "QToolButton::menu-indicator": "chevron",
}


def _pictures() -> str:
    rules = []
    for where, name in _PICTURES.items():
        try:
            rules.append(f'{where} {{ image: url("{asset_path("icons", f"{name}.svg").as_posix()}"); }}')
        except SegViewerError:
            continue
    return "\n".join(rules)


@cache
def icon(name: str) -> QIcon:
    """One of our own icons; empty where it did not come with the installation."""
    try:
        return QIcon(str(asset_path("icons", f"{name}.svg")))
    except SegViewerError:
        return QIcon()

"""How each kind of widget looks; `$name` is a field of `seg_viewer.gui.colors.Colors`."""

from __future__ import annotations

STYLE_SHEET = """
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 4px 6px; }
QMenuBar { background: $panel; border-bottom: 1px solid $border; padding: 1px 4px; }
QMenuBar::item { padding: 5px 10px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $raised; }
QMenu { background: $panel; border: 1px solid $border; padding: 4px; }
QMenu::item { padding: 5px 26px 5px 26px; border-radius: 4px; }
QMenu::item:selected { background: $chosen; }
QMenu::item:disabled { color: $faint; background: transparent; }
QMenu::separator { height: 1px; background: $border; margin: 4px 8px; }
QMenu::icon { padding-left: 6px; }
#controls { background: $panel; border-top: 1px solid $border; }
#controls[floating="true"] { border: 1px solid $border; border-radius: 10px; }
#panel { background: $panel; border-left: 1px solid $border; }
#panel QScrollArea, #panel QScrollArea > QWidget > QWidget { background: transparent; border: none; }
#heading { color: $dim; font-weight: 600; letter-spacing: 1px; }
#dim { color: $dim; }
#title { font-size: 26pt; font-weight: 600; }
#lead { font-size: 12pt; color: $dim; }
QToolButton { border: 1px solid transparent; border-radius: 6px; padding: 5px; background: transparent; }
QToolButton:hover:enabled { background: $raised; }
QToolButton:pressed { background: $pressed; }
QToolButton:checked { background: $selected; border-color: $selected_border; }
QToolButton:focus { border: 2px solid $accent; padding: 4px; }
QToolButton:disabled { color: $faint; }
QToolButton::menu-indicator { width: 11px; height: 11px; subcontrol-position: right center; right: 5px; }
QToolButton[popup="true"] { padding-right: 20px; }
QToolButton#section { text-align: left; color: $dim; font-weight: 600; padding: 3px 0px; margin-left: -6px; }
QToolButton#section:checked { background: transparent; border-color: transparent; }
QToolButton#section:hover:enabled { background: $raised; }
QToolButton#section:focus { border: 1px solid $accent; padding: 3px 0px; }
#count { color: $dim; font-weight: 600; }
#notices, #notices > QWidget > QWidget { background: transparent; }
QToolButton[bare="true"]::menu-indicator { image: none; width: 0px; }
QSplitter::handle { background: $border; }
QSplitter::handle:hover { background: $accent; }
QPushButton { background: $raised; border: 1px solid $border; border-radius: 6px; padding: 6px 14px; }
QPushButton { min-height: 18px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $pressed; }
QPushButton:focus { border: 2px solid $accent; padding: 5px 13px; }
QPushButton:disabled { color: $faint; background: $panel; }
QPushButton#primary { background: $fill; border-color: $fill; color: $on_fill; font-weight: 600; }
QPushButton#primary:hover { background: $fill_hover; color: $on_fill; }
QPushButton#primary:focus { border: 2px solid $fill_focus; }
QPushButton#primary:disabled { background: $raised; border-color: $border; color: $faint; }
QPushButton[big="true"] { min-height: 30px; padding: 6px 26px; font-size: 12pt; }
QPushButton[big="true"]:focus { padding: 5px 25px; }
QPushButton#recent { background: transparent; border-color: transparent; text-align: left; padding: 5px 10px; }
QPushButton#recent:hover { background: $raised; }
QPushButton#recent:focus { border-color: $accent; padding: 4px 9px; }
QLineEdit, QComboBox, QAbstractSpinBox { background: $background; border: 1px solid $border; border-radius: 6px; }
QLineEdit, QComboBox { padding: 4px 8px; min-height: 1.3em; }
QLineEdit:focus, QComboBox:focus { border: 2px solid $accent; padding: 3px 7px; }
QAbstractSpinBox { padding: 1px; }
QAbstractSpinBox:focus { border: 2px solid $accent; padding: 0px; }
QAbstractSpinBox QLineEdit, QAbstractSpinBox QLineEdit:focus { border: none; padding: 4px 7px; min-height: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; width: 20px; background: transparent; }
QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow { width: 10px; height: 10px; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $panel; border: 1px solid $border; }
QProgressBar { background: $background; border: 1px solid $border; border-radius: 6px; height: 16px; }
QProgressBar { text-align: center; }
QProgressBar::chunk { background: $fill; border-radius: 5px; }
QCheckBox { spacing: 8px; }
QCheckBox::indicator { width: 15px; height: 15px; border: 1px solid $faint; border-radius: 4px; }
QCheckBox::indicator { background: $background; }
QCheckBox::indicator:hover { border-color: $text; }
QCheckBox::indicator:checked { background: $fill; border-color: $fill; }
QCheckBox { border: 2px solid transparent; border-radius: 5px; }
QCheckBox:focus { border-color: $accent; }
QCheckBox::indicator:focus { border-color: $accent; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $track; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::sub-page:horizontal:disabled { background: $track; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: $text; }
QSlider::handle:horizontal:disabled { background: $faint; }
QSlider::handle:horizontal:focus { background: $accent; border: 2px solid $text; width: 10px; height: 10px; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $track; border-radius: 4px; margin: 1px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
#popup { background: $panel; border: 1px solid $border; }
#message { border-radius: 6px; }
#message[kind="error"] { background: $error; border: 1px solid $error_border; }
#message[kind="warning"] { background: $warning; border: 1px solid $warning_border; }
#message[kind="info"] { background: $info; border: 1px solid $info_border; }
#badge { color: $on_fill; font-weight: 600; border-radius: 5px; padding: 3px 10px; background: $badge; }
#badge[kind="live"] { background: $live; color: $on_fill; }
#badge[kind="lost"] { background: $lost; color: $on_fill; }
#tile { border: 2px solid transparent; border-radius: 3px; }
#tile[current="true"] { border-color: $accent; }
#deadline { color: $dim; }
#deadline[kept="false"] { color: $recording; font-weight: 600; }
#recording { color: $recording; font-weight: 600; }
#problem { color: $problem; }
QPlainTextEdit#plan { background: $panel; color: $dim; border: 1px solid $border; border-radius: 6px; }
QPlainTextEdit#plan { padding: 4px; }
QPlainTextEdit#plan:disabled { color: $faint; }
QPlainTextEdit#plan:focus { border-color: $accent; }
QPlainTextEdit#plan[problem="true"] { color: $problem; }
QTreeWidget#queue { background: $background; border: 1px solid $border; border-radius: 6px; }
QTreeWidget#queue:focus { border-color: $accent; }
QTreeWidget#queue::item { padding: 0 5px; }
QTreeWidget#queue::item:selected { background: $selected; color: $text; }
QHeaderView::section { background: $panel; color: $dim; border: none; padding: 5px 8px; }
QListWidget { background: $background; border: 1px solid $border; border-radius: 6px; padding: 4px; }
QListWidget::item { padding: 4px; border-radius: 4px; }
QListWidget::item:selected { background: $chosen; color: $text; }
#message QPushButton { background: transparent; border-color: $dim; padding: 2px 10px; }
#key { background: $raised; border: 1px solid $border; border-radius: 4px; padding: 1px 7px; }
"""

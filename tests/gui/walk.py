"""Looks at widgets as a person does: what can be pressed, what is cut off, what lies over what."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QWidget,
)

from seg_viewer.gui.widgets.plain import ElidedLabel

INTERACTIVE = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, QAbstractSpinBox)


def shown(top: QWidget, kind: type | tuple[type, ...] = QWidget) -> list[QWidget]:
    """Widgets of a kind in the window `top` that are not hidden; parts of Qt's own composite widgets are not ours."""
    found = [widget for widget in top.findChildren(QWidget) if isinstance(widget, kind) and widget.isVisible()]
    return [widget for widget in found if widget.window() is top and not _is_inner(widget)]


def _is_inner(widget: QWidget) -> bool:
    name = widget.objectName()
    return isinstance(widget, QScrollBar) or name.startswith("qt_") or isinstance(widget.parent(), QComboBox)


def in_window(widget: QWidget) -> QRect:
    """Where it is in its window."""
    return QRect(widget.mapTo(widget.window(), QPoint(0, 0)), widget.size())


def name_of(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, (QAbstractButton, QLabel)) else ""
    return f"{type(widget).__name__} {widget.objectName() or widget.accessibleName() or text!r}"


def _scrolled(widget: QWidget, top: QWidget) -> bool:
    """Whether it lies in something that can be scrolled: then being out of sight is no fault."""
    parent = widget.parentWidget()
    while parent is not None and parent is not top:
        if isinstance(parent, QScrollArea):
            return True
        parent = parent.parentWidget()
    return False


def faults(top: QWidget) -> list[str]:
    """What is cut off, and what lies over what."""
    return [*_cut(top), *_overlapping(top)]


def _cut(top: QWidget) -> Iterator[str]:
    for widget in shown(top, (*INTERACTIVE, QLabel)):
        if isinstance(widget, QLabel) and not widget.text():
            continue
        parent = widget.parentWidget()
        while parent is not None:
            inside = QRect(widget.mapTo(parent, QPoint(0, 0)), widget.size())
            if inside.left() < 0 or inside.right() >= parent.width():
                yield f"{name_of(widget)} is cut at the side by {name_of(parent)}: {inside}, {parent.size()}"
                break
            if not _scrolled(widget, top) and (inside.top() < 0 or inside.bottom() >= parent.height()):
                yield f"{name_of(widget)} is cut at the top or bottom by {name_of(parent)}: {inside}, {parent.size()}"
                break
            parent = parent.parentWidget() if parent is not top else None
        if isinstance(widget, QLabel) and not widget.wordWrap() and not isinstance(widget, ElidedLabel):
            needed = widget.fontMetrics().size(0, widget.text()).width()
            if needed > widget.contentsRect().width():
                yield f"{name_of(widget)}: text of {needed} in {widget.contentsRect().width()} pixels"
        if isinstance(widget, QLabel) and widget.wordWrap() and widget.heightForWidth(widget.width()) > widget.height():
            yield f"{name_of(widget)}: {widget.heightForWidth(widget.width())} high in {widget.height()} pixels"
        if isinstance(widget, QAbstractButton) and widget.width() < widget.minimumSizeHint().width():
            yield f"{name_of(widget)} is {widget.width()} wide, needs {widget.minimumSizeHint().width()}"


def _overlapping(top: QWidget) -> Iterator[str]:
    by_parent: dict[QWidget, list[QWidget]] = {}
    for widget in shown(top, (*INTERACTIVE, QLabel)):
        by_parent.setdefault(widget.parentWidget(), []).append(widget)
    for siblings in by_parent.values():
        for place, one in enumerate(siblings):
            for other in siblings[place + 1 :]:
                if one.geometry().intersects(other.geometry()):
                    yield f"{name_of(one)} lies over {name_of(other)}"


def tab_chain(top: QWidget, most: int = 200) -> list[QWidget]:
    """What has the focus after each press of Tab, until it is where it began."""
    chain: list[QWidget] = []
    for _press in range(most):
        QTest.keyClick(QApplication.focusWidget() or top, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        if focused in chain:
            return chain
        chain.append(focused)
    raise AssertionError("Tab does not come round")


def unnamed(top: QWidget) -> list[str]:
    """What can be used, but has no name for a screen reader."""
    found = []
    for widget in shown(top):
        can_focus = widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        if not isinstance(widget, INTERACTIVE) and not can_focus:
            continue
        said = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
        if not said.strip("&⋯… "):
            found.append(f"{name_of(widget)} in {name_of(widget.parentWidget())}")
    return found


BARE = {"ok", "yes", "no", "apply"}


def bare_words(top: QWidget) -> list[str]:
    """Buttons that do not say what they do."""
    buttons = [button for button in shown(top, QAbstractButton) if isinstance(button, QAbstractButton)]
    return [button.text() for button in buttons if button.text().replace("&", "").strip().lower() in BARE]

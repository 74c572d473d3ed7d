"""One of the sources that were opened last: its picture, name, folder and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QImage, QPainter, QPainterPath, QPaintEvent, QPalette
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from seg_viewer.gui.opening import short_name
from seg_viewer.gui.theme import icon
from seg_viewer.gui.widgets.plain import plain_action, plain_tip
from seg_viewer.gui.words import t
from seg_viewer.sources import is_live

PICTURE = QSize(64, 36)
_GAP = 10
_PAD = 5
_ROUND = 4
_ICON = 20
_FADED = 0.4
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not `%b`, which is of the system's language, not of the window's."""


@dataclass(frozen=True)
class RecentItem:
    """A source that was opened.

    Args:
        source: as it may be shown.
        opened_at: when, seconds since 1970; 0 where nobody knows.
        picture: of it, or None.
        missing: its file is not there any more.
    """

    source: str
    opened_at: int = 0
    picture: QImage | None = None
    missing: bool = False

    @property
    def name(self) -> str:
        return short_name(self.source)

    @property
    def where(self) -> str:
        """Folder and day, or what became of it."""
        kind = t("live") if is_live(self.source) else str(Path(self.source).parent)
        return "  ·  ".join(part for part in (kind, self.when) if part)

    @property
    def when(self) -> str:
        if self.missing:
            return t("not there any more")
        return day_text(datetime.fromtimestamp(self.opened_at), datetime.now()) if self.opened_at else ""

    def icon(self) -> QIcon:
        return icon("live" if is_live(self.source) else "open" if Path(self.source).suffix else "folder")


def day_text(day: datetime, now: datetime) -> str:
    """ "today, 14:03", "yesterday, 9:15", "3 Mar 2026"."""
    days = (now.date() - day.date()).days
    if days in (0, 1):
        return t(("today, {time}", "yesterday, {time}")[days], time=f"{day.hour}:{day:%M}")
    return t("{day} {month} {year}", day=day.day, month=t(MONTHS[day.month - 1]), year=day.year)


class RecentButton(QAbstractButton):
    """Opens a source again; not a `QPushButton`, whose style sheet would say how high it is.

    Args:
        item: the source.
    """

    def __init__(self, item: RecentItem, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recent")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._room = 400
        self.item = item
        self.show_item(item)

    def show_item(self, item: RecentItem) -> None:
        """The same source, of which more is known."""
        self.item = item
        live = is_live(item.source)
        self.setText(plain_action(item.source if live else f"{item.name}   —   {Path(item.source).parent}"))
        self.setToolTip(plain_tip(item.source))
        name = "Open {name}, not there any more" if item.missing else "Open {name}"
        self.setAccessibleName(t(name, name=item.source))
        self.updateGeometry()
        self.update()

    def set_room(self, pixels: int) -> None:
        """How wide its words may be."""
        self._room = pixels
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        words = max(self._width(self.item.name, bold=True), self._width(self.item.where, bold=False))
        lines = self.fontMetrics().lineSpacing() * 2
        width = PICTURE.width() + _GAP + min(words, self._room) + 2 * _GAP
        return QSize(width, max(PICTURE.height(), lines) + 2 * _PAD)

    def minimumSizeHint(self) -> QSize:
        return QSize(PICTURE.width() + 80, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_ground(painter)
        if self.item.missing:
            painter.setOpacity(_FADED)
        area = self.rect().adjusted(_GAP, _PAD, -_GAP, -_PAD)
        frame = QRect(area.left(), area.center().y() - PICTURE.height() // 2, PICTURE.width(), PICTURE.height())
        self._paint_picture(painter, frame)
        words = area.adjusted(PICTURE.width() + _GAP, 0, 0, 0)
        half = words.height() // 2
        self._paint_line(painter, words.adjusted(0, 0, 0, -half), self.item.name, bold=True)
        self._paint_line(painter, words.adjusted(0, half, 0, 0), self.item.where, bold=False)
        painter.end()

    def _paint_ground(self, painter: QPainter) -> None:
        colors = self.palette()
        ground = QPalette.ColorRole.Mid if self.isDown() else QPalette.ColorRole.Button
        hover = self.underMouse() or self.isDown()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(colors.color(QPalette.ColorRole.Link) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(colors.color(ground) if hover else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _paint_picture(self, painter: QPainter, frame: QRect) -> None:
        picture = self.item.picture
        if picture is None or picture.isNull():
            symbol = QRect(0, 0, _ICON, _ICON)
            symbol.moveCenter(frame.center())
            self.item.icon().paint(painter, symbol)
            return
        size = picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
        at = QRect(frame.topLeft(), size)
        at.moveCenter(frame.center())
        painter.save()
        path = QPainterPath()
        path.addRoundedRect(at, _ROUND, _ROUND)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setClipPath(path)
        painter.drawImage(at, picture)
        painter.restore()

    def _paint_line(self, painter: QPainter, where: QRect, text: str, *, bold: bool) -> None:
        font = self.font()
        font.setBold(bold)
        painter.setFont(font)
        color = self.palette().color(QPalette.ColorRole.WindowText)
        if not bold:
            color.setAlphaF(0.65)
        painter.setPen(color)
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, where.width())
        painter.drawText(where, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), elided)

    def _width(self, text: str, *, bold: bool) -> int:
        font = self.font()
        font.setBold(bold)
        return self.fontMetrics().horizontalAdvance(text) + (len(text) if bold else 4)

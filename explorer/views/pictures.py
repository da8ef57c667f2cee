"""One picture on a fixed grey scale."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QFont,
    QFontMetrics,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QFileDialog, QSizePolicy, QWidget

from core.shapes import Picture
from explorer.theme import current_palette
from explorer.views.ground import paint_ground, stand_on_ground
from explorer.views.scaling import to_draw, wrapped

_CAPTION_GAP = 3


class PictureView(QWidget):
    """One picture (height, width), black at 0 and white at 255 whatever its own least and greatest values are."""

    painted = Signal(int)
    """After a paint: the serial of the picture that is now on the screen."""
    failed = Signal(str)
    """A picture could not be saved: which file and why."""

    def __init__(
        self, caption: str = "", tip: str = "", *, caption_lines: int = 1, fill: bool = False, least_side: int = 56
    ) -> None:
        """Make an empty view; `fill` gives up whole-number zoom to use all the room, for small pictures."""
        super().__init__()
        self._caption = caption
        self._caption_lines = caption_lines
        # The caption's height, measured once: every picture of a drag asks for it several times.
        self._caption_px: int | None = None
        self._placeholder = ""
        self._fill = fill
        self._smooth = False
        self._least_side = least_side
        self._picture: Picture | None = None
        self._shown = QImage()
        self._shown_at = QSize()
        # Asked for twice a movement of the hand, and the same for all of them.
        self._placed = QRectF()
        self._placed_for: tuple[object, ...] = ()
        self._serial = 0
        self._name = " ".join(caption.split()) or "picture"
        self.setAccessibleName(self._name)
        self.setToolTip(tip)
        stand_on_ground(self)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.copy_action = QAction("Copy picture", self)
        self.copy_action.setShortcut(QKeySequence.StandardKey.Copy)
        self.copy_action.triggered.connect(self.copy_picture)
        self.save_action = QAction("Save picture as PNG…", self)
        self.save_action.triggered.connect(self._ask_for_file)
        for action in (self.copy_action, self.save_action):
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.setEnabled(False)
            self.addAction(action)

    @property
    def picture(self) -> Picture | None:
        """The picture shown."""
        return self._picture

    @property
    def serial(self) -> int:
        """How many different pictures were set so far; the present one's number."""
        return self._serial

    def set_picture(self, picture: Picture | None) -> int:
        """Show a picture, or the placeholder for None.  Return its serial, which `painted` will say."""
        if picture is self._picture:
            return self._serial
        self._serial += 1
        before = None if self._picture is None else self._picture.shape
        if picture is None or picture.size == 0:
            self._picture = None
        else:
            self._picture = np.ascontiguousarray(picture)
        self._shown_at = QSize()
        shape = None if self._picture is None else self._picture.shape
        if before == shape:
            # Only the picture is new; painting the caption takes longer than painting it.
            self.update(self.picture_rect().toAlignedRect())
            return self._serial
        self._describe()
        self.update()
        return self._serial

    def set_caption(self, caption: str) -> None:
        """Show another caption, of as many lines as before."""
        if caption != self._caption:
            self._caption = caption
            self._name = " ".join(caption.split()) or "picture"
            self.setAccessibleName(self._name)
            self.update()

    def set_placeholder(self, text: str) -> None:
        """Set the sentence shown while there is no picture."""
        if text != self._placeholder:
            self._placeholder = text
            self._describe()
            self.update()

    def set_smooth(self, smooth: bool) -> None:  # noqa: FBT001
        """Interpolate between pixels instead of showing them as squares."""
        if smooth != self._smooth:
            self._smooth, self._shown_at = smooth, QSize()
            self.update()

    def image(self) -> QImage:
        """Return a copy of the picture at its own size; null when there is none."""
        return QImage() if self._picture is None else wrapped(self._picture).copy()

    def picture_rect(self) -> QRectF:
        """Return where the picture is painted, in the widget's coordinates; empty when there is none."""
        if self._picture is None:
            return QRectF()
        placed_for = (self.width(), self.height(), self.devicePixelRatioF(), self._picture.shape, self._smooth)
        if self._placed_for != placed_for:
            self._placed_for, self._placed = placed_for, self._place(*self._picture.shape)
        return self._placed

    def _place(self, height: int, width: int) -> QRectF:
        """Return where a picture of so many pixels is painted."""
        scale = self.devicePixelRatioF()
        square = self._square()
        side = int(square.width() * scale) - 2
        zoom = side / max(height, width)
        if not (self._fill or self._smooth) and zoom >= 1:
            zoom = float(int(zoom))
        shown_width, shown_height = max(int(width * zoom), 1), max(int(height * zoom), 1)
        left = round(square.left() * scale) + (round(square.width() * scale) - shown_width) // 2
        top = 1
        return QRectF(left / scale, top / scale, shown_width / scale, shown_height / scale)

    def copy_picture(self) -> None:
        """Put the picture on the clipboard at its own size."""
        if self._picture is not None:
            QGuiApplication.clipboard().setImage(self.image())

    def event(self, event: QEvent) -> bool:
        """Take the key that copies before the window's command of the same key: to Qt neither would be meant."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.matches(QKeySequence.StandardKey.Copy)
            and self.copy_action.isEnabled()
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Copy the picture that has the keys."""
        if event.matches(QKeySequence.StandardKey.Copy) and self.copy_action.isEnabled():
            self.copy_picture()
        else:
            super().keyPressEvent(event)

    def save_picture(self, path: Path) -> None:
        """Write the picture as PNG at its own size; emits `failed` when that is not possible."""
        if not self.image().save(str(path), "PNG"):  # type: ignore[call-overload]
            self.failed.emit(f"{path} cannot be written: check that the folder exists and may be written to.")

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a comfortable size."""
        side = max(self._least_side, 84)
        return QSize(side, self.heightForWidth(side))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least size at which a picture can be made out."""
        return QSize(self._least_side, self.heightForWidth(self._least_side))

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return the height of a square of this width and its caption."""
        return width + self._caption_height()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint picture, frame and caption."""
        colours = current_palette()
        painter = QPainter(self)
        square = self._square()
        frame = QRectF(square) if self._picture is None else self.picture_rect()
        if not frame.contains(QRectF(event.rect())):
            paint_ground(painter, event.rect())
        if self._picture is None:
            self._paint_placeholder(painter, square)
        else:
            self._paint_picture(painter, self._picture, frame)
        pixel = 1.0 / self.devicePixelRatioF()
        focused = self.hasFocus()
        width = 2 * pixel if focused else pixel
        outside = frame.adjusted(-width / 2, -width / 2, width / 2, width / 2) if self._picture is not None else frame
        pen = QPen(QColor(colours.accent if focused else colours.border), width)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(outside if self._picture is not None else frame.adjusted(pixel, pixel, -pixel, -pixel))
        if self._caption and event.rect().bottom() > frame.bottom() + 1:
            painter.setFont(self._fitting_caption_font())
            painter.setPen(QColor(colours.muted_text))
            top = int(frame.bottom()) + 1 + _CAPTION_GAP
            where = QRect(0, top, self.width(), self._caption_height())
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
            painter.drawText(where, flags, self._caption)
        painter.end()
        self.painted.emit(self._serial)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Measure anew when the font changes."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._caption_px, self._placed_for = None, ()
            self.updateGeometry()

    def _square(self) -> QRect:
        side = max(min(self.width(), self.height() - self._caption_height()), 1)
        return QRect(QPoint((self.width() - side) // 2, 0), QSize(side, side))

    def _paint_picture(self, painter: QPainter, picture: Picture, where: QRectF) -> None:
        scale = self.devicePixelRatioF()
        size = QSize(round(where.width() * scale), round(where.height() * scale))
        if self._shown_at != size:
            self._shown, self._shown_at = to_draw(picture, size, smooth=self._smooth), size
        painter.drawImage(where, self._shown)

    def _paint_placeholder(self, painter: QPainter, square: QRect) -> None:
        colours = current_palette()
        painter.fillRect(square, QColor(colours.canvas))
        painter.setPen(QColor(colours.muted_text))
        painter.setFont(self._caption_font())
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(square.adjusted(6, 6, -6, -6), flags, self._placeholder)

    def _caption_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(max(font.pointSizeF() * 0.88, 7.0))
        return font

    def _fitting_caption_font(self) -> QFont:
        """Return the caption's font, condensed a little where its longest word would not fit."""
        font = self._caption_font()
        longest = max(QFontMetrics(font).horizontalAdvance(word) for word in self._caption.split() or [""])
        if longest > self.width():
            font.setPointSizeF(max(font.pointSizeF() * max((self.width() - 1) / longest, 0.8), 6.0))
        return font

    def _caption_height(self) -> int:
        if self._caption_px is None:
            spacing = QFontMetrics(self._caption_font()).lineSpacing()
            self._caption_px = self._caption_lines * spacing + _CAPTION_GAP if self._caption else 0
        return self._caption_px

    def _describe(self) -> None:
        there = self._picture is not None
        self.copy_action.setEnabled(there)
        self.save_action.setEnabled(there)
        shape = "" if self._picture is None else f" {self._picture.shape[1]} by {self._picture.shape[0]} pixels."
        self.setAccessibleDescription(f"{self.toolTip()}{shape}" if there else self._placeholder)

    def _ask_for_file(self) -> None:
        dialog = QFileDialog(self, "Save picture", f"{_file_name(self._name)}.png", "PNG pictures (*.png)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._save_to)
        dialog.open()

    def _save_to(self, name: str) -> None:
        self.save_picture(Path(name))


def _file_name(text: str) -> str:
    """Return text as a file name: letters, digits and hyphens."""
    words = "".join(letter if letter.isalnum() else " " for letter in text).split()
    return "-".join(words) or "picture"

"""The legend: one entry a label; a click shows or hides it, a double click shows it alone."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from explorer.theme import Palette, current_palette
from explorer.views.canvas.faces import paint_panel

SWATCH_PX = 11
MAX_NAME_PX = 150


class LegendEntry(QAbstractButton):
    """A label with its colour; checked while its points are shown."""

    toggle_requested = Signal(int)
    isolate_requested = Signal(int)
    double_clicked = Signal(int)
    step_requested = Signal(int, int)

    def __init__(self, label: int, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.label = label
        self._face = QPixmap()
        self._face_key: tuple[object, ...] = ()
        self.setText(name)
        self.setCheckable(True)
        self.setChecked(True)
        self.setAccessibleName(f"Label {name}")
        self.setToolTip(f"{name}: click shows or hides its points, double click or Alt shows it alone")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size that the swatch and the name need."""
        metrics = QFontMetrics(self.font())
        return QSize(SWATCH_PX + 21 + min(metrics.horizontalAdvance(self.text()), MAX_NAME_PX), metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size hint: names are elided only beyond 150 px."""
        return self.sizeHint()

    def nextCheckState(self) -> None:  # noqa: N802
        """Leave the state to the legend, which sets it for all entries together."""

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Toggle at the press, or show the label alone with Alt."""
        if event.button() == Qt.MouseButton.LeftButton:
            alone = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            (self.isolate_requested if alone else self.toggle_requested).emit(self.label)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Accept the release: the press has done the work."""
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Show the label alone."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.double_clicked.emit(self.label)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Space toggles, Return or Alt+Space shows alone, up and down go to the neighbours."""
        key = event.key()
        if key in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self.step_requested.emit(self.label, -1 if key == Qt.Key.Key_Up else 1)
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.isolate_requested.emit(self.label)
        elif key == Qt.Key.Key_Space:
            alone = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            (self.isolate_requested if alone else self.toggle_requested).emit(self.label)
        else:
            event.ignore()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Copy the entry's face, which a pan of the canvas below asks for at every move of the mouse."""
        ratio, colours = self.devicePixelRatioF(), current_palette()
        key = (colours, ratio, self.size(), self.isChecked(), self.hasFocus(), self.underMouse(), self.font())
        if key != self._face_key:
            self._face_key = key
            self._face = QPixmap(self.size() * ratio)
            self._face.setDevicePixelRatio(ratio)
            self._face.fill(Qt.GlobalColor.transparent)
            self._paint_face(QPainter(self._face), colours)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._face)
        painter.end()

    def _paint_face(self, painter: QPainter, colours: Palette) -> None:
        """Paint swatch and name; hidden labels are hollow and muted."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(QColor(colours.accent if self.hasFocus() else colours.border), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4.0, 4.0)
        colour = QColor(colours.label(self.label))
        swatch = QRectF(6.0, 0.5 * (self.height() - SWATCH_PX), SWATCH_PX, SWATCH_PX).adjusted(0.75, 0.75, -0.75, -0.75)
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(colour if self.isChecked() else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(swatch)
        painter.setPen(QColor(colours.text if self.isChecked() else colours.muted_text))
        metrics = QFontMetrics(self.font())
        place = self.rect().adjusted(SWATCH_PX + 13, 0, -4, 0)
        text = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.end()


class Legend(QScrollArea):
    """All labels; scrolls when they are more than the canvas is high."""

    labels_shown_changed = Signal(frozenset)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries: list[LegendEntry] = []
        self._shown: frozenset[int] = frozenset()
        self._before_click: frozenset[int] = frozenset()
        self._list = QWidget(self)
        self._rows = QVBoxLayout(self._list)
        self._rows.setContentsMargins(4, 4, 4, 4)
        self._rows.setSpacing(0)
        self.setWidget(self._list)
        # setWidget() has just turned it on.
        self._list.setAutoFillBackground(False)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.setAccessibleName("Legend")
        self.viewport().setAutoFillBackground(False)
        self.hide()

    @property
    def shown(self) -> frozenset[int]:
        """The labels whose points are shown."""
        return self._shown

    def set_names(self, names: tuple[str, ...]) -> None:
        """List these labels, all shown."""
        for entry in self.entries:
            self._rows.removeWidget(entry)
            entry.hide()
            entry.deleteLater()
        self.entries = [LegendEntry(label, name, self._list) for label, name in enumerate(names)]
        for entry in self.entries:
            self._rows.addWidget(entry)
            entry.toggle_requested.connect(self._toggle)
            entry.isolate_requested.connect(self._isolate)
            entry.double_clicked.connect(self._isolate_by_double_click)
            entry.step_requested.connect(self._step)
            entry.show()
        if self.entries:
            self.entries[0].setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_shown(frozenset(range(len(names))))
        self.setVisible(bool(names))

    def set_shown(self, shown: frozenset[int]) -> None:
        """Show which labels are shown."""
        self._shown = shown
        for entry in self.entries:
            entry.setChecked(entry.label in shown)

    def fit_into(self, width: int, height: int) -> None:
        """Stand in the upper right corner of a canvas of this size."""
        content = self._list.sizeHint()
        tall = content.height() > height
        bar = self.verticalScrollBar().sizeHint().width() if tall else 0
        size = QSize(min(content.width() + bar, max(width // 2, 1)), max(min(content.height(), height), 1))
        self.setGeometry(width - size.width() - 10, 10, size.width(), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint a veil, so that the names are not lost among points."""
        painter = QPainter(self.viewport())
        paint_panel(painter, *self.viewport().size().toTuple(), current_palette())
        painter.end()
        super().paintEvent(event)

    def _toggle(self, label: int) -> None:
        self._before_click = self._shown
        self._choose(self._shown ^ {label})

    def _isolate(self, label: int) -> None:
        self._before_click = self._shown
        self._isolate_by_double_click(label)

    def _isolate_by_double_click(self, label: int) -> None:
        # The first press of a double click has toggled the label already, so what was shown before it counts.
        alone = frozenset({label})
        self._choose(frozenset(range(len(self.entries))) if self._before_click == alone else alone)

    def _choose(self, shown: frozenset[int]) -> None:
        if shown != self._shown:
            self.set_shown(shown)
            self.labels_shown_changed.emit(shown)

    def _step(self, label: int, step: int) -> None:
        target = self.entries[(label + step) % len(self.entries)]
        for entry in self.entries:
            # One tab stop for the whole legend, at the entry last used; a click leaves the focus on the canvas.
            entry.setFocusPolicy(Qt.FocusPolicy.TabFocus if entry is target else Qt.FocusPolicy.NoFocus)
        target.setFocus(Qt.FocusReason.OtherFocusReason)
        self.ensureWidgetVisible(target, 0, 2)

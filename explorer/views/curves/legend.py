"""The legend: one switch for each curve, by mouse or keyboard."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QToolButton, QWidget

from explorer.views.flow import FlowLayout

_SWATCH = QSize(22, 12)
_AROUND_TEXT = 18
"""Width of a switch beyond its swatch and its text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: the curve's name, its text and how it is drawn."""

    name: str
    text: str
    help: str
    colour: str
    background: str
    style: str
    """`noisy`, `line`, `hollow` or `full`."""


def paint_swatch(painter: QPainter, entry: Entry, centre: QPointF) -> None:
    """Paint what the curve of an entry looks like, 22×12 pixels around a centre."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    left, right, y = centre.x() - 10, centre.x() + 10, centre.y()
    colour = QColor(entry.colour)
    if entry.style == "noisy":
        colour.setAlphaF(0.5)
        painter.setPen(QPen(colour, 1.0))
        points = [QPointF(left + 2 * k, y + (3.5 if k % 2 else -3.5)) for k in range(11)]
        painter.drawPolyline(points)
        return
    painter.setPen(QPen(colour, 2.0 if entry.style == "line" else 1.2))
    painter.drawLine(QPointF(left, y), QPointF(right, y))
    if entry.style in ("hollow", "full"):
        painter.setPen(QPen(colour, 1.2))
        painter.setBrush(QColor(entry.background if entry.style == "hollow" else entry.colour))
        radius = 2.6 if entry.style == "hollow" else 3.6
        painter.drawEllipse(centre, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)


class Legend(QWidget):
    """Switches that hide and show curves."""

    hidden_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Legend of the curves")
        self.entries: tuple[Entry, ...] = ()
        self._hidden: set[str] = set()
        self._buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self._group.buttonToggled.connect(self._on_toggled)
        self._layout = FlowLayout(self, spacing=2)
        self._trailing: list[QWidget] = []

    @property
    def hidden(self) -> frozenset[str]:
        """Names of the curves that are switched off."""
        return frozenset(self._hidden)

    def button(self, name: str) -> QToolButton:
        """Return the switch of a curve."""
        return self._buttons[name]

    def add_trailing(self, widget: QWidget) -> None:
        """Put a widget, shown or hidden, after the last entry."""
        self._trailing.append(widget)
        self._layout.addWidget(widget)

    def width_of(self, entries: tuple[Entry, ...]) -> int:
        """Return the width that these entries need to stand in one row."""
        metrics = self.fontMetrics()
        each = _SWATCH.width() + _AROUND_TEXT
        return sum(metrics.horizontalAdvance(entry.text) + each + self._layout.spacing() for entry in entries)

    def set_entries(self, entries: tuple[Entry, ...]) -> None:
        """Show these entries; switches that stay keep their state and the focus."""
        if entries == self.entries:
            return
        if [entry.name for entry in entries] != list(self._buttons):
            self._make_buttons(entries)
        self.entries = entries
        for entry in entries:
            button = self._buttons[entry.name]
            button.setText(entry.text)
            button.setToolTip(f"{entry.help}\nClick to hide or show it.")
            button.setAccessibleName(f"Show {entry.text}")
            button.setIcon(self._icon(entry))
        self._layout.invalidate()
        self.updateGeometry()

    def _make_buttons(self, entries: tuple[Entry, ...]) -> None:
        wanted = {entry.name for entry in entries}
        while self._layout.count():
            self._layout.takeAt(0)
        for name in [name for name in self._buttons if name not in wanted]:
            button = self._buttons.pop(name)
            self._group.removeButton(button)
            button.deleteLater()
            button.hide()
        kept, self._buttons = self._buttons, {}
        previous: QToolButton | None = None
        for entry in entries:
            button = kept.get(entry.name) or self._new_button(entry.name)
            self._buttons[entry.name] = button
            self._layout.addWidget(button)
            if previous is not None:
                QWidget.setTabOrder(previous, button)
            previous = button
        for widget in self._trailing:
            self._layout.addWidget(widget)

    def _new_button(self, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("legend")
        button.setProperty("curve", name)
        button.setCheckable(True)
        button.setChecked(name not in self._hidden)
        _strike(button)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setIconSize(_SWATCH)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAutoRaise(True)
        button.show()
        self._group.addButton(button)
        return button

    def _icon(self, entry: Entry) -> QIcon:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(_SWATCH * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        paint_swatch(painter, entry, QPointF(_SWATCH.width() / 2, _SWATCH.height() / 2))
        painter.end()
        return QIcon(pixmap)

    def _on_toggled(self, button: QAbstractButton, checked: bool) -> None:  # noqa: FBT001 - Qt's signature
        name = str(button.property("curve"))
        if checked:
            self._hidden.discard(name)
        else:
            self._hidden.add(name)
        _strike(button)
        self.hidden_changed.emit()


def _strike(button: QAbstractButton) -> None:
    """Strike out the text of a curve that is switched off, lest colour alone says so."""
    font = button.font()
    font.setStrikeOut(not button.isChecked())
    button.setFont(font)

"""How active each code unit of a sparse autoencoder is, over the images whose codes are shown."""

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.findings.activations import UnitActivations
from explorer.theme import current_palette

_HEIGHT = 84
_GAP = 1.0
# Rarely is a unit active much more often than it should be: the target stays where it can be seen.
_LEAST_TOP = 2.0


class ActivationBars(QWidget):
    """A bar for each unit, and a line at the target ρ where there is one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.activations: UnitActivations | None = None
        """What is shown."""
        self.setAccessibleName("Mean activation of each unit")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setVisible(False)

    def set_activations(self, activations: UnitActivations | None) -> None:
        """Show mean activations; None hides the chart, as for any other kind of model."""
        self.activations = activations
        self.setVisible(activations is not None)
        self.setAccessibleDescription(self.text())
        self.setToolTip(self.text())
        self.update()

    def text(self) -> str:
        """Return what the bars say, in a sentence."""
        shown = self.activations
        if shown is None:
            return ""
        least, most = float(shown.means.min()), float(shown.means.max())
        target = "" if shown.target is None else f", drawn to ρ = {shown.target:g}"
        what = "mean activation" if shown.target is not None else "mean |h|"
        return f"{what} of {len(shown.means)} units over {shown.num_images:,} images: {least:.3f} to {most:.3f}{target}"

    @property
    def top(self) -> float:
        """Return the value at the upper edge of the chart."""
        shown = self.activations
        if shown is None or not len(shown.means):
            return 1.0
        least = 0.0 if shown.target is None else _LEAST_TOP * shown.target
        highest = max(float(shown.means.max()), least)
        return highest * 1.05 if highest > 0.0 else 1.0

    def bar_rect(self, unit: int) -> QRectF:
        """Return where a unit's bar is painted."""
        shown = self.activations
        if shown is None:
            return QRectF()
        area = self._area()
        each = area.width() / len(shown.means)
        gap = _GAP if each > 4.0 else 0.0
        height = area.height() * min(float(shown.means[unit]) / self.top, 1.0)
        return QRectF(area.left() + unit * each, area.bottom() - height, each - gap, height)

    def target_y(self) -> float | None:
        """Return where the line of the target is painted."""
        shown = self.activations
        if shown is None or shown.target is None:
            return None
        area = self._area()
        return float(area.bottom() - area.height() * shown.target / self.top)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the height of the chart and its line of text; any width will do."""
        return QSize(160, _HEIGHT + self.fontMetrics().height() + 4)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size hint."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint bars, target and the line that says what they are."""
        shown = self.activations
        if shown is None:
            return
        colours = current_palette()
        painter = QPainter(self)
        area = self._area()
        painter.fillRect(area, QColor(colours.canvas))
        for unit in range(len(shown.means)):
            painter.fillRect(self.bar_rect(unit), QColor(colours.accent))
        painter.setPen(QPen(QColor(colours.border), 1.0))
        painter.drawRect(area)
        y = self.target_y()
        if y is not None:
            painter.setPen(QPen(QColor(colours.held_out), 1.5))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(QColor(colours.muted_text))
        base = self.height() - painter.fontMetrics().descent() - 1.0
        target = "" if shown.target is None else f" against ρ = {shown.target:g}"
        what = "mean activation of each unit" if shown.target is not None else "mean |h| of each unit"
        painter.drawText(QPointF(0.0, base), f"{what}{target}")
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Say the number of the unit under the mouse."""
        shown = self.activations
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and shown is not None:
            area = self._area()
            unit = int((event.pos().x() - area.left()) / area.width() * len(shown.means))
            inside = 0 <= unit < len(shown.means) and area.contains(QPointF(event.pos()))
            text = f"unit {unit + 1}: {float(shown.means[unit]):.4f}" if inside else self.toolTip()
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Paint anew in another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()

    def _area(self) -> QRectF:
        return QRectF(0.5, 0.5, np.maximum(self.width() - 1.0, 1.0), _HEIGHT - 1.0)

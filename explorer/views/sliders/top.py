"""What stands above the sliders: three buttons, and the names of the columns."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from explorer.views.flow import FlowLayout
from explorer.views.sliders.marks import SIGN_WIDTH, weight_width
from explorer.views.sliders.row import FIELD_WIDTH, MARGIN, NARROW, SPACING


class TopRow(QWidget):
    """Reset, sample, order; named after the model."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = FlowLayout(self, spacing=4)
        self.reset_all = QPushButton("Reset all", self)
        self.reset_all.setToolTip("Set every dimension to its centre")
        self.reset_all.setAccessibleName("Reset all")
        self.sample = QPushButton(self)
        self.order = QPushButton(self)
        for button in (self.reset_all, self.sample, self.order):
            row.addWidget(button)
        self.name_sampling("Random sample from the prior")
        self.name_order(is_kl=True)

    def name_sampling(self, text: str) -> None:
        """Name the button that draws a random code."""
        self.sample.setText(text)
        self.sample.setAccessibleName(text)
        self.sample.setToolTip(f"{text}: every dimension at once")

    def name_order(self, *, is_kl: bool) -> None:
        """Name the button that sorts, by KL or by variance."""
        self.order.setText("Sort by KL" if is_kl else "Sort by variance")
        self.order.setAccessibleName(self.order.text())
        key = "mean KL" if is_kl else "the variance of their codes"
        self.order.setToolTip(f"Order the sliders by {key}, largest first; the order then stays until you ask again")


class Headings(QWidget):
    """Names over the columns of number and weight."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        value = QLabel("value", self)
        value.setFixedWidth(FIELD_WIDTH)
        self._weight = QLabel(self)
        self._weight.setFixedWidth(weight_width(self))
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, 0, MARGIN, 0)
        row.setSpacing(SPACING)
        row.addStretch(1)
        for heading in (value, self._weight):
            heading.setAlignment(Qt.AlignmentFlag.AlignRight)
            heading.setProperty("role", "muted")
            row.addWidget(heading)
        row.addSpacing(2 * (SIGN_WIDTH + SPACING) - SPACING)

    def name_weight(self, text: str) -> None:
        """Name the column of the weights."""
        self._weight.setText(text)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Name no column that the rows leave out."""
        super().resizeEvent(event)
        self._weight.setVisible(self.width() >= NARROW)

"""The images whose gaps are the largest."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from core.shapes import Picture
from explorer.views.readouts import number
from explorer.views.similar.thumbnail import Thumbnail

COLUMNS, ROWS = 6, 2
ORDERS = (
    ("amortisation", "amortisation gap", "Where the encoder's q is worst beside the best q."),
    ("approximation", "approximation gap", "Where even the best q of the family is far from the true posterior."),
)


@dataclass(frozen=True, slots=True, eq=False)
class Worst:
    """An image of the gallery."""

    image: int
    """Its index in the split."""
    picture: Picture
    approximation: float
    amortisation: float


class Gallery(QWidget):
    """Twelve pictures with their gaps; a click goes to the image."""

    image_chosen = Signal(int)
    order_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Worst images")
        self.orders = QComboBox()
        self.orders.setAccessibleName("Order of the gallery")
        for name, text, _ in ORDERS:
            self.orders.addItem(text, name)
        self.orders.setToolTip("\n".join(f"{text}: {tip}" for _, text, tip in ORDERS))
        self.orders.activated.connect(self.order_changed)
        self.thumbnails = tuple(Thumbnail(" ", "", 34) for _ in range(COLUMNS * ROWS))
        top = QHBoxLayout()
        label = QLabel("Largest")
        label.setBuddy(self.orders)
        top.addWidget(label)
        top.addWidget(self.orders)
        top.addStretch(1)
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, thumbnail in enumerate(self.thumbnails):
            thumbnail.clicked.connect(self.image_chosen)
            grid.addWidget(thumbnail, place // COLUMNS, place % COLUMNS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(grid, 1)
        self.set_worst(())

    @property
    def order(self) -> str:
        """By which gap the images are chosen."""
        return str(self.orders.currentData())

    def set_worst(self, worst: Sequence[Worst]) -> None:
        """Show these images, the worst first."""
        for thumbnail, found in zip(self.thumbnails, [*worst, *[None] * len(self.thumbnails)], strict=False):
            if found is None:
                thumbnail.show_image(None, " ", None)
                continue
            gap = found.amortisation if self.order == "amortisation" else found.approximation
            tip = (
                f"Held-out image {found.image:,}: approximation gap {number(found.approximation, 3)} nats, "
                f"amortisation gap {number(found.amortisation, 3)} nats.  A click goes to it."
            )
            thumbnail.show_image(found.picture, number(gap, 2 if gap < 100.0 else 0), found.image, tip)

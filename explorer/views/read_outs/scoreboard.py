"""The scoreboard: -log p(x) of models beside each other, as far as their nats can be compared."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QUrl, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from core.config import MOST_EXACT_DIMENSIONS, ModelConfig
from core.findings.scoreboard import ScoreboardEntry
from explorer.theme import current_palette
from explorer.views.flow import FlowLayout
from explorer.views.read_outs.board_text import board_csv, board_html, board_text, row_to_remove

IMAGE_LIMITS = (1000, 200, 0)
"""Choices of how many held-out images; 0 is all."""
SAMPLE_COUNTS = (1000, 100, 5000)


class Scoreboard(QWidget):
    """Rows in groups, with a button that adds the open model's."""

    add_requested = Signal(int, int)
    """The user wants a row: over how many images (0: all), with how many samples where it is an estimate."""
    row_removed = Signal(int)
    """The user has taken away the row that was added as this one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entries: tuple[ScoreboardEntry, ...] = ()
        self.add = QPushButton("Add to scoreboard")
        self.add.setToolTip("Find −log p(x) of the open model over held-out images and add it as a row.")
        self.images = QComboBox()
        self.images.setAccessibleName("Images of the row")
        for limit in IMAGE_LIMITS:
            self.images.addItem(f"{limit:,} images" if limit else "all images", limit)
        self.samples = QComboBox()
        self.samples.setAccessibleName("Samples of an estimate")
        for count in SAMPLE_COUNTS:
            self.samples.addItem(f"k = {count:,}", count)
        self.samples.setToolTip("Samples of q(z|x) for each image: more bring the estimate nearer to −log p(x).")
        self.how = QLabel()
        self.how.setProperty("role", "muted")
        self.copy_text = QPushButton("Copy as text")
        self.copy_csv = QPushButton("Copy as CSV")
        self.board = QTextBrowser()
        self.board.setAccessibleName("Scoreboard")
        self.board.setOpenLinks(False)
        self.board.anchorClicked.connect(self._on_link)
        self.add.clicked.connect(self._on_add)
        self.copy_text.clicked.connect(self._on_copy_text)
        self.copy_csv.clicked.connect(self._on_copy_csv)
        above = FlowLayout()
        for widget in (self.add, self.images, self.samples, self.copy_text, self.copy_csv, self.how):
            above.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(above)
        column.addWidget(self.board, 1)
        self.set_model(None)
        self.set_entries(())

    def set_model(self, model: ModelConfig | None) -> None:
        """Offer what the open model allows: samples only where its row would be an estimate."""
        reason = _how(model)
        self.how.setText(reason)
        estimated = model is not None and model.has_prior and model.latent_dim > MOST_EXACT_DIMENSIONS
        self.samples.setVisible(estimated)
        self._has_density = model is not None and (model.has_prior or not model.has_codes)
        self._refresh()

    def set_available(self, available: bool) -> None:  # noqa: FBT001 - a setter
        """Say whether there are images to measure on, and nothing else is being measured."""
        self._available = available
        self._refresh()

    def set_entries(self, entries: Sequence[ScoreboardEntry]) -> None:
        """Show rows, in the order in which they were added."""
        self.entries = tuple(entries)
        self._show()
        for button in (self.copy_text, self.copy_csv):
            button.setEnabled(bool(self.entries))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "board"):
            self._show()

    _available = False
    _has_density = False

    def _refresh(self) -> None:
        self.add.setEnabled(self._available and self._has_density)

    def _show(self) -> None:
        self.board.setHtml(board_html(self.entries, current_palette()))

    def _on_add(self) -> None:
        self.add_requested.emit(self.images.currentData(), self.samples.currentData())

    def _on_link(self, address: QUrl) -> None:
        row = row_to_remove(address.toString())
        if row is not None:
            self.row_removed.emit(row)

    def _on_copy_text(self) -> None:
        QGuiApplication.clipboard().setText(board_text(self.entries))

    def _on_copy_csv(self) -> None:
        QGuiApplication.clipboard().setText(board_csv(self.entries))


def _how(model: ModelConfig | None) -> str:
    if model is None:
        return ""
    if not model.has_codes:
        return "exact: a product of conditionals"
    if not model.has_prior:
        return "An autoencoder defines no p(x), hence has no row."
    if model.latent_dim <= MOST_EXACT_DIMENSIONS:
        return "exact: integrated over the latent space"
    return "an estimate, too large in expectation"

"""The ladder of bounds: ELBO with L samples, IWAE-k and log p(x) on one plot."""

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget


class LadderPanel(QWidget):
    """The ladder of bounds: ELBO with L samples, IWAE-k and log p(x) on one plot."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Ladder of bounds")
        self._reason = QLabel()
        self._reason.setProperty("role", "muted")
        self._reason.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.addWidget(self._reason)
        column.addStretch(1)

    def set_reason(self, text: str) -> None:
        """Say, in a sentence, why there is nothing to show; an empty text takes it away."""
        self._reason.setText(text)
        self._reason.setVisible(bool(text))

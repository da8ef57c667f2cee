"""Approximation and amortisation gaps over held-out images, and the images they are worst for."""

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget


class GapsPanel(QWidget):
    """Approximation and amortisation gaps over held-out images, and the images they are worst for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Gaps")
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

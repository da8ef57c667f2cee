"""The ledger of the bound: log p(x), ELBO and the divergences between them, as bars that add up."""

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget


class LedgerPanel(QWidget):
    """The ledger of the bound: log p(x), ELBO and the divergences between them, as bars that add up."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Ledger of the bound")
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

"""The bar below the window that says, while it is switched on, how quickly the program follows the hand."""

from PySide6.QtWidgets import QLabel, QStatusBar, QWidget


class TimingBar(QStatusBar):
    """Milliseconds and pictures a second at the right, in sight whatever panel is in front."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timing_bar")
        self.setSizeGripEnabled(False)
        self._figures = QLabel()
        self._figures.setAccessibleName("How quickly the program follows the hand")
        self._figures.setToolTip(
            "From the hand's movement to its painted picture, median of the last second, and pictures in that second."
        )
        self.addPermanentWidget(self._figures)
        self.hide()

    @property
    def text(self) -> str:
        """What is said."""
        return self._figures.text()

    def set_text(self, text: str) -> None:
        """Say something else; the same again paints nothing."""
        if text != self._figures.text():
            self._figures.setText(text)
            self._figures.setAccessibleDescription(text)

"""Movement: whether the hand moves, so that work which can wait does not take the cores from under it."""

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.session.drawing import DrawingSession
from explorer.session.latent import LatentSession

REST_MS = 300
"""So long after the last movement the hand counts as resting."""


class Movement(QObject):
    """Says when a code begins to be dragged, or something to be drawn, and when the hand has come to rest.

    A code that an animation moves is no hand: it may go on for as long as what waits for the hand takes.
    """

    moved = Signal()
    """The hand has moved just now, or an animation."""
    changed = Signal(bool)
    """The hand moves, or rests."""

    def __init__(self, latent: LatentSession, drawing: DrawingSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._on_rest)
        latent.code_moved.connect(self._on_code_moved)
        drawing.pad_changed.connect(self._on_moved)

    def _on_code_moved(self, by_hand: bool) -> None:  # noqa: FBT001 - a signal's argument
        if by_hand:
            self._on_moved()
        else:
            self.moved.emit()

    def _on_moved(self) -> None:
        moved_before = self._rest.isActive()
        self._rest.start()
        self.moved.emit()
        if not moved_before:
            self.changed.emit(True)

    def _on_rest(self) -> None:
        self.changed.emit(False)

"""How long the hand waits: from its movement to the painted picture, and how many pictures a second."""

import statistics
import time
from collections import deque

from PySide6.QtCore import QObject, QTimer

from explorer.session.views import Views

_SHOWN_EVERY_MS = 250
_WINDOW_S = 1.0


class TimingSession(QObject):
    """Measures while it is switched on, and says so under the picture."""

    def __init__(self, views: Views, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._views = views
        self._moved_at: float | None = None
        self._waits_ms: deque[float] = deque(maxlen=64)
        self._paints: deque[float] = deque(maxlen=512)
        self._timer = QTimer(self)
        self._timer.setInterval(_SHOWN_EVERY_MS)
        self._timer.timeout.connect(self._show)
        views.canvas.handle_dragged.connect(self._on_moved)
        views.sliders.value_edited.connect(self._on_moved)
        views.hand.deterministic.painted.connect(self._on_painted)

    def set_on(self, on: bool) -> None:  # noqa: FBT001 - a setter
        """Measure, or stop measuring."""
        self._views.hand.set_timing_visible(on)
        if on:
            self._timer.start()
        else:
            self._timer.stop()

    def _on_moved(self) -> None:
        # The oldest movement that no picture has answered counts: later ones were merged into the same picture.
        if self._moved_at is None:
            self._moved_at = time.perf_counter()

    def _on_painted(self) -> None:
        now = time.perf_counter()
        self._paints.append(now)
        if self._moved_at is not None:
            self._waits_ms.append(1e3 * (now - self._moved_at))
            self._moved_at = None

    def _show(self) -> None:
        if self._waits_ms:
            now = time.perf_counter()
            rate = sum(now - painted <= _WINDOW_S for painted in self._paints)
            self._views.hand.set_timing(statistics.median(self._waits_ms), rate)

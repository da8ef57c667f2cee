"""How long the hand waits: from its movement to the painted picture, and how many pictures a second."""

import statistics
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, SignalInstance

from explorer.session.views import Views

_SHOWN_EVERY_MS = 250
_WINDOW_S = 1.0
AT_REST = "at rest"

if TYPE_CHECKING:
    _Any = SignalInstance[*tuple[Any, ...]]


class _Following(QObject):
    """How quickly one picture follows one kind of movement."""

    def __init__(self, name: str, moved: "_Any", painted: "tuple[_Any, ...]", parent: QObject) -> None:
        super().__init__(parent)
        self.name = name
        self.moved_at = 0.0
        """When it moved last, on the clock of time.perf_counter(); 0 where it has not yet."""
        self._moved, self._painted = moved, painted
        self._unanswered: float | None = None
        self._answers: deque[tuple[float, float]] = deque(maxlen=512)
        """When a picture was painted, and how many milliseconds after the movement."""

    def set_on(self, on: bool) -> None:  # noqa: FBT001 - a setter
        """Listen, or cost nothing."""
        if on:
            self._moved.connect(self._on_moved)
            for painted in self._painted:
                painted.connect(self._on_painted)
        else:
            self._moved.disconnect(self._on_moved)
            for painted in self._painted:
                painted.disconnect(self._on_painted)
            self.moved_at, self._unanswered = 0.0, None
            self._answers.clear()

    def text(self, now: float) -> str:
        """Return the figures of the last second, or, when nothing moved in it, what they were last."""
        recent = [wait for at, wait in self._answers if now - at <= _WINDOW_S]
        if recent:
            return f"{self.name} {statistics.median(recent):.1f} ms · {len(recent)} FPS"
        if not self._answers:
            return AT_REST
        last = self._answers[-1][0]
        wait = statistics.median(wait for at, wait in self._answers if last - at <= _WINDOW_S)
        return f"{AT_REST} · last {self.name} {wait:.1f} ms"

    def _on_moved(self) -> None:
        self.moved_at = time.perf_counter()
        # The oldest movement that no picture has answered counts: later ones were merged into the same picture.
        if self._unanswered is None:
            self._unanswered = self.moved_at

    def _on_painted(self) -> None:
        if self._unanswered is not None:
            now = time.perf_counter()
            self._answers.append((now, 1e3 * (now - self._unanswered)))
            self._unanswered = None


class TimingSession(QObject):
    """Measures drag, slider and pen while it is switched on, and says it in the bar below the window."""

    def __init__(self, views: Views, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bar = views.window.timing
        decoded, results = views.hand.deterministic.painted, views.draw_pad.results
        self._hands = (
            _Following("drag", views.canvas.touched, (decoded,), self),
            _Following("slider", views.sliders.touched, (decoded,), self),
            _Following(
                "pen",
                views.draw_pad.surface.ink_changed,
                (results.deterministic.painted, results.expected.painted),
                self,
            ),
        )
        self._on = False
        self._timer = QTimer(self._bar)
        self._timer.setInterval(_SHOWN_EVERY_MS)
        self._timer.timeout.connect(self._show)

    def set_on(self, on: bool) -> None:  # noqa: FBT001 - a setter
        """Measure, or stop measuring."""
        if on == self._on:
            return
        self._on = on
        for hand in self._hands:
            hand.set_on(on)
        self._bar.setVisible(on)
        if on:
            self._show()
            self._timer.start()
        else:
            self._timer.stop()

    def _show(self) -> None:
        newest = max(self._hands, key=lambda hand: hand.moved_at)
        self._bar.set_text(newest.text(time.perf_counter()))

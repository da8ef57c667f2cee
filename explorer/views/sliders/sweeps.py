"""Dimensions that move by themselves: from low to high and back, smoothly, until told to stop."""

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

from explorer.views.sliders.span import SWEEP_SECONDS, Span

TICK_MS = 33
_LONGEST_TICK_S = 0.1
"""After a pause the sweep goes on where it was, not where it would have been."""


class Sweeps(QObject):
    """The dimensions being swept, with their phases and one timer of about 30 Hz."""

    moved = Signal(int, float)
    """A dimension has moved to a value."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._phases: dict[int, float] = {}
        self._spans: dict[int, Span] = {}
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._on_tick)

    @property
    def dimensions(self) -> frozenset[int]:
        """The dimensions being swept."""
        return frozenset(self._phases)

    @property
    def running(self) -> bool:
        """Whether the timer runs."""
        return self._timer.isActive()

    def start(self, dimension: int, span: Span, value: float) -> None:
        """Sweep a dimension, upwards from where it is."""
        self._phases[dimension] = span.phase_of(value)
        self._spans[dimension] = span
        self.resume()

    def set_span(self, dimension: int, span: Span) -> None:
        """Take another range; the sweep keeps its phase."""
        if dimension in self._spans:
            self._spans[dimension] = span

    def stop(self, dimension: int) -> None:
        """Leave a dimension where it is."""
        self._phases.pop(dimension, None)
        self._spans.pop(dimension, None)
        if not self._phases:
            self._timer.stop()

    def pause(self) -> None:
        """Stand still for as long as nobody looks."""
        self._timer.stop()

    def resume(self) -> None:
        """Go on."""
        if self._phases and not self._timer.isActive():
            self._clock.start()
            self._timer.start()

    def advance(self, seconds: float) -> None:
        """Move every swept dimension on by some seconds."""
        for dimension in list(self._phases):
            if dimension not in self._phases:
                continue  # stopped by whoever heard of the move before
            self._phases[dimension] = (self._phases[dimension] + seconds / SWEEP_SECONDS) % 1.0
            self.moved.emit(dimension, self._spans[dimension].sweep(self._phases[dimension]))

    def _on_tick(self) -> None:
        seconds = self._clock.restart() / 1000.0
        self.advance(min(seconds, _LONGEST_TICK_S))

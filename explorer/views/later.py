"""A panel that is made when it is first wanted."""

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

P = TypeVar("P", bound=QWidget, covariant=True)  # noqa: PLC0105 - short, as in Generic[P]


class Later(Generic[P]):
    """Makes a panel when it is first seen or asked for, and then has it filled.

    Of ten docks four are seen when the window opens; what makes the other six, with the modules that they need, took as
    long as everything else.  Whoever fills a panel begins with what is open by then.
    """

    def __init__(self, make: Callable[[], P]) -> None:
        self._make = make
        self._panel: P | None = None
        self._fills: list[Callable[[P], object]] = []

    def __call__(self) -> P:
        """Return the panel."""
        if self._panel is None:
            self._panel = self._make()
            for fill in self._fills:
                fill(self._panel)
        return self._panel

    @property
    def is_made(self) -> bool:
        """Whether the panel is there."""
        return self._panel is not None

    def then(self, fill: Callable[[P], object]) -> None:
        """Hand the panel over as soon as it is made, at once if it is; to each in the order in which they asked."""
        self._fills.append(fill)
        if self._panel is not None:
            fill(self._panel)


class Place(QWidget):
    """Stands where a panel will be, and has it made when the place is painted for the first time.

    (To be shown says little: while docks are arranged each is shown for a moment, and behind a tab it counts as shown.)
    """

    def __init__(self, panel: Later[QWidget]) -> None:
        super().__init__()
        self._panel = panel
        self._seen = False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Have the panel made once the painting is over."""
        super().paintEvent(event)
        if not self._seen:
            self._seen = True
            QTimer.singleShot(0, self._make)

    def _make(self) -> None:
        self._panel()

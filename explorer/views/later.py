"""A panel that is made when it is first wanted."""

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

P = TypeVar("P", bound=QWidget, covariant=True)  # noqa: PLC0105 - short, as in Generic[P]


class Later(Generic[P]):
    """Makes a panel when it is first seen or asked for, and then has it filled.

    Half of the ten docks are behind tabs when the window opens; what makes their panels, with the modules that they
    need, took a third of the start.  Whoever fills a panel begins with what is open by then.
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
    """Where a panel is, or will be: it has the panel made when it is painted for the first time.

    (To be shown says little: while docks are arranged each is shown for a moment, and behind a tab it counts as shown.)
    """

    def __init__(self, panel: Later[QWidget]) -> None:
        super().__init__()
        self._panel = panel
        self._seen = False
        self._wanted = QSize()
        self._settling = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    def put(self, content: QWidget) -> None:
        """Fill the place; it stays as large as it is, if the content can do with that."""
        if self.isVisible():
            self._wanted = self.size()
            # Docks that have made room never take it back.  Until a panel is filled, and has arranged its parts by the
            # room there is, it says to need more than it does.
            self._settling = True
            QTimer.singleShot(0, self._settle)
            content.setParent(self)
            content.resize(self.size())
            content.show()
        self._layout.addWidget(content)

    def _settle(self) -> None:
        self._settling = False
        self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the content's own size, or the one that the place had without it: docks do not move for it."""
        return self._wanted if self._wanted.isValid() else super().sizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least that the content can do with, once that is known."""
        return QSize(0, 0) if self._settling else super().minimumSizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Have the panel made once the painting is over."""
        super().paintEvent(event)
        if not self._seen:
            self._seen = True
            QTimer.singleShot(0, self._make)

    def _make(self) -> None:
        self._panel()

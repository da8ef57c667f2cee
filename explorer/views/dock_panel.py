"""A panel that shares a place of the window with others, behind tabs, and knows whether it is the one in front."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget, QWidget


class DockPanel(QWidget):
    """Says when it comes into sight and goes out of it: what follows the hand is for somebody who sees it."""

    sight_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dock: QDockWidget | None = None
        self._in_front = True
        self._in_sight = False

    @property
    def in_sight(self) -> bool:
        """Whether the panel can be seen.

        Behind another's tab a dock is somewhere outside of the window but visible for Qt, and its panel with it; only
        the dock itself tells.
        """
        return self._in_sight

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Follow the dock that the panel is in."""
        super().showEvent(event)
        dock = _dock_around(self)
        if dock is not self._dock:
            if self._dock is not None:
                self._dock.visibilityChanged.disconnect(self._on_dock_visible)
            self._dock = dock
            self._in_front = True
            if dock is not None:
                self._in_front = dock.isFloating() or not dock.visibleRegion().isEmpty()
                dock.visibilityChanged.connect(self._on_dock_visible)
        self._look()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Be out of sight."""
        super().hideEvent(event)
        self._look()

    def _on_dock_visible(self, visible: bool) -> None:  # noqa: FBT001 - a signal's value
        self._in_front = visible
        self._look()

    def _look(self) -> None:
        in_sight = self.isVisible() and self._in_front
        if in_sight != self._in_sight:
            self._in_sight = in_sight
            self.sight_changed.emit(in_sight)


def _dock_around(widget: QWidget) -> QDockWidget | None:
    around = widget.parentWidget()
    while around is not None and not isinstance(around, QDockWidget):
        around = around.parentWidget()
    return around

"""What can be done with a handle, or at a place of the canvas."""

from PySide6.QtCore import QPoint, QPointF, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from explorer.messages import Handle

_PIN_TIP = "A pinned handle follows the code of its image when the model changes"


class CanvasMenu(QMenu):
    """The canvas' context menu; says by signals what was chosen for which handle or place."""

    remove_requested = Signal(int)
    pin_requested = Signal(int)
    add_requested = Signal(QPointF)
    fit_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._handle_id = -1
        self._place = QPointF()
        self.setAccessibleName("Canvas menu")
        self.setToolTipsVisible(True)
        self.pin_action = self._action("&Pin to its image", _PIN_TIP)
        self.pin_action.setCheckable(True)
        self.pin_action.triggered.connect(self._pin)
        self.remove_action = self._action("&Remove handle", "Remove this handle (Delete)")
        self.remove_action.triggered.connect(self._remove)
        self.separator = self.addSeparator()
        self.add_action = self._action("&New handle here", "Put a handle at this place (double click)")
        self.add_action.triggered.connect(self._add)
        self.fit_action = self._action("&Fit the view", "Show all codes and the prior (0)")
        self.fit_action.triggered.connect(self._fit)

    def open_for(self, handle: Handle | None, place: QPointF, screen: QPoint) -> None:
        """Open at a point of the screen, for a handle or for the place alone."""
        self._handle_id = -1 if handle is None else handle.id
        self._place = place
        for action in (self.pin_action, self.remove_action, self.separator):
            action.setVisible(handle is not None)
        if handle is not None:
            self.remove_action.setText(f"&Remove handle {handle.id}")
            self.pin_action.setEnabled(handle.anchor is not None or handle.pinned)
            self.pin_action.setChecked(handle.pinned)
        self.popup(screen)

    def _action(self, text: str, tip: str) -> QAction:
        action = QAction(text, self)
        action.setToolTip(tip)
        self.addAction(action)
        return action

    def _pin(self) -> None:
        self.pin_requested.emit(self._handle_id)

    def _remove(self) -> None:
        self.remove_requested.emit(self._handle_id)

    def _add(self) -> None:
        self.add_requested.emit(self._place)

    def _fit(self) -> None:
        self.fit_requested.emit()

"""What every stop of the tour can do with the open window."""

import hashlib

from PySide6.QtCore import QObject, QPointF
from PySide6.QtWidgets import QDockWidget

from explorer.program import Program
from explorer.tour.driver import Driver, TourError


class Hands(QObject):
    """A program, who drives it, and where things are in its window."""

    def __init__(self, program: Program, driver: Driver) -> None:
        super().__init__()
        self._program = program
        self._driver = driver
        self.measured: dict[str, object] = {}

    def _handle_position(self) -> QPointF:
        code = self._program.session.latent.selected_code
        if code is None:
            raise TourError("no handle is selected")
        return self._pixel(*code[list(self._program.session.latent.axes)])

    def _pixel(self, a: float, b: float) -> QPointF:
        x, y = self._program.views.canvas.view.to_pixels(float(a), float(b))
        return QPointF(float(x), float(y))

    def _picture_hash(self) -> str:
        picture = self._program.views.hand.deterministic.picture
        return "" if picture is None else hashlib.sha256(picture.tobytes()).hexdigest()[:16]

    def _code(self) -> tuple[float, ...]:
        code = self._program.session.latent.selected_code
        return () if code is None else tuple(float(value) for value in code)

    def _raise_dock(self, content: QObject) -> None:
        parent = content.parent()
        while parent is not None and not isinstance(parent, QDockWidget):
            parent = parent.parent()
        if isinstance(parent, QDockWidget):
            parent.show()
            parent.raise_()
            self._driver.wait(100)

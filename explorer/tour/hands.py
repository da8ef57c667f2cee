"""What every stop of the tour can do with the open window."""

import hashlib
from pathlib import Path

from PySide6.QtCore import QObject, QPointF, Qt
from PySide6.QtWidgets import QComboBox, QDockWidget, QLineEdit, QScrollArea, QWidget

from core.saved_model import SavedModel
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

    def _choose(self, name: str, word: str) -> None:
        """Choose an entry of a setting's box by typing how it begins, without a space: that would open the list."""
        self._activate()
        box = self._editor(name)
        if not isinstance(box, QComboBox):
            raise TourError(f"{name} is no setting to choose by name")
        box.setFocus()
        self._driver.type(box, word)
        if not box.currentText().startswith(word):
            raise TourError(f"{name} does not offer {word}")

    def _enter(self, name: str, text: str) -> None:
        """Type a setting into its field."""
        self._activate()
        field = self._editor(name)
        if not isinstance(field, QLineEdit):
            raise TourError(f"{name} is no setting to type")
        field.setFocus()
        field.selectAll()
        self._driver.type(field, text)
        self._driver.key(field, Qt.Key.Key_Return)

    def _editor(self, name: str) -> QWidget:
        """Return the editor of a setting, in whichever panel it is."""
        for form in (self._program.views.model.form, *self._program.views.training.forms):
            if name in form.values():
                return form.editor(name)
        raise TourError(f"the panels have no field for {name}")

    def _activate(self) -> None:
        """Give the window the keys: after a menu a desktop does so itself; off-screen nobody does."""
        self._program.window.activateWindow()
        self._driver.wait_for("the window to be active", self._program.window.isActiveWindow)

    def _bring_into_view(self, widget: QWidget) -> None:
        """Scroll until a widget is in sight."""
        parent = widget.parentWidget()
        while parent is not None and not isinstance(parent, QScrollArea):
            parent = parent.parentWidget()
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(widget)

    def _train_for_an_epoch(self, label: str, name: str) -> SavedModel:
        """Return a new model of the kind that the panel calls `label`, trained for one epoch as a person would."""
        training = self._program.session.training
        self._choose("model", label)
        self._enter("epochs", "1")
        self._driver.key(self._program.window, Qt.Key.Key_F5)
        self._driver.wait_for(f"the run of {label}", lambda: training.active, timeout_s=30)
        self._driver.wait_for("its end", lambda: not training.active, timeout_s=600)
        saved = self._program.session.documents.saved
        if saved is None or saved.config.model.model != name:
            raise TourError(f"the model that was trained is no {name}")
        return saved

    def _open_again(self, before: Path | None, instead_of: SavedModel) -> None:
        """Open the model that was open before another was trained."""
        session = self._program.session
        if before is not None:
            session.open_paths((before,))
            self._driver.wait_for("the model before", lambda: session.documents.saved is not instead_of)
            self._driver.wait_for("its codes", lambda: session.latent.codes is not None)

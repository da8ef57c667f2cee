"""Stops of the tour at two models side by side, at clouds of codes under noise, and at nearest neighbours."""

from pathlib import Path

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QWidget

from core.saved_model import SavedModel
from explorer.program import Program
from explorer.tour.driver import Driver, TourError, line
from explorer.tour.hands import Hands
from resources import resource

_AUTOENCODER = "Autoencoder"
_DOCK_PX = 300
_SHIPPED_SIZE = (28, 28)


class SimilarStops(Hands):
    """Trains an autoencoder for one epoch and lays the shipped VAE beside it."""

    def __init__(self, program: Program, driver: Driver) -> None:
        super().__init__(program, driver)
        self._before: Path | None = None
        self._autoencoder: SavedModel | None = None

    def walk(self) -> None:
        """Make every stop.  Raises TourError where the program does not do what it should."""
        self._train_an_autoencoder()
        self._compare()
        self._cloud()
        self._neighbours()
        self._leave()

    def _leave(self) -> None:
        """Put the window back as it was: the model that was open, the curves in front."""
        if self._autoencoder is not None:
            self._open_again(self._before, self._autoencoder)
        self._program.session.analyses.similar.remove(1)
        self._raise_dock(self._program.views.curves)

    def _train_an_autoencoder(self) -> None:
        self._before = self._program.settings.last_document
        self._autoencoder = self._train_for_an_epoch(_AUTOENCODER, "autoencoder")
        self._driver.wait(600)

    def _compare(self) -> None:
        panel, compare = self._program.views.compare, self._program.session.analyses.compare
        self._driver.key(self._program.window, Qt.Key.Key_F7)
        self._choose_companion_in(panel.menu)
        self._driver.wait_for("the second model's codes", lambda: compare.space.codes is not None, timeout_s=30)
        self._driver.wait(1200)
        self._driver.picture("side by side")
        canvas, latent = self._program.views.canvas, self._program.session.latent
        # A drag at the end of the stops before may have left the handle outside the view.
        self._program.window.commands.trigger("view.fit")
        latent.move_selected_to(latent.dimensions.centre)
        self._driver.wait(300)
        code = latent.selected_code
        if code is None:
            raise TourError("no handle is selected")
        before = panel.second.grab().toImage()
        here = QPointF(*canvas.view.to_pixels(*(float(code[axis]) for axis in latent.axes)))
        middle = QPointF(0.5 * canvas.width(), 0.5 * canvas.height())
        self._driver.drag(canvas, line(here, 0.4 * here + 0.6 * middle + QPointF(40, 30), 30))
        self._driver.wait_for("the second canvas to follow", lambda: panel.second.grab().toImage() != before, 15.0)
        self._driver.picture("side by side, dragged")
        self._driver.click(panel.end)
        if panel.comparing:
            raise TourError("the comparison does not end")

    def _cloud(self) -> None:
        views, session = self._program.views, self._program.session
        panel, latent = views.similar, session.latent
        self._raise_dock(panel)
        views.window.resizeDocks([views.window.docks.curves], [_DOCK_PX], Qt.Orientation.Vertical)
        panel.menu.popup(panel.mapToGlobal(panel.rect().center()))
        self._choose_companion_in(panel.menu)
        latent.select_image(4)
        columns = panel.columns[:2]
        self._driver.wait_for("both clouds", lambda: all(column.cloud is not None for column in columns), timeout_s=30)
        self._driver.wait(500)
        self._driver.picture("a cloud under noise")
        slider = panel.controls.size_slider
        slider.setFocus()
        first = columns[0].cloud
        for _ in range(4):
            self._driver.key(slider, Qt.Key.Key_PageUp)
            self._driver.wait(60)
        self._driver.wait_for("the cloud to follow", lambda: columns[0].cloud is not first)
        self._driver.click(panel.close_up)
        self._driver.wait(500)
        self._driver.picture("more noise, close up")
        self.measured["cloud_spread"] = {
            column.title: round(column.cloud.spread, 5) for column in columns if column.cloud is not None
        }
        self._driver.click(panel.close_up)

    def _neighbours(self) -> None:
        panel = self._program.views.similar
        if panel.neighbours_button.isVisible():
            self._driver.click(panel.neighbours_button)
        shown = panel.neighbours.rows[0][0]
        self._driver.wait_for("the neighbours", lambda: shown.picture is not None and bool(panel.neighbours.words))
        self._driver.wait(300)
        self._driver.picture("nearest neighbours")
        self.measured["neighbours"] = panel.neighbours.words

    def _choose_companion_in(self, menu: QWidget) -> None:
        """Choose the shipped model in an open menu, or the one that was open before where its pictures do not fit."""
        self._driver.wait_for("the menu of models", menu.isVisible)
        config = self._program.session.latent.config
        fits = config is not None and (config.image_height, config.image_width) == _SHIPPED_SIZE
        wanted = Path(resource("models", "mnist-2d.safetensors")) if fits else self._before
        for action in menu.actions():
            if action.data() == wanted:
                action.trigger()
                menu.close()
                return
        raise TourError(f"the menu does not offer {wanted}")

"""The whole program with a small model and small data, for tests that drive it as a person would."""

import atexit
import functools
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDockWidget, QLineEdit, QWidget

from core.config import DataConfig
from core.data.dataset import Dataset
from core.data.sources import load_dataset
from core.saved_model import SavedModel
from core.shapes import Code, Picture, PixelRow
from core.storage.model_file import save_model
from explorer.messages import Handle
from explorer.program import Program
from explorer.settings import Settings
from explorer.tour.driver import Driver, line
from explorer.views.editors import TextEditor
from explorer.views.forms import SectionForm
from tests.small_data import SIDE, bars, small_config

LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier
LONG = 100_000
"""Epochs of a run that ends only when it is told to."""
CLOSING_S = 2.0
"""What the program promises."""


@functools.cache
def shared_folder() -> Path:
    """Return a folder that lives as long as the test run."""
    folder = tempfile.TemporaryDirectory(prefix="latent-explorer-small-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return Path(folder.name)


@functools.cache
def bars_file() -> Path:
    """Return an archive of labelled bars."""
    images = bars(640)
    path = shared_folder() / "bars.npz"
    np.savez(path, images=images.images, labels=np.asarray(images.labels))
    return path


def bars_config() -> DataConfig:
    """Return how the bars are read."""
    return DataConfig(source=str(bars_file()), image_size=SIDE, centre_drawings=False)


@functools.cache
def bars_data() -> Dataset:
    """Return the bars as the program reads them."""
    return load_dataset(bars_config())


@functools.cache
def trained(**changes: object) -> SavedModel:
    """Return a small model of the bars, trained for some epochs."""
    from core.training.loop import TrainingRun  # noqa: PLC0415 - torch only where a model is wanted

    values: dict[str, object] = {"epochs": 8, "learning_rate": 3e-3, **changes}
    config = small_config(**values)
    run = TrainingRun(type(config)(bars_config(), config.model, config.objective, config.training), bars_data())
    for _ in run.events():
        pass
    return run.saved()


@functools.cache
def model_file(**changes: object) -> Path:
    """Return the file of such a model."""
    name = "-".join(f"{key}-{value}" for key, value in changes.items()) or "bars"
    path = shared_folder() / f"{name}.safetensors".replace(" ", "").replace("(", "").replace(")", "")
    save_model(path, trained(**changes))
    return path


class OpenProgram:
    """A program with its window, and hands to use it."""

    def __init__(self, folder: Path, document: Path | None = None) -> None:
        self.folder = folder
        settings = Settings(folder / "settings.ini")
        if document is not None:
            settings.last_document = document
        self.program = Program(settings, folder)
        self.settings = settings
        self.window = self.program.window
        # More than the screen of the offscreen platform has.
        self.window.resize(1440, 900)
        self.views = self.program.views
        self.session = self.program.session
        self.driver = Driver(self.window, folder)
        self.ended: list[bool] = []
        self.program.ended.connect(self.ended.append)

    # Coming and going

    def start(self, *paths: Path) -> "OpenProgram":
        """Show the window and open what there is."""
        self.program.start(paths)
        return self

    def opened(self, *paths: Path) -> "OpenProgram":
        """Start, and return when the picture under the hand, the codes and all data are there."""
        self.start(*paths)
        self.until("a picture, codes and data", self.is_ready)
        return self

    def is_ready(self) -> bool:
        """Return whether everything there is to load is there."""
        latent = self.session.latent
        pictured = self.picture is not None and latent.codes is not None
        # The last of the threads begins when torch is there.
        pictured = pictured and self.program.workers.analysis.isRunning()
        return pictured and self.session.documents.data_complete and self.views.sliders.complete

    def close(self) -> float:
        """Close the window as a person does; return the seconds until every thread had ended."""
        start = time.monotonic()
        self.window.close()
        self.until("the end", lambda: bool(self.ended), timeout_s=10.0)
        seconds = time.monotonic() - start
        assert not any(thread.isRunning() for thread in self.program.workers.all)
        assert not self.window.isVisible()
        return seconds

    def leave(self) -> None:
        """Close whatever state it is in, for the end of a fixture."""
        if not self.ended:
            self.session.documents.unwritten = ""  # or it would stay open once to say so
            self.close()
        self.window.deleteLater()
        self.driver.wait(1)

    # Hands

    def until(self, what: str, condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
        """Let the program run until the condition holds."""
        self.driver.wait_for(what, condition, timeout_s)

    def drag_handle_to(self, a: float, b: float, steps: int = 8) -> None:
        """Drag the selected handle to a place of the latent plane."""
        canvas = self.views.canvas
        self.driver.drag(canvas, line(self.pixel_of(self.handle.code), self.pixel(a, b), steps), gap_ms=5)

    def click(self, button: QAbstractButton) -> None:
        """Click a button."""
        assert button.isEnabled()
        self.driver.click(button)

    def press(self, key: Qt.Key, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Give a key to the window."""
        # After a dialog a desktop gives the window the keys again; off-screen nobody does.
        self.window.activateWindow()
        self.until("the window to be active", self.window.isActiveWindow)
        QTest.keyClick(self.window, key, keys)

    def enter(self, field: QLineEdit, text: str) -> None:
        """Replace the text of a field, as with the keyboard."""
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def set_field(self, name: str, text: str) -> None:
        """Type a setting into the form that shows it."""
        self.enter(self.field(name), text)

    def drop(self, *paths: Path) -> None:
        """Drop files on the window."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        place = QPoint(self.window.width() // 2, 40)
        enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, mime, LEFT, NO_KEYS)
        QApplication.sendEvent(self.window, enter)
        assert enter.isAccepted()
        QApplication.sendEvent(self.window, QDropEvent(place, Qt.DropAction.CopyAction, mime, LEFT, NO_KEYS))

    def draw(self, *ink: tuple[float, float], lift: bool = True) -> None:
        """Draw a stroke through points of the 280×280 sheet."""
        surface = self.views.draw_pad.surface
        path = [surface.widget_from_ink(x, y) for x, y in ink]
        points = [point for start, end in itertools.pairwise(path) for point in line(start, end, 6)]
        self.driver.press(surface, points[0])
        self.driver.move(surface, points[1:], gap_ms=5)
        if lift:
            self.driver.release(surface, points[-1])

    def dock_of(self, content: QWidget) -> QDockWidget:
        """Return the dock that a widget is in."""
        parent: QWidget | None = content
        while parent is not None and not isinstance(parent, QDockWidget):
            parent = parent.parentWidget()
        assert parent is not None
        return parent

    def raise_dock(self, content: QWidget) -> None:
        """Bring the dock of a widget to the front."""
        dock = self.dock_of(content)
        dock.show()
        dock.raise_()
        self.driver.wait(20)

    # Eyes

    def seen(self, image: int) -> PixelRow:
        """Return an image of the shown half as the open model sees it."""
        seen = self.session.latent.seen(image)
        assert seen is not None
        return seen

    @property
    def picture(self) -> Picture | None:
        """The picture under the hand."""
        return self.views.hand.deterministic.picture

    @property
    def handles(self) -> tuple[Handle, ...]:
        """The handles on the canvas."""
        return self.views.canvas._handles

    @property
    def handle(self) -> Handle:
        """The selected handle on the canvas."""
        return next(handle for handle in self.handles if handle.id == self.views.canvas._selected)

    @property
    def error(self) -> str:
        """What the banner says went wrong."""
        return self.window.banner.error_text

    @property
    def note(self) -> str:
        """What the banner offers."""
        return self.window.banner.message_text

    @property
    def autosaves(self) -> list[Path]:
        """The files the program keeps by itself."""
        return sorted((self.folder / "autosaves").glob("*.safetensors"))

    @property
    def form(self) -> SectionForm:
        """The form of the training's settings."""
        return self.views.training.forms[0]

    def field(self, name: str) -> TextEditor:
        """Return the field of a setting."""
        forms = (self.views.model.form, *self.views.training.forms)
        editor = next(form.editor(name) for form in forms if name in form.values())
        assert isinstance(editor, TextEditor)
        return editor

    def pixel(self, a: float, b: float) -> QPointF:
        """Return the place of latent coordinates on the canvas."""
        x, y = self.views.canvas.view.to_pixels(float(a), float(b))
        return QPointF(float(x), float(y))

    def pixel_of(self, code: Code) -> QPointF:
        """Return the place of a code on the canvas."""
        first, second = self.session.latent.axes
        strip = len(code) == 1
        x, y = self.views.canvas.view.to_pixels(float(code[first]), 0.0 if strip else float(code[second]))
        return QPointF(float(x), float(y))

    def free_pixel(self) -> QPoint:
        """Return a place of the canvas with neither handle nor point."""
        canvas = self.views.canvas
        for x in range(canvas.width() - 60, 60, -37):
            for y in range(60, canvas.height() - 60, 37):
                place = QPointF(x, y)
                if canvas.childAt(x, y) is None and canvas._mark_at(place) is None and canvas._point_at(place) is None:
                    return QPoint(x, y)
        raise AssertionError("the canvas is full")


def decoded_by_torch(saved: SavedModel, code: Code) -> Picture:
    """Return E[x|z] as the model of the training decodes it: an oracle for the window's own decoder."""
    import torch  # noqa: PLC0415 - the oracle's library, wanted where it is asked

    from core.models.build import build_latent_model, load_weights  # noqa: PLC0415 - as above

    model = build_latent_model(saved.config.model, None)
    load_weights(model, saved.weights)
    with torch.no_grad():
        logits = model.generative(torch.tensor(np.array(code)[None]))
        grey = torch.sigmoid(logits).reshape(saved.config.model.image_height, saved.config.model.image_width)
    picture: Picture = torch.round(grey * 255).to(torch.uint8).numpy()
    return picture

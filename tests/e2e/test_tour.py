"""The tour: refused where it was called wrongly, and walked through on small data."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from explorer.program import Program
from explorer.settings import Settings
from explorer.tour import main as run_tour
from explorer.tour.driver import Driver, TourError, line
from explorer.tour.main import _parsed
from explorer.tour.stops import Tour
from explorer.views.main_window import MainWindow
from tests.e2e.test_window import run
from tests.open_program import LONG, OpenProgram, model_file

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--theme", "pink", "x"],
        ["--scale", "9", "x"],
        ["--scale", "large", "x"],
        ["--epochs", "0", "x"],
        ["--width", "10", "x"],
        [],
    ],
)
def test_a_wrong_argument_is_refused_with_what_is_allowed(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_tour(arguments)
    assert ended.value.code == 2
    assert "usage: latent-explorer tour" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    done = run("tour", str(tmp_path / "a file" / "tour"), folder=tmp_path)
    assert done.returncode == 1
    assert "a file" in done.stderr
    assert "Traceback" not in done.stderr


def test_arguments_have_defaults() -> None:
    options = _parsed(["pictures"])
    assert options == argparse.Namespace(
        folder="pictures", theme="light", scale=1.0, epochs=options.epochs, width=1440, height=900
    )
    assert 1 <= options.epochs <= 5


def test_a_line_has_both_its_ends() -> None:
    points = line(QPointF(0.0, 0.0), QPointF(10.0, -4.0), 4)
    assert points[0] == QPointF(0.0, 0.0)
    assert points[-1] == QPointF(10.0, -4.0)
    assert len(points) == 5


def test_the_driver_presses_moves_and_waits_as_a_hand_does(qtbot: QtBot, tmp_path: Path) -> None:
    button = QPushButton("press")
    qtbot.addWidget(button)
    button.resize(200, 100)
    button.show()
    driver = Driver(button, tmp_path)
    with qtbot.waitSignal(button.clicked, timeout=1_000):
        driver.click(button)
    assert driver.wait_for("what is there", lambda: True) < 0.5
    with pytest.raises(TourError, match="in vain for what never comes"):
        driver.wait_for("what never comes", lambda: False, timeout_s=0.05)
    path = driver.picture("A button, pressed")
    assert path.name == "01-a-button-pressed.png"
    with Image.open(path) as picture:
        assert picture.size == (200, 100)
    assert driver.pictures == [{"file": path.name, "title": "A button, pressed"}]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    settings = Settings(tmp_path / "settings.ini")
    settings.last_document = model_file(epochs=40)
    program = Program(settings, tmp_path)
    program.window.resize(1280, 860)
    yield program
    program.window.deleteLater()


class StrayWindows(QObject):
    """Notes every widget that opens a window of its own, but for menus and tips: a part shown before it had a place."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            kinds = {Qt.WindowType.Popup, Qt.WindowType.ToolTip, Qt.WindowType.Dialog}
            if watched.windowType() not in kinds and not isinstance(watched, MainWindow):
                self.seen.append(f"{type(watched).__name__} {watched.objectName()}")
        return False


@pytest.fixture
def stray_windows(qapp: QApplication) -> Iterator[StrayWindows]:
    watch = StrayWindows()
    qapp.installEventFilter(watch)
    yield watch
    qapp.removeEventFilter(watch)


@pytest.mark.slow
def test_every_stop_is_made_and_measured_on_small_data(
    stray_windows: StrayWindows, program: Program, tmp_path: Path
) -> None:
    driver = Driver(program.window, tmp_path)
    said: list[str] = []
    # So long that the drag during training finds it still training; it is ended as soon as that is done.
    tour = Tour(program, driver, epochs=LONG, say=lambda _fraction, text: said.append(text))
    stop_when_dragged(tour, program)
    tour.walk()
    assert tour.leave()
    assert tour.problem == ""
    assert not stray_windows.seen
    titles = [picture["title"] for picture in driver.pictures]
    assert titles[0] == "opened"
    assert {"slid", "drawn", "trained", "dragged while training"} <= set(titles)
    assert {"denoising, gaussian noise", "denoising, dropped pixels", "sparse, KL to rho", "sparse, L1"} <= set(titles)
    assert len(set(tour.measured["drag_pictures"])) == 5  # type: ignore[call-overload]
    assert json.dumps(tour.measured)
    repairs, sparse = tour.measured["denoising"], tour.measured["sparse"]
    assert isinstance(repairs, dict)
    assert isinstance(sparse, dict)
    assert repairs["gaussian"] != repairs["dropout"]
    assert all(figures["corrupted_mse"] > 0.0 for figures in repairs.values())
    assert sparse["kl"]["target"] == 0.05
    assert "target" not in sparse["l1"]
    drag = tour.measured["drag_ms"]
    assert isinstance(drag, dict)
    assert 0.0 < drag["p50"] <= drag["p95"] <= drag["max"]
    assert said[-1] == "done"
    for picture in driver.pictures:
        with Image.open(tmp_path / picture["file"]) as image:
            assert np.asarray(image.convert("L")).std() > 5.0, f"{picture['file']} shows nothing"


def stop_when_dragged(tour: Tour, program: Program) -> None:
    drag = tour._drag_while_training

    def drag_and_stop() -> list[float]:
        latencies = drag()
        program.session.training.stop()
        return latencies

    tour._drag_while_training = drag_and_stop  # type: ignore[method-assign]


def test_an_error_in_the_program_ends_the_tour_with_its_reason(tmp_path: Path) -> None:
    opened = OpenProgram(tmp_path, model_file())
    tour = Tour(opened.program, opened.driver, epochs=1, say=lambda _fraction, _text: None)
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    opened.settings.last_document = tmp_path / "broken.safetensors"
    with pytest.raises(TourError, match="broken"):
        tour.walk()
    assert tour.leave()
    opened.leave()

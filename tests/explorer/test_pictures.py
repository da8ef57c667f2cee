"""Pictures keep their grey scale, their pixels and their names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from core.snapshots import frozen
from explorer.messages import HandPictures
from explorer.theme import current_palette
from explorer.views.hand_panel import HandPanel
from explorer.views.picture_row import PictureRow
from explorer.views.pictures import PictureView
from explorer.views.readouts import NumberRow, NumberTable, number, spread, with_error


def picture(low: int = 90, high: int = 160, shape: tuple[int, int] = (28, 28)) -> np.ndarray[Any, Any]:
    return frozen(np.random.default_rng(3).integers(low, high + 1, shape), np.uint8)


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[QWidget]:
    # A window of its own would ask for its least size, of which the offscreen platform complains.
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(400, 500)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.close()


def shown(window: QWidget, view: QWidget, width: int, height: int) -> None:
    view.setParent(window)
    view.setGeometry(0, 0, width, height)
    view.show()


def greys(view: QWidget) -> np.ndarray[Any, Any]:
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].copy()


def test_a_pale_picture_is_not_stretched_to_black_and_white(window: QWidget) -> None:
    view = PictureView()
    shown(window, view, 120, 120)
    pale = picture(110, 130)
    view.set_picture(pale)
    rect = view.picture_rect().toRect()
    inside = greys(view)[rect.top() : rect.bottom() + 1, rect.left() : rect.right() + 1]
    assert inside.min() == pale.min()
    assert inside.max() == pale.max()


def test_every_pixel_is_a_square_of_the_same_size(window: QWidget) -> None:
    view = PictureView()
    shown(window, view, 150, 150)
    values = picture(0, 255)
    view.set_picture(values)
    rect = view.picture_rect().toRect()
    assert rect.width() == rect.height() == 5 * 28
    inside = greys(view)[rect.top() : rect.top() + 140, rect.left() : rect.left() + 140]
    assert (inside == np.kron(values, np.ones((5, 5), np.uint8))).all()


def test_a_picture_that_is_not_square_keeps_its_aspect(window: QWidget) -> None:
    view = PictureView()
    shown(window, view, 150, 150)
    view.set_picture(picture(0, 255, (14, 28)))
    rect = view.picture_rect().toRect()
    assert (rect.width(), rect.height()) == (140, 70)


def test_the_smooth_look_has_greys_between_the_pixels(window: QWidget) -> None:
    view = PictureView()
    shown(window, view, 150, 150)
    values = frozen(np.indices((28, 28)).sum(axis=0) % 2 * 255, np.uint8)
    view.set_picture(values)
    middle = np.s_[40:100, 40:100]
    assert set(np.unique(greys(view)[middle])) == {0, 255}
    view.set_smooth(True)
    assert len(np.unique(greys(view)[middle])) > 10


def test_the_image_wraps_the_array_and_keeps_it_alive(window: QWidget) -> None:
    view = PictureView()
    shown(window, view, 150, 150)
    values = picture()
    view.set_picture(values)
    assert view.picture is values
    expected = values.copy()
    del values
    np.random.default_rng(0).integers(0, 255, (64, 28, 28)).astype(np.uint8)
    copied = view.image()
    rows = np.frombuffer(copied.constBits(), np.uint8).reshape(28, copied.bytesPerLine())[:, :28]
    assert (rows == expected).all()


def test_each_paint_says_which_picture_is_on_the_screen(window: QWidget, qtbot: QtBot) -> None:
    view = PictureView()
    shown(window, view, 150, 150)
    one = picture()
    with qtbot.waitSignal(view.painted, check_params_cb=(1).__eq__):
        assert view.set_picture(one) == 1
    assert view.set_picture(one) == 1
    with qtbot.waitSignal(view.painted, check_params_cb=(2).__eq__):
        assert view.set_picture(picture(0, 20)) == 2


def test_the_same_picture_again_paints_nothing(window: QWidget, qtbot: QtBot) -> None:
    view = PictureView()
    shown(window, view, 150, 150)
    one = picture()
    with qtbot.waitSignal(view.painted):
        view.set_picture(one)
    with qtbot.assertNotEmitted(view.painted, wait=30):
        view.set_picture(one)


def test_an_empty_view_shows_its_sentence_and_offers_nothing(window: QWidget) -> None:
    view = PictureView("raw", "The ink.")
    view.set_placeholder("Nothing is drawn yet.")
    shown(window, view, 150, 170)
    assert len(np.unique(greys(view)[20:130, 10:140])) > 3
    assert view.accessibleDescription() == "Nothing is drawn yet."
    assert not view.copy_action.isEnabled()
    view.set_picture(picture())
    assert view.copy_action.isEnabled()
    assert "28 by 28 pixels" in view.accessibleDescription()
    view.set_picture(frozen(np.zeros((0, 0)), np.uint8))
    assert view.picture is None


def test_copying_by_key_gives_the_clipboard_the_picture_itself(window: QWidget, qtbot: QtBot) -> None:
    view = PictureView("raw")
    shown(window, view, 150, 170)
    values = picture()
    view.set_picture(values)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    view.setFocus()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (28, 28)
    assert image.pixelColor(5, 9).red() == values[9, 5]


def test_a_saved_picture_reads_back_the_same(window: QWidget, qtbot: QtBot, tmp_path: Path) -> None:
    view = PictureView("raw")
    shown(window, view, 150, 170)
    values = picture(0, 255, (20, 31))
    view.set_picture(values)
    view.save_picture(tmp_path / "raw.png")
    image = QImage(str(tmp_path / "raw.png")).convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(20, image.bytesPerLine())[:, :31]
    assert (rows == values).all()
    with qtbot.waitSignal(view.failed) as caught:
        view.save_picture(tmp_path / "missing" / "raw.png")
    assert "missing" in caught.args[0]


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_saving_asks_without_blocking_the_window(window: QWidget) -> None:
    view = PictureView("what the\nmodel sees")
    shown(window, view, 150, 170)
    view.set_picture(picture())
    view.save_action.trigger()
    dialogs = view.findChildren(QFileDialog)
    assert len(dialogs) == 1
    assert dialogs[0].selectedFiles()[0].endswith("what-the-model-sees.png")
    dialogs[0].reject()


def test_the_views_of_a_row_have_exactly_the_same_size(window: QWidget) -> None:
    views = tuple(PictureView(name, caption_lines=2, fill=True) for name in "abcd")
    row = PictureRow(views)
    shown(window, row, 331, row.heightForWidth(331))
    assert len({(view.width(), view.height(), view.y()) for view in views}) == 1
    assert views[3].geometry().right() <= 331


def test_a_picture_larger_than_its_view_is_averaged_not_sampled(window: QWidget) -> None:
    view = PictureView(fill=True)
    shown(window, view, 72, 72)
    lines = np.zeros((280, 280), np.uint8)
    lines[:, ::4] = 255
    view.set_picture(frozen(lines))
    assert greys(view)[10:60, 10:60].mean() == pytest.approx(64, abs=6)
    assert greys(view)[10:60, 10:60].max() < 140


def hand(version: int = 3, *, source: bool = True, latent_dim: int = 2) -> HandPictures:
    return HandPictures(
        code=frozen(np.linspace(-1.25, 2.0, latent_dim), np.float32),
        deterministic=picture(),
        stochastic=picture(0, 255),
        version=version,
        source=picture(0, 255) if source else None,
    )


def test_the_hand_panel_shows_the_pictures_of_a_handle(window: QWidget, qtbot: Any) -> None:
    panel = HandPanel()
    shown(window, panel, 360, 330)
    pictures = hand()
    panel.set_pictures(pictures)
    assert panel.deterministic.picture is pictures.deterministic
    assert panel.stochastic.picture is pictures.stochastic
    assert panel.source.picture is pictures.source
    assert panel.source.isVisible()
    qtbot.waitUntil(lambda: panel.status_text == "z₁ −1.25  z₂ 2.00 · weights version 3")
    panel.set_pictures(hand(latent_dim=3))
    # The sliders show longer codes.
    qtbot.waitUntil(lambda: panel.status_text == "weights version 3")
    panel.set_pictures(hand(source=False))
    assert not panel.source.isVisible()


def test_without_a_handle_the_panel_says_what_to_do(window: QWidget, qtbot: Any) -> None:
    panel = HandPanel()
    shown(window, panel, 360, 330)
    panel.set_pictures(hand())
    panel.set_pictures(None)
    assert panel.deterministic.picture is None
    qtbot.waitUntil(lambda: panel.status_text == "")
    assert "Select a handle" in panel.deterministic.accessibleDescription()


@pytest.mark.parametrize(
    ("value", "text"), [(-1.234, "−1.23"), (0.0, "0.00"), (-0.001, "0.00"), (2.5e7, "2.50e+07"), (float("nan"), "nan")]
)
def test_numbers_have_a_true_minus_and_no_negative_zero(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123, "0.0123"),
        (0.1, "0.100"),
        (1.0, "1.00"),
        (12.345, "12.3"),
        (123.4, "123"),
        (5e-6, "5.00e-06"),
        (0.0, "0"),
    ],
)
def test_a_standard_deviation_has_three_significant_digits(value: float, text: str) -> None:
    assert spread(value) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (19_413.2, 72.4, "19,413 ± 72"),
        (3.1712, 0.189, "3.17 ± 0.19"),
        (-2.0, 0.0312, "−2.000 ± 0.031"),
        (5.0, 0.0, "5 ± 0"),
        (5.0, float("nan"), "5 ± nan"),
    ],
)
def test_a_figure_has_the_digits_that_its_error_leaves(value: float, error: float, text: str) -> None:
    assert with_error(value, error) == text


def test_a_table_paints_its_numbers_in_the_themes_text_colour(window: QWidget) -> None:
    table = NumberTable("Code")
    table.set_rows(("", "nats"), [NumberRow("NLL", ("140.25",), "The cost.")])
    shown(window, table, 200, table.sizeHint().height())
    image = table.grab().toImage()
    wanted = QColor(current_palette().text)
    found = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert wanted.name() in found
    assert table.accessibleDescription() == "\tnats\nNLL\t140.25"


def test_a_picture_that_has_the_keys_is_copied_beside_a_window_with_the_same_key(window: QWidget, qtbot: QtBot) -> None:
    view = PictureView("raw")
    shown(window, view, 150, 170)
    command = QAction("Copy", window)
    command.setShortcut(QKeySequence.StandardKey.Copy)
    given = []

    def give() -> None:
        given.append("copy")

    command.triggered.connect(give)
    window.addAction(command)
    values = picture()
    view.set_picture(values)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    view.setFocus()
    QGuiApplication.clipboard().clear()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert (QGuiApplication.clipboard().image().width(), given) == (28, [])
    view.set_picture(None)
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert given == ["copy"]

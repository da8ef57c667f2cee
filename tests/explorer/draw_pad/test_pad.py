"""What the pad tells the program, and what it shows of the answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QSlider
from pytestqt.qtbot import QtBot

from core.config import DataConfig, ModelConfig
from core.snapshots import frozen
from explorer.settings import Settings
from explorer.theme import apply_theme
from explorer.views.draw_pad import DrawPad
from explorer.views.draw_pad.pad import LEAST_GAP_MS
from explorer.views.draw_pad.strokes import DEFAULT_BRUSH
from explorer.views.pacing import RequestPacer
from tests.explorer.draw_pad.conftest import LEFT, Hand, encoding

LINE = [(60.0, 60.0), (220.0, 220.0)]
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def digit() -> np.ndarray[Any, Any]:
    """Return a picture that no normalisation would leave as it is: its ink is in a corner."""
    picture = np.zeros((28, 28), np.uint8)
    picture[2:12, 3:6] = 200
    picture[9, 3:12] = 255
    return frozen(picture)


def test_lifting_the_pen_tells_of_a_finished_drawing(hand: Hand) -> None:
    hand.press(*LINE[0])
    hand.move(*LINE[1])
    assert not any(drawing.finished for drawing in hand.drawings)
    hand.release(*LINE[1])
    assert hand.drawings[-1].finished
    assert hand.drawings[-1].picture.shape == (28, 28)
    assert not hand.drawings[-1].raw.flags.writeable


def test_a_fast_pen_is_paced_and_its_last_place_is_told(hand: Hand, qtbot: QtBot) -> None:
    hand.press(40, 40)
    for step in range(400):
        hand.move(40 + step / 2, 60)
    assert 0 < len(hand.drawings) < 400
    qtbot.waitUntil(lambda: hand.drawings[-1].raw[60, 238] == 255)
    hand.release(239, 60)


def test_the_pacer_keeps_the_gap_and_loses_no_last_request(qtbot: QtBot, pad: DrawPad) -> None:
    pacer = RequestPacer(pad, LEAST_GAP_MS)
    with qtbot.waitSignal(pacer.due, timeout=100):
        pacer.request()
    with qtbot.waitSignal(pacer.due, timeout=50 * LEAST_GAP_MS):
        for _ in range(5):
            pacer.request()
    pacer.request()
    with qtbot.waitSignal(pacer.due):
        pacer.request_now()
    # The request that waited was answered with that, and not a second time.
    with qtbot.assertNotEmitted(pacer.due, wait=5 * LEAST_GAP_MS):
        pass


def test_setters_tell_nothing(hand: Hand) -> None:
    hand.pad.set_picture(digit())
    hand.pad.set_model_size(32, 40)
    hand.pad.set_centre_drawings(False)
    hand.pad.set_encoding(encoding())
    hand.pad.set_unavailable("no model")
    hand.pad.set_encoding(None)
    assert not hand.drawings


def test_the_receiver_can_ask_for_the_drawing_at_another_size(hand: Hand) -> None:
    hand.stroke(LINE)
    hand.pad.set_model_size(32, 40)
    assert hand.pad.drawing().picture.shape == (32, 40)
    with pytest.raises(ValueError, match="0×5"):
        hand.pad.set_model_size(0, 5)


def test_undo_and_redo_by_key_give_back_the_exact_ink(hand: Hand) -> None:
    surface = hand.pad.surface
    hand.stroke(LINE)
    one = hand.pad.drawing().raw
    hand.stroke([(220, 60), (60, 220)])
    two = hand.pad.drawing().raw
    QTest.keyClick(surface, Qt.Key.Key_Z, CONTROL)
    assert (hand.drawings[-1].raw == one).all()
    QTest.keyClick(surface, Qt.Key.Key_Z, CONTROL)
    assert hand.drawings[-1].empty
    QTest.keyClick(surface, Qt.Key.Key_Z, CONTROL | SHIFT)
    QTest.keyClick(surface, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert (hand.drawings[-1].raw == two).all()
    assert not hand.pad.tools.redo.isEnabled()


def test_the_pads_undo_comes_before_the_windows(hand: Hand, qtbot: QtBot) -> None:
    window = hand.pad.window()
    undo_of_window = QShortcut(QKeySequence("Ctrl+Z"), window)
    hand.stroke(LINE)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    hand.pad.surface.setFocus()
    with qtbot.assertNotEmitted(undo_of_window.activated):
        QTest.keyClick(window.windowHandle(), Qt.Key.Key_Z, CONTROL)
    assert hand.pad.drawing().empty
    # The same key with nothing of the pad in focus is the window's.
    hand.pad.surface.clearFocus()
    with qtbot.waitSignal(undo_of_window.activated):
        QTest.keyClick(window.windowHandle(), Qt.Key.Key_Z, CONTROL)


def test_the_pad_says_whether_there_is_something_to_undo(hand: Hand) -> None:
    said: list[tuple[bool, bool]] = []
    hand.pad.history_changed.connect(lambda undo, redo: said.append((undo, redo)))
    hand.stroke(LINE)
    hand.pad.undo()
    assert (True, False) in said
    assert said[-1] == (False, True)


def test_buttons_undo_redo_and_clear(hand: Hand) -> None:
    tools = hand.pad.tools
    assert not tools.undo.isEnabled()
    assert not tools.clear.isEnabled()
    hand.stroke(LINE)
    already = len(hand.drawings)
    for button in (tools.undo, tools.redo, tools.clear, tools.undo):
        QTest.mouseClick(button, LEFT)
    assert [drawing.empty for drawing in hand.drawings[already:]] == [True, False, True, False]
    assert all(drawing.finished for drawing in hand.drawings[already:])


def test_a_picture_of_the_data_is_seen_as_it_is(hand: Hand) -> None:
    hand.pad.set_picture(digit())
    assert (hand.pad.drawing().picture == digit()).all()
    assert hand.pad.drawing().raw[95, 45] == 255
    # A stroke makes it a drawing, which is normalised.
    hand.stroke([(200, 200), (220, 220)])
    assert (hand.drawings[-1].picture != digit()).any()
    QTest.mouseClick(hand.pad.tools.undo, LEFT)
    assert (hand.drawings[-1].picture == digit()).all()


def test_switching_the_centring_tells_of_another_picture(hand: Hand) -> None:
    hand.stroke([(40, 40), (80, 90)])
    centred = hand.drawings[-1].picture
    count = len(hand.drawings)
    QTest.mouseClick(hand.pad.sources.centre, LEFT, pos=QPoint(8, hand.pad.sources.centre.height() // 2))
    assert hand.pad.centre_drawings is False
    assert len(hand.drawings) == count + 1
    assert (hand.drawings[-1].picture != centred).any()
    rows = np.flatnonzero(hand.drawings[-1].picture.any(axis=1))
    assert rows.min() >= 1
    assert rows.max() <= 11


def test_requests_are_passed_on(hand: Hand, qtbot: QtBot) -> None:
    sources = hand.pad.sources
    with qtbot.waitSignal(hand.pad.from_data_requested):
        QTest.mouseClick(sources.from_data, LEFT)
    assert not sources.to_canvas.isEnabled()
    hand.stroke(LINE)
    hand.pad.set_encoding(encoding())
    with qtbot.waitSignal(hand.pad.send_to_canvas_requested):
        QTest.mouseClick(sources.to_canvas, LEFT)


def test_an_encoding_is_shown_in_pictures_and_nats(hand: Hand) -> None:
    hand.stroke(LINE)
    answer = encoding()
    hand.pad.set_encoding(answer)
    results = hand.pad.results
    shown = [view for view in results.pictures if view.isVisible()]
    assert shown == [results.raw, results.seen, results.deterministic, results.stochastic]
    assert all(view.picture is not None for view in shown)
    assert results.seen.picture is answer.seen
    assert results.posterior.text() == "q(z | x)\tμ\tσ\nz₁\t−1.50\t0.500\nz₂\t1.00\t0.500"
    # Bits per dimension: 146.75 / (784 ln 2) = 0.270.
    assert results.costs.text().splitlines()[1:] == ["ELBO\t−146.75\t−0.270", "NLL\t140.25\t0.258", "KL\t6.50\t0.012"]
    assert "by quadrature at 64 codes" in results.status.text()
    assert "version 12" in results.status.text()


def test_more_dimensions_than_a_quadrature_takes_are_averaged_over_samples(hand: Hand) -> None:
    hand.stroke(LINE)
    hand.pad.set_encoding(encoding(latent_dim=3))
    assert "over 64 samples of q(z | x)" in hand.pad.results.status.text()


def test_an_autoencoder_shows_no_elbo_and_says_why(hand: Hand) -> None:
    hand.stroke(LINE)
    hand.pad.set_model(ModelConfig(model="autoencoder"))
    hand.pad.set_encoding(encoding(autoencoder=True))
    lines = hand.pad.results.costs.text().splitlines()
    assert lines[1] == "ELBO\t–\t–"
    assert lines[3] == "KL\t–\t–"
    assert "autoencoder defines no p(x)" in hand.pad.results.status.text()
    assert "σ" not in hand.pad.results.posterior.text()


def test_nats_of_grey_pixels_are_marked(hand: Hand) -> None:
    hand.stroke(LINE)
    hand.pad.set_encoding(encoding(grey=True))
    assert "not a likelihood" in hand.pad.results.status.text()
    assert hand.pad.results.costs.text().splitlines()[2] == "NLL\t140.25\t–"


def test_many_dimensions_are_elided_and_counted(hand: Hand) -> None:
    hand.stroke(LINE)
    hand.pad.set_encoding(encoding(latent_dim=32))
    lines = hand.pad.results.posterior.text().splitlines()
    assert lines[-1] == "… and 29 more"
    assert len(lines) == 5


def test_the_sheet_never_moves_under_the_pen(hand: Hand, qtbot: QtBot) -> None:
    hand.stroke(LINE)
    hand.pad.set_encoding(encoding(latent_dim=32))
    qtbot.wait(20)
    where = hand.pad.surface.geometry()
    hand.pad.clear()
    hand.pad.note.complain("Something is wrong, and it takes more words than there is room for in one line.")
    qtbot.wait(20)
    assert hand.pad.surface.geometry() == where
    hand.stroke([(140, 140)])
    hand.pad.set_encoding(encoding(latent_dim=32, grey=True))
    qtbot.wait(20)
    assert hand.pad.surface.geometry() == where


def test_an_encoding_that_comes_after_the_ink_is_gone_is_not_shown(hand: Hand) -> None:
    hand.stroke(LINE)
    hand.pad.set_encoding(encoding())
    QTest.keyClick(hand.pad.surface, Qt.Key.Key_Delete)
    hand.pad.set_encoding(encoding())
    assert hand.pad.results.encoding is None
    assert all(view.picture is None for view in hand.pad.results.pictures)


def test_without_a_model_the_pad_draws_and_says_why_there_are_no_numbers(hand: Hand) -> None:
    hand.pad.set_unavailable("The model is loading.")
    hand.stroke(LINE)
    assert hand.pad.results.status.text() == "The model is loading."
    assert hand.pad.results.raw.picture is not None
    assert not hand.pad.sources.to_canvas.isEnabled()


def test_hardly_any_ink_is_remarked_on(hand: Hand) -> None:
    hand.pad.set_usual_ink(0.04, 0.27)
    hand.stroke([(140, 140)])
    assert "less than nearly all of the data" in hand.pad.note.whole_text
    hand.pad.clear()
    assert not hand.pad.note.whole_text


def dark_on_light(*, alpha: bool = False) -> QImage:
    image = QImage(100, 100, QImage.Format.Format_ARGB32)
    image.fill(QColor(0, 0, 0, 0) if alpha else QColor(230, 228, 220))
    for x in range(45, 55):
        for y in range(10, 90):
            image.setPixelColor(x, y, QColor(20, 20, 40))
    return image


@pytest.mark.parametrize("alpha", [False, True])
def test_a_pasted_dark_on_light_picture_becomes_light_ink(hand: Hand, alpha: bool) -> None:  # noqa: FBT001
    QGuiApplication.clipboard().setImage(dark_on_light(alpha=alpha))
    QTest.keyClick(hand.pad.surface, Qt.Key.Key_V, CONTROL)
    raw = hand.drawings[-1].raw
    assert raw[140, 140] > 220
    assert raw[140, 20] == raw[5, 140] == 0
    assert "inverted" in hand.pad.note.whole_text
    QTest.keyClick(hand.pad.surface, Qt.Key.Key_Z, CONTROL)
    assert hand.drawings[-1].empty


def test_an_empty_clipboard_is_said_and_changes_nothing(hand: Hand) -> None:
    QGuiApplication.clipboard().setText("seven")
    QTest.mouseClick(hand.pad.sources.paste, LEFT)
    assert "no picture" in hand.pad.note.whole_text
    assert not hand.drawings


def drop(pad: DrawPad, path: Path) -> bool:
    """Drag a file onto the pad and drop it.  Return whether the pad took it."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    action, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(50, 90), action, mime, LEFT, none)
    QApplication.sendEvent(pad, entering)
    if not entering.isAccepted():
        return False
    QApplication.sendEvent(pad, QDropEvent(QPointF(50, 90), action, mime, LEFT, none))
    return True


def test_a_dropped_picture_file_becomes_the_ink(hand: Hand, tmp_path: Path) -> None:
    path = tmp_path / "sieben.png"
    dark_on_light().save(str(path))
    assert drop(hand.pad, path)
    assert hand.drawings[-1].raw[140, 140] > 240


def test_a_file_that_is_no_picture_is_left_to_the_window(hand: Hand, tmp_path: Path) -> None:
    path = tmp_path / "data.npy"
    path.write_bytes(b"x")
    assert not drop(hand.pad, path)
    assert not drop(hand.pad, tmp_path)


def test_a_broken_picture_file_changes_nothing_and_is_named(hand: Hand, tmp_path: Path) -> None:
    hand.stroke(LINE)
    count, before = len(hand.drawings), hand.pad.drawing().raw
    path = tmp_path / "broken.png"
    path.write_bytes(b"no picture at all")
    assert drop(hand.pad, path)
    assert "broken.png" in hand.pad.note.whole_text
    assert drop(hand.pad, tmp_path / "gone.png")
    assert "gone.png" in hand.pad.note.whole_text
    assert len(hand.drawings) == count
    assert (hand.pad.drawing().raw == before).all()


def test_pictures_become_ink_as_the_models_data_were_imported(hand: Hand) -> None:
    hand.pad.set_import_config(DataConfig(source="/data/faces", invert=False))
    hand.pad.insert(dark_on_light())
    assert hand.drawings[-1].raw[140, 140] < 60
    assert hand.drawings[-1].raw[140, 20] > 200
    hand.pad.set_import_config(DataConfig(source="/data/faces", invert=True))
    hand.pad.insert(dark_on_light())
    assert hand.drawings[-1].raw[140, 140] > 200


def test_every_control_has_a_name_a_tool_tip_and_the_keyboard(pad: DrawPad) -> None:
    controls = [*pad.findChildren(QAbstractButton), *pad.findChildren(QSlider)]
    assert len(controls) >= 9
    for control in controls:
        assert control.accessibleName()
        assert control.toolTip()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_the_pad_fits_a_dock_340_pixels_wide(pad: DrawPad) -> None:
    assert pad.minimumSizeHint().width() <= 340


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_hint_is_painted_until_there_is_ink(hand: Hand, qapp: QApplication, qtbot: QtBot, theme: str) -> None:
    surface = hand.pad.surface
    apply_theme(qapp, theme)
    # The theme's buttons are higher than the platform's, and the sheet gives way.
    qtbot.wait(20)
    QTest.mouseMove(surface, QPoint(1, 1))

    def brightest() -> int:
        sheet = surface.sheet_rect().toRect().adjusted(4, 4, -4, -4)
        image = surface.grab(sheet).toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        # Lines are padded to four bytes with whatever was in memory.
        lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        return int(lines[:, : image.width()].max())

    assert brightest() > 100
    hand.stroke([(140, 140)])
    hand.pad.set_hint("")
    QTest.mouseClick(hand.pad.tools.clear, LEFT)
    QTest.mouseMove(surface, QPoint(1, 1))
    assert brightest() < 20


def test_what_is_painted_is_the_ink_in_place(hand: Hand) -> None:
    hand.stroke([(40, 60), (240, 60)])
    image = hand.pad.surface.grab().toImage()
    inside, outside = hand.at(140, 60), hand.at(140, 120)
    scale = image.width() / hand.pad.surface.width()
    assert image.pixelColor(inside * scale).lightness() > 240
    assert image.pixelColor(outside * scale).lightness() < 10


def test_the_brush_is_the_one_that_was_chosen_last(hand: Hand, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.ini")
    hand.pad.remember(settings)
    hand.pad.tools.brush_size.setFocus()
    QTest.keyClick(hand.pad.tools.brush_size, Qt.Key.Key_Right)
    chosen = hand.pad.surface.brush
    again = DrawPad()
    again.remember(Settings(tmp_path / "settings.ini"))
    assert again.surface.brush == chosen != DEFAULT_BRUSH
    again.deleteLater()

"""Data in the program: chosen, dropped, imported, refused, and what does not fit the open model."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton

from core.data.binarisation import seen_by_model
from explorer.views.editors import ChoiceEditor
from explorer.views.import_dialog import ImportDialog
from tests.open_program import LONG, OpenProgram, bars_data, model_file
from tests.small_data import SIDE, bars

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    yield program
    program.leave()


def data_name(opened: OpenProgram) -> str:
    dataset = opened.session.documents.dataset
    return "" if dataset is None else dataset.name


def box(opened: OpenProgram) -> QComboBox:
    return opened.views.data._box


def choose(combo: QComboBox, text: str) -> None:
    """Choose an entry with the keyboard."""
    combo.setFocus()
    row = combo.findText(text)
    assert row >= 0
    steps = row - combo.currentIndex()
    combo.showPopup()
    view = combo.view()
    for _ in range(abs(steps)):
        QTest.keyClick(view, Qt.Key.Key_Down if steps > 0 else Qt.Key.Key_Up)
    if view.currentIndex().row() != row:
        view.setCurrentIndex(combo.model().index(row, 0))
    QTest.keyClick(view, Qt.Key.Key_Return)


def dialog_of(opened: OpenProgram) -> ImportDialog:
    opened.until("the import dialog", lambda: bool(visible_dialogs(opened)))
    return visible_dialogs(opened)[-1]


def visible_dialogs(opened: OpenProgram) -> list[ImportDialog]:
    return [dialog for dialog in opened.window.findChildren(ImportDialog) if dialog.isVisible()]


def accept(opened: OpenProgram, dialog: ImportDialog) -> None:
    opened.until("the preview", dialog._import.isEnabled)
    opened.click(dialog._import)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder of pictures, dark on light, in two subfolders, one of them broken."""
    folder = tmp_path / "my pictures"
    found = bars(40, seed=3)
    for index, (picture, label) in enumerate(zip(found.images, np.asarray(found.labels), strict=True)):
        place = folder / ("across", "down")[int(label)]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - np.asarray(picture)).resize((24, 24), Image.Resampling.NEAREST).save(
            place / f"{index}.png"
        )
    (folder / "across" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    found = bars(120, seed=7)
    path = tmp_path / "more bars.npz"
    np.savez(path, images=found.images, labels=np.asarray(found.labels))
    return path


def test_the_other_half_of_the_data_is_shown_when_it_is_chosen(opened: OpenProgram) -> None:
    choose(opened.window._strip._splits, "Train")
    opened.until("the training codes", lambda: shown_split(opened) == "train")
    codes = opened.session.latent.codes
    assert codes is not None
    assert len(codes) == len(bars_data().train)
    assert "training" in opened.views.canvas._note


def shown_split(opened: OpenProgram) -> str:
    codes = opened.session.latent.codes
    return "" if codes is None else codes.split


def test_another_binarisation_encodes_the_same_images_anew(opened: OpenProgram) -> None:
    before = opened.session.latent.codes
    assert before is not None
    editor = opened.views.data._form.editor("binarisation")
    assert isinstance(editor, ChoiceEditor)
    choose(editor, "threshold at ½")
    opened.until("other codes", lambda: opened.session.latent.codes is not before)
    codes, hand = opened.session.latent.codes, opened.session.latent.hand
    assert codes is not None
    assert hand is not None
    dataset = opened.session.documents.dataset
    assert dataset is not None
    assert dataset.config.binarisation == "threshold"
    thresholded = (np.asarray(bars_data().held_out.images) >= 128).reshape(len(codes), -1).astype(np.float32)
    np.testing.assert_allclose(codes.mean, hand.coder.encode(thresholded).mean, atol=1e-4)
    assert not opened.error


def test_a_handle_s_image_and_pin_outlive_another_binarisation(opened: OpenProgram) -> None:
    grab_a_point(opened)
    anchor = opened.handle.anchor
    QTest.keyClick(opened.views.canvas, Qt.Key.Key_P)
    before = opened.session.latent.codes
    editor = opened.views.data._form.editor("binarisation")
    assert isinstance(editor, ChoiceEditor)
    choose(editor, "threshold at ½")
    opened.until("other codes", lambda: opened.session.latent.codes is not before)
    assert opened.handle.anchor == anchor
    assert opened.handle.pinned


def num_codes(opened: OpenProgram) -> int:
    codes = opened.session.latent.codes
    return 0 if codes is None else len(codes)


def grab_a_point(opened: OpenProgram) -> None:
    codes = opened.session.latent.codes
    assert codes is not None
    here = opened.handle.code
    row = int(np.argmax(((codes.mean - here) ** 2).sum(axis=1)))
    place = opened.pixel_of(codes.mean[row])
    shift = opened.pixel(0.3, 0.0) - opened.pixel(0.0, 0.0)
    opened.driver.drag(opened.views.canvas, [place, place - shift / 2, place - shift], gap_ms=6)
    assert opened.handle.anchor is not None


def test_data_of_another_size_leaves_the_model_and_offers_to_train_on_it(opened: OpenProgram) -> None:
    model = opened.session.documents.saved
    choose(box(opened), "Shapes")
    opened.until("the data", lambda: data_name(opened).lower().startswith("shapes") and bool(opened.note))
    assert "12×12" in opened.note
    assert "28×28" in opened.note
    assert opened.session.documents.saved is model
    assert opened.session.latent.codes is None
    opened.drag_handle_to(0.4, 0.2)
    assert opened.picture is not None
    assert opened.picture.shape == (SIDE, SIDE)
    continue_button = opened.views.training.controls.findChild(QPushButton, "model.continue")
    assert isinstance(continue_button, QPushButton)
    assert not continue_button.isEnabled()

    opened.set_field("epochs", str(LONG))
    offer = next(button for button in opened.window.banner.findChildren(QPushButton) if "Train" in button.text())
    opened.until("all of the data", lambda: opened.session.documents.data_complete)
    opened.click(offer)
    opened.until("a picture of the new model", lambda: opened.picture is not None and opened.picture.shape == (28, 28))
    opened.until("its codes", lambda: opened.session.latent.codes is not None)
    assert not opened.note
    assert not opened.error
    assert opened.views.draw_pad.drawing().picture.shape == (28, 28)


def test_a_dropped_archive_is_shown_before_it_is_imported(opened: OpenProgram, archive: Path) -> None:
    opened.drop(archive)
    dialog = dialog_of(opened)
    assert not dialog.isModal()
    assert dialog._grid.num_pictures > 0
    assert data_name(opened) == "bars.npz", "nothing is replaced before it is accepted"
    opened.drag_handle_to(0.1, 0.4)
    accept(opened, dialog)
    opened.until("the data", lambda: data_name(opened) == archive.name)
    opened.until("the dialog to close", lambda: not visible_dialogs(opened))
    opened.until("its codes", lambda: num_codes(opened) == 12)
    assert not opened.error
    assert box(opened).currentText() == archive.name


def test_a_folder_is_imported_with_the_choices_of_the_dialog(opened: OpenProgram, pictures: Path) -> None:
    opened.drop(pictures)
    dialog = dialog_of(opened)
    opened.until("the preview", dialog._import.isEnabled)
    assert dialog.config.invert, "dark on light is recognised"
    size = dialog.form.editor("image_size")
    assert isinstance(size, type(opened.field("epochs")))
    opened.enter(size, str(SIDE))
    assert dialog.isVisible(), "a number that is entered is not yet an import"
    opened.until("the new preview", lambda: dialog._import.isEnabled() and dialog._shown == dialog.config)
    assert dialog.config.image_size == SIDE
    accept(opened, dialog)
    opened.until("the data", lambda: data_name(opened) == pictures.name)
    dataset = opened.session.documents.dataset
    assert dataset is not None
    assert (dataset.height, dataset.width) == (SIDE, SIDE)
    assert len(dataset.train) + len(dataset.held_out) == 40
    assert dataset.label_names == ("across", "down")
    assert np.asarray(dataset.train.images).mean() < 128, "light on black"
    assert "broken.png" in dataset.note or "1" in dataset.note
    opened.until("codes", lambda: opened.session.latent.codes is not None)
    assert not opened.error


def test_the_choices_of_an_import_are_kept_in_the_model_and_used_by_the_pad(
    opened: OpenProgram, pictures: Path
) -> None:
    opened.drop(pictures)
    dialog = dialog_of(opened)
    accept(opened, dialog)
    opened.until("the data", lambda: data_name(opened) == pictures.name)
    opened.set_field("epochs", "1")
    opened.press(Qt.Key.Key_F5)
    opened.until("the run", lambda: opened.session.training.active)
    opened.until("its end", lambda: not opened.session.training.active)
    saved = opened.session.documents.saved
    assert saved is not None
    assert saved.config.data.invert
    assert saved.config.data.source == str(pictures)
    picture = next((pictures / "down").glob("*.png"))
    opened.drop(picture)
    opened.until("the picture on the pad", lambda: not opened.views.draw_pad.drawing().empty)
    seen = opened.views.draw_pad.drawing().picture
    with Image.open(picture) as image:
        dark = np.asarray(image.convert("L")) < 128
    assert abs((seen > 127).mean() - dark.mean()) < 0.1, "inverted as the data were"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.npz", b"PK\x03\x04 and no more"),
        ("empty.npy", b""),
        ("strange.idx", b"\x00\x00\x08\x03\x00\x00\x00\x05"),
        ("text.gz", b"just text"),
    ],
)
def test_a_malformed_file_is_refused_by_name_and_changes_nothing(
    opened: OpenProgram, tmp_path: Path, name: str, content: bytes
) -> None:
    dataset, codes = opened.session.documents.dataset, opened.session.latent.codes
    path = tmp_path / name
    path.write_bytes(content)
    opened.drop(path)
    opened.until("the message", lambda: name in opened.error)
    assert opened.session.documents.dataset is dataset
    assert opened.session.latent.codes is codes
    assert not visible_dialogs(opened)
    assert box(opened).currentText() == "bars.npz"
    opened.drag_handle_to(0.2, -0.6)
    np.testing.assert_allclose(opened.handle.code, [0.2, -0.6], atol=0.05)


def test_an_import_that_fails_says_so_in_its_dialog_which_can_be_used_again(opened: OpenProgram, archive: Path) -> None:
    opened.drop(archive)
    dialog = dialog_of(opened)
    opened.until("the preview", dialog._import.isEnabled)
    content = archive.read_bytes()
    archive.write_bytes(b"gone bad meanwhile")
    opened.click(dialog._import)
    opened.until("the message", lambda: archive.name in dialog._error.text())
    assert dialog.isVisible()
    assert data_name(opened) == "bars.npz"
    archive.write_bytes(content)
    editor = dialog.form.editor("fit")
    assert isinstance(editor, ChoiceEditor)
    choose(editor, "crop")
    accept(opened, dialog)
    opened.until("the data", lambda: data_name(opened) == archive.name)


def test_data_cannot_be_changed_under_a_run(opened: OpenProgram, archive: Path) -> None:
    opened.set_field("epochs", str(LONG))
    opened.press(Qt.Key.Key_F5)
    opened.until("steps", lambda: opened.session.training.history.num_steps > 0)
    opened.drop(archive)
    opened.until("the message", lambda: "stays while a model trains" in opened.error)
    assert not box(opened).isEnabled()
    assert data_name(opened) == "bars.npz"
    assert opened.session.training.active


def test_data_that_come_after_a_run_was_started_wait_for_its_end(opened: OpenProgram) -> None:
    opened.set_field("epochs", str(LONG))
    choose(box(opened), "Shapes")
    opened.press(Qt.Key.Key_F5)
    opened.until("the run", lambda: opened.session.training.active)
    opened.until("the data to be read", lambda: opened.session.documents._held_data is not None)
    assert data_name(opened) == "bars.npz"
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    opened.until("the data", lambda: data_name(opened).lower().startswith("shapes"))
    saved = opened.session.documents.saved
    assert saved is not None
    assert saved.config.model.image_height == SIDE
    assert "28×28" in opened.note


def test_a_picture_from_the_data_is_shown_where_the_mouse_rests(opened: OpenProgram) -> None:
    codes = opened.session.latent.codes
    assert codes is not None
    canvas = opened.views.canvas
    place = opened.pixel_of(codes.mean[5])
    opened.driver.move(canvas, [place + opened.pixel(0.1, 0) - opened.pixel(0, 0), place])
    opened.until("the card", canvas.hover_card.isVisible)
    row = canvas._hovered
    label = int(np.asarray(codes.labels)[row])
    (line,) = canvas.hover_card._lines
    assert line == f"{label} · held-out image {int(codes.indices[row])}"


def test_what_the_model_sees_of_a_dragged_image_is_one_draw_of_it(opened: OpenProgram) -> None:
    grab_a_point(opened)
    codes, source = opened.session.latent.codes, opened.views.hand.source.picture
    assert codes is not None
    assert source is not None
    anchor = opened.handle.anchor
    assert anchor is not None
    index = codes.indices[anchor : anchor + 1]
    image = np.asarray(bars_data().held_out.images)[index]
    np.testing.assert_array_equal(source.ravel() == 255, seen_by_model(image, index, bars_data().config)[0] == 1.0)
    assert not source[image[0] == 0].any()

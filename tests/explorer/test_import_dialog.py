from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from core.config import DataConfig
from explorer.messages import Failed, ImportPreview
from explorer.views.editors import TextEditor
from explorer.views.forms import SectionForm
from explorer.views.import_dialog import ImportDialog
from explorer.views.preview_grid import PreviewGrid

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
CONFIG = DataConfig(source="/home/me/flowers")


@pytest.fixture
def dialog(qtbot: Any) -> ImportDialog:
    opened = ImportDialog(CONFIG)
    qtbot.addWidget(opened)
    with qtbot.waitActive(opened):
        opened.show()
    return opened


def preview(config: DataConfig = CONFIG, **changes: Any) -> ImportPreview:
    pictures = tuple(np.full((28, 28), 10 * number, np.uint8) for number in range(1, 13))
    values = {"num_images": 12_034, "num_broken": 3, "label_names": ("daisy", "rose"), "pictures": pictures}
    return ImportPreview(config, **{**values, **changes})


def import_button(dialog: ImportDialog) -> QPushButton:
    return next(button for button in dialog.findChildren(QPushButton) if button.text().startswith("Import"))


def text_editor(form: SectionForm, name: str) -> TextEditor:
    editor = form.editor(name)
    assert isinstance(editor, TextEditor)
    return editor


def texts(dialog: ImportDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def test_the_dialog_is_not_modal_and_waits_for_a_preview(dialog: ImportDialog) -> None:
    assert not dialog.isModal()
    assert not import_button(dialog).isEnabled()


def test_a_preview_is_shown_with_its_counts_and_lets_import(dialog: ImportDialog, qtbot: Any) -> None:
    dialog.set_preview(preview(note="Colour is turned to grey."))
    assert "12,034 pictures, 3 of them cannot be read, 2 labels" in texts(dialog)
    assert "Colour is turned to grey." in texts(dialog)
    with qtbot.waitSignal(dialog.accepted_config) as accepted:
        qtbot.mouseClick(import_button(dialog), Qt.MouseButton.LeftButton)
    assert accepted.args == [CONFIG]
    assert not import_button(dialog).isEnabled()


def test_the_pictures_are_painted_with_their_own_greys(dialog: ImportDialog) -> None:
    dialog.set_preview(preview())
    grid = dialog.findChild(PreviewGrid)
    assert isinstance(grid, PreviewGrid)
    image = grid.grab().toImage()
    greys = {image.pixelColor(place.center()).red() for place in grid._places()}
    assert greys == {10 * number for number in range(1, 13)}


def test_each_choice_asks_for_one_new_preview(dialog: ImportDialog, qtbot: Any) -> None:
    dialog.set_preview(preview())
    invert = dialog.form.editor("invert")
    invert.setFocus()
    asked: list[DataConfig] = []
    dialog.preview_requested.connect(asked.append)
    with qtbot.waitSignal(dialog.preview_requested):
        for _ in range(3):
            qtbot.keyClick(invert, Qt.Key.Key_Space)
    assert asked == [replace(CONFIG, invert=True)]
    assert not import_button(dialog).isEnabled()


def test_a_stale_preview_is_dropped(dialog: ImportDialog, qtbot: Any) -> None:
    invert = dialog.form.editor("invert")
    invert.setFocus()
    qtbot.keyClick(invert, Qt.Key.Key_Space)
    dialog.set_preview(preview(num_images=1))
    assert "1 picture" not in texts(dialog)
    assert not import_button(dialog).isEnabled()
    dialog.set_preview(preview(dialog.config, num_images=2))
    assert "2 pictures" in texts(dialog)
    assert import_button(dialog).isEnabled()


def test_a_failure_is_said_and_nothing_can_be_imported(dialog: ImportDialog) -> None:
    dialog.set_preview(preview())
    dialog.set_preview(Failed("/home/me/flowers holds no pictures"))
    assert "/home/me/flowers holds no pictures" in texts(dialog)
    assert not import_button(dialog).isEnabled()
    dialog.set_preview(preview())
    assert "holds no pictures" not in texts(dialog)
    assert import_button(dialog).isEnabled()


def test_a_size_that_is_not_allowed_blocks_the_import(dialog: ImportDialog, qtbot: Any) -> None:
    dialog.set_preview(preview())
    size = text_editor(dialog.form, "image_size")
    size.setFocus()
    size.selectAll()
    with qtbot.assertNotEmitted(dialog.preview_requested, wait=300):
        qtbot.keyClicks(size, "65\r")
    assert dialog.form.error("image_size") == "Size must lie in [8, 64], not 65"
    assert not import_button(dialog).isEnabled()


def test_no_pictures_at_all_cannot_be_imported(dialog: ImportDialog) -> None:
    dialog.set_preview(preview(num_images=0, pictures=(), label_names=(), num_broken=0))
    assert not import_button(dialog).isEnabled()


def test_escape_closes_without_importing(dialog: ImportDialog, qtbot: Any) -> None:
    dialog.set_preview(preview())
    with qtbot.assertNotEmitted(dialog.accepted_config):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()

"""Data that stay in their file, which changes while it is in use: said once above the canvas, pictures missing."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtTest import QTest

from core.config import DataConfig
from core.data import files
from core.findings.neighbours import NearestImages
from core.stored_pictures import StoredPictures
from explorer.messages import Failed, SubjectSource
from explorer.session.reading import missing_picture
from tests.open_program import OpenProgram, model_file, trained
from tests.small_data import SIDE, bars

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]

CHANGED = "bars.npy: the file was changed since it was opened; open it again"
MISSING = missing_picture(SIDE, SIDE)


class Stored:
    """A program whose data stay in their file."""

    def __init__(self, opened: OpenProgram, path: Path) -> None:
        self.opened = opened
        self.path = path
        self.said: list[str] = []
        self.broke: list[str] = []
        self.before = opened.session.latent.codes
        np.save(path, bars(640).images)
        opened.session.documents.open_data(DataConfig(source=str(path), image_size=SIDE, centre_drawings=False))
        opened.until("the stored data", self.is_there)
        opened.session.failed.connect(self.note)

    def is_there(self) -> bool:
        dataset, codes = self.opened.session.documents.dataset, self.opened.session.latent.codes
        stored = dataset is not None and isinstance(dataset.held_out.images, StoredPictures)
        # Those of the data before are shown until others come.
        is_new = codes is not None and codes is not self.before
        return stored and dataset is not None and codes is not None and is_new and codes.total == len(dataset.held_out)

    def note(self, failed: Failed) -> None:
        (self.broke if failed.details else self.said).append(failed.reason)

    def change(self) -> None:
        """Write to the file, as another program may."""
        with self.path.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\x07")
        os.utime(self.path, (1, 1))

    def hover(self, rows: int) -> None:
        """Move the mouse over points of the canvas."""
        canvas, codes = self.opened.views.canvas, self.opened.session.latent.codes
        assert codes is not None
        for row in range(rows):
            place: QPointF = self.opened.pixel_of(codes.mean[row])
            QTest.mouseMove(canvas, place.toPoint())
            self.opened.driver.wait(5)
            canvas.point_hovered.emit(row)


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stored]:
    program = OpenProgram(tmp_path, model_file()).opened()
    monkeypatch.setattr(files, "MAX_BYTES", 1_000)
    made = Stored(program, tmp_path / "bars.npy")
    yield made
    assert made.broke == []
    program.leave()


def test_points_under_the_mouse_are_missing_and_it_is_said_once(stored: Stored) -> None:
    described = stored.opened.session.latent._data.described(3)
    assert described is not None
    assert not np.array_equal(described[0], MISSING)
    stored.change()
    stored.hover(12)
    assert stored.said == [CHANGED]
    assert stored.opened.error == CHANGED
    described = stored.opened.session.latent._data.described(3)
    assert described is not None
    assert np.array_equal(described[0], MISSING)
    assert described[1].endswith("\nIt cannot be read.")


def test_a_handle_goes_on_being_dragged_and_its_image_is_missing(stored: Stored) -> None:
    opened = stored.opened
    opened.session.latent.select_image(5)
    stored.change()
    opened.drag_handle_to(0.6, -0.4)
    assert stored.said == [CHANGED]
    # What is said above the canvas moves it down under the mouse.
    assert opened.handle.code[0] == pytest.approx(0.6, abs=0.1)
    assert opened.picture is not None
    assert opened.session.latent.selected_image == 5
    shown = opened.views.hand.source.picture
    assert shown is not None
    assert np.array_equal(shown, MISSING)


def test_an_image_whose_code_is_known_can_still_be_chosen(stored: Stored) -> None:
    opened, codes = stored.opened, stored.opened.session.latent.codes
    assert codes is not None
    stored.change()
    opened.views.canvas.point_chosen.emit(4)
    assert opened.session.latent.selected_image == codes.indices[4]
    np.testing.assert_array_equal(opened.handle.code, codes.mean[4])
    opened.until("the subject", lambda: opened.session.subject.source is SubjectSource.DATA)
    opened.driver.wait(150)
    assert opened.session.subject.subject is None
    assert stored.said == [CHANGED]


def test_a_pinned_handle_stays_where_it_is_under_newer_weights(stored: Stored) -> None:
    opened = stored.opened
    opened.session.latent.select_image(5)
    opened.views.canvas.handle_pin_toggled.emit(opened.handle.id)
    code, before = opened.handle.code, opened.session.latent.hand
    stored.change()
    opened.session._workers.set_model(trained().config.model, trained().as_weights(99))
    opened.until("the newer weights", lambda: opened.session.latent.hand is not before)
    np.testing.assert_array_equal(opened.handle.code, code)
    assert set(stored.said) == {CHANGED}


def test_the_picture_on_the_pad_stays_under_newer_weights(stored: Stored) -> None:
    opened = stored.opened
    opened.session.drawing.take_from_data()
    before, pad = opened.session.latent.hand, opened.views.draw_pad
    picture = pad.drawing().picture
    stored.change()
    opened.session._workers.set_model(trained().config.model, trained().as_weights(99))
    opened.until("the newer weights", lambda: opened.session.latent.hand is not before)
    assert not pad.drawing().empty
    np.testing.assert_array_equal(pad.drawing().picture, picture)
    assert opened.session.drawing.seen is not None
    assert set(stored.said) == {CHANGED}


def test_a_list_of_images_is_shown_with_their_pictures_missing(stored: Stored) -> None:
    dataset = stored.opened.session.documents.dataset
    assert dataset is not None
    nearest = NearestImages(np.array([3, 1]), np.array([0.1, 0.2]), None, None)
    similar = stored.opened.session.analyses.similar
    stored.change()
    for _ in range(2):
        pictures = similar._pictures(dataset.held_out, dataset.config, nearest)
        assert len(pictures) == 2
        assert all(np.array_equal(picture, MISSING) for picture in pictures)
    assert stored.said == [CHANGED]


def test_the_table_of_another_model_is_made_without_the_data(stored: Stored) -> None:
    evidence, versions = stored.opened.program.workers.evidence, []
    evidence.table_ready.connect(lambda ready: versions.append(ready.version))
    stored.change()
    stored.opened.session._workers.set_model(trained().config.model, trained().as_weights(99))
    stored.opened.until("its table", lambda: 99 in versions)
    assert set(stored.said) == {CHANGED}


def test_the_same_file_opened_again_is_read_and_a_change_said_again(stored: Stored) -> None:
    stored.change()
    stored.hover(2)
    former = stored.opened.session.documents.dataset
    assert former is not None
    stored.opened.session.documents.open_data(former.config)
    stored.opened.until("the data again", lambda: stored.opened.session.documents.dataset is not former)
    stored.opened.until("its codes", stored.is_there)
    assert stored.opened.session.latent.seen(5) is not None
    assert stored.said == [CHANGED]
    stored.change()
    os.utime(stored.path, (2, 2))
    stored.hover(2)
    assert stored.said == [CHANGED, CHANGED]

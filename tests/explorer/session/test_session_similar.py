"""Similar input, similar code, in the whole program: clouds, models beside each other, neighbours."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.data.noises import noisy_copies
from core.findings.clouds import Cloud
from core.inference.coders import make_coder
from core.saved_model import SavedModel
from core.storage.model_file import save_model
from explorer.session.analyses.in_turn import InTurn
from explorer.session.analyses.similar import SimilarSession
from explorer.views.similar import SimilarPanel
from explorer.workers.analysis import Analysis, AnalysisEnded, AnalysisThread, OpenModel, Steps
from tests.core.tiny_models import saved_model as tiny_model
from tests.open_program import CLOSING_S, OpenProgram, bars_data, model_file, trained
from tests.small_data import SIDE

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]

OTHERS: tuple[dict[str, object], ...] = ({"model": "autoencoder", "seed": 5}, {"model": "denoising_autoencoder"})


class Similar:
    """A program with the panel in front."""

    def __init__(self, opened: OpenProgram) -> None:
        self.opened = opened
        self.panel: SimilarPanel = opened.views.similar
        self.session: SimilarSession = opened.session.analyses.similar
        opened.raise_dock(self.panel)
        opened.session.latent.select_image(7)
        opened.until("a cloud", lambda: self.cloud is not None and self.cloud.label_is_own)

    @property
    def cloud(self) -> Cloud | None:
        return self.panel.columns[0].cloud

    def newer_than(self, cloud: Cloud | None) -> Cloud:
        """Return the next cloud, once nothing is asked for any more."""
        self.opened.until("another cloud", lambda: self.cloud is not cloud and self.session._clouds._running is None)
        assert self.cloud is not None
        return self.cloud

    def all_neighbours_shown(self) -> bool:
        """Return whether the lists are there and nothing is asked for any more."""
        asked = self.session._timer.isActive() or self.session._neighbours._running is not None
        return not asked and all(view.picture is not None for row in self.panel.neighbours.rows for view in row)

    def add(self, changes: dict[str, object]) -> None:
        """Choose a model in the panel's menu."""
        file = model_file(**changes)
        self.opened.settings.add_recent_file(file)
        self.panel.menu.aboutToShow.emit()
        next(action for action in self.panel.menu.actions() if action.data() == file).trigger()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    yield program
    program.leave()


@pytest.fixture
def similar(opened: OpenProgram) -> Similar:
    return Similar(opened)


def expected_codes(saved: SavedModel, similar: Similar) -> np.ndarray:
    """Return the codes of the noisy copies that the panel asks for: the oracle is the coder by itself."""
    chosen, session = similar.panel.controls.settings, similar.session
    pixels = similar.opened.seen(7)
    copies = noisy_copies(pixels, chosen.kind, chosen.level, chosen.num_copies, session._seed, (SIDE, SIDE))
    return make_coder(saved.config.model, saved.as_weights(1)).encode(copies).mean


def test_the_cloud_of_the_image_under_the_hand_is_on_the_canvas_and_in_numbers(similar: Similar) -> None:
    cloud = similar.cloud
    assert cloud is not None
    expected = expected_codes(trained(), similar)
    np.testing.assert_allclose(cloud.codes, expected, atol=1e-5)
    sampled = similar.opened.views.canvas._sampled
    assert sampled is not None
    np.testing.assert_array_equal(sampled[0], cloud.codes)
    assert len(cloud.codes) == similar.panel.controls.copies.value() == 200
    names = [figure.name for figure in similar.panel.columns[0].figures.figures]
    labels = bars_data().held_out.labels
    assert labels is not None
    assert names == ["spread", "offset", f"label {labels[7]}"]
    np.testing.assert_array_equal(
        similar.panel.clean.picture, np.rint(similar.opened.seen(7).reshape(SIDE, SIDE) * 255)
    )
    assert all(view.picture is not None for view in similar.panel.examples)


def test_the_cloud_follows_the_slider_and_grows_with_the_noise(similar: Similar) -> None:
    slider, spreads = similar.panel.controls.size_slider, []
    for _ in range(3):
        before = similar.cloud
        assert before is not None
        spreads.append(before.spread)
        QTest.keyClick(slider, Qt.Key.Key_PageUp)
        QTest.keyClick(slider, Qt.Key.Key_PageUp)
        similar.newer_than(before)
    assert spreads == sorted(spreads)
    assert spreads[0] < spreads[-1]
    before = similar.cloud
    QTest.keyClick(slider, Qt.Key.Key_Home)
    calm = similar.newer_than(before)
    assert calm.spread == pytest.approx(0.0, abs=1e-9)


def test_the_cloud_follows_the_hand_and_a_fast_hand_does_not_starve_it(similar: Similar) -> None:
    before = similar.cloud
    similar.opened.drag_handle_to(0.4, -0.3, steps=30)
    moved = similar.newer_than(before)
    subject = similar.opened.session.subject.subject
    assert subject is not None
    coder = make_coder(trained().config.model, trained().as_weights(1))
    np.testing.assert_allclose(moved.clean, coder.encode(subject.pixels[None]).mean[0], atol=1e-5)
    assert not moved.label_is_own, "a draw from a code is no image of the data"


@pytest.mark.parametrize("by_key", [True, False])
def test_new_noise_is_other_noise_of_the_same_kind_and_size(similar: Similar, by_key: bool) -> None:  # noqa: FBT001
    before = similar.cloud
    assert before is not None
    if by_key:
        similar.panel.controls.kind.setFocus()
        QTest.keyClick(similar.panel.controls.kind, Qt.Key.Key_R)
    else:
        similar.opened.click(similar.panel.controls.again)
    after = similar.newer_than(before)
    assert (after.codes != before.codes).any()
    np.testing.assert_array_equal(after.clean, before.clean)
    np.testing.assert_allclose(after.codes, expected_codes(trained(), similar), atol=1e-5)


def test_each_kind_of_noise_keeps_its_size(similar: Similar) -> None:
    controls = similar.panel.controls
    before = similar.cloud
    controls.kind.setFocus()
    for _ in range(3):
        QTest.keyClick(controls.kind, Qt.Key.Key_Down)
    assert controls.settings.kind == "shift"
    controls.size_slider.setValue(4)
    assert controls.settings.level == 4.0
    similar.newer_than(before)
    QTest.keyClick(controls.kind, Qt.Key.Key_Home)
    assert (controls.settings.kind, controls.settings.level) == ("gaussian", 0.2)
    QTest.keyClick(controls.kind, Qt.Key.Key_End)
    assert controls.settings.level == 4.0


def test_without_the_panel_in_sight_nothing_is_computed_and_nothing_is_on_the_canvas(similar: Similar) -> None:
    similar.opened.raise_dock(similar.opened.views.curves)
    similar.opened.until("the panel to be out of sight", lambda: not similar.session._in_sight)
    assert similar.opened.views.canvas._sampled is None
    similar.opened.drag_handle_to(0.2, 0.2)
    assert similar.session._clouds._running is None
    assert similar.opened.views.canvas._sampled is None
    similar.opened.raise_dock(similar.panel)
    similar.opened.until("the cloud again", lambda: similar.opened.views.canvas._sampled is not None)


def test_three_models_show_the_codes_of_the_same_noisy_copies(similar: Similar) -> None:
    for changes in OTHERS:
        similar.add(changes)
    columns = similar.panel.columns
    similar.opened.until("three clouds", lambda: all(column.cloud is not None for column in columns))
    assert [column.title.split(" · ")[0] for column in columns] == ["VAE", "AE", "Denoising AE"]
    assert all(column.isVisible() for column in columns)
    assert not similar.panel.add.isVisible(), "there is room for two"
    for changes, column in zip(({}, *OTHERS), columns, strict=True):
        assert column.cloud is not None
        np.testing.assert_allclose(column.cloud.codes, expected_codes(trained(**changes), similar), atol=1e-5)
    before = columns[2].cloud
    similar.panel.controls.size_slider.setValue(60)
    similar.opened.until("all to follow", lambda: columns[2].cloud is not before)
    similar.opened.click(columns[1].remove)
    assert columns[1].title.startswith("Denoising AE")
    assert not columns[2].isVisible()
    similar.opened.until("its cloud", lambda: columns[1].cloud is not None)
    assert similar.opened.session.documents.path == model_file(), "none was opened in place of the other"


def test_a_model_of_other_pictures_is_refused_in_a_sentence(similar: Similar, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_model(path, tiny_model())
    similar.session._fetch(path)
    similar.opened.until("the refusal", lambda: "were" in similar.panel.note or "was made" in similar.panel.note)
    assert "6×5 pixels" in similar.panel.note
    assert not similar.panel.columns[1].isVisible()


def test_a_close_up_shows_the_cloud_large_and_lets_it_go_again(similar: Similar) -> None:
    canvas = similar.panel.columns[0].canvas
    whole = canvas.view.scale
    similar.opened.click(similar.panel.close_up)
    assert canvas.view.scale > 1.5 * whole
    similar.opened.click(similar.panel.close_up)
    assert canvas.view.scale == pytest.approx(whole)


def test_neighbours_are_shown_with_what_they_share_and_a_click_selects_one(similar: Similar) -> None:
    similar.opened.click(similar.panel.neighbours_button)
    rows = similar.panel.neighbours.rows
    similar.opened.until("the neighbours", similar.all_neighbours_shown)
    latent, seen = similar.opened.session.latent, similar.opened.seen
    pixels = np.stack([seen(image) for image in range(len(bars_data().held_out))]).astype(np.float64)
    order = np.argsort(np.linalg.norm(pixels - pixels[7], axis=1), kind="stable")
    assert [view.image_index for view in rows[0]] == [image for image in order.tolist() if image != 7][:8]
    assert "in both lists" in similar.panel.neighbours.words
    chosen = rows[1][2]
    assert chosen.image_index is not None
    np.testing.assert_array_equal(chosen.picture, np.rint(seen(chosen.image_index).reshape(SIDE, SIDE) * 255))
    image = chosen.image_index
    similar.opened.driver.click(chosen)
    assert latent.selected_image == image
    similar.opened.until("its own neighbours", lambda: all(view.image_index != image for row in rows for view in row))


def test_the_neighbours_are_those_of_the_half_that_is_shown(similar: Similar) -> None:
    similar.opened.click(similar.panel.neighbours_button)
    similar.opened.window.split_chosen.emit("train")
    total = len(bars_data().train)
    latent = similar.opened.session.latent
    similar.opened.until("the training codes", lambda: latent.codes is not None and latent.codes.split == "train")
    latent.select_image(3)
    similar.opened.until("training images", lambda: f"of {total - 1:,} images" in similar.panel.neighbours.words)


def test_a_drawing_has_a_cloud_and_neighbours_too(similar: Similar) -> None:
    similar.opened.raise_dock(similar.opened.views.draw_pad)
    before = similar.cloud
    similar.opened.draw((60, 140), (220, 140))
    coder = make_coder(trained().config.model, trained().as_weights(1))

    def follows_the_whole_stroke() -> bool:
        seen, cloud = similar.opened.session.drawing.seen, similar.cloud
        assert seen is not None
        wanted = coder.encode(seen[None]).mean[0]
        return cloud is not None and cloud is not before and bool(np.allclose(cloud.clean, wanted, atol=1e-5))

    similar.opened.until("the cloud of the drawing", follows_the_whole_stroke)
    assert similar.cloud is not None
    assert not similar.cloud.label_is_own


def test_the_window_closes_in_time_with_clouds_of_three_models(similar: Similar) -> None:
    for changes in OTHERS:
        similar.add(changes)
    similar.panel.controls.copies.setValue(1_000)
    assert similar.opened.close() < CLOSING_S


# ---- one after the other -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Counting(Analysis):
    """An analysis of no model."""

    number: int

    def steps(self, model: OpenModel) -> Steps:  # noqa: ARG002 - it needs none
        yield None


def test_the_newest_waits_for_the_one_in_progress_and_those_between_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thread = AnalysisThread()
    asked: list[Analysis] = []
    monkeypatch.setattr(thread, "ask", asked.append)
    turn = InTurn(thread)
    first, second, third = Counting(1), Counting(2), Counting(3)
    for analysis in (first, second, third):
        turn.ask(analysis)
    assert asked == [first]
    thread.ended.emit(AnalysisEnded(second))
    assert asked == [first], "of another it says nothing"
    thread.ended.emit(AnalysisEnded(first))
    assert asked == [first, third]
    turn.forget()
    thread.ended.emit(AnalysisEnded(third))
    turn.ask(second)
    assert asked == [first, third, second]

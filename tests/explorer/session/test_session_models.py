"""Every kind of model in the window: without a prior, of one, three and ten dimensions, convolutional."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from explorer.views.editors import ChoiceEditor
from tests.open_program import OpenProgram, decoded_by_torch, model_file
from tests.small_data import SIDE

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]
KINDS: dict[str, dict[str, object]] = {
    "autoencoder": {"model": "autoencoder"},
    "one dimension": {"latent_dim": 1},
    "three dimensions": {"latent_dim": 3},
    "ten dimensions": {"latent_dim": 10},
    "convolutional": {"network": "conv", "channels": (4, 8)},
    "convolutional autoencoder of three": {
        "network": "conv",
        "channels": (4, 8),
        "model": "autoencoder",
        "latent_dim": 3,
    },
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path_factory.mktemp("program"), model_file()).opened()
    yield program
    program.leave()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    yield program
    program.leave()


def open_kind(program: OpenProgram, kind: str) -> OpenProgram:
    path = model_file(**KINDS[kind])
    program.session.documents.open_model(path)
    program.until("the model", lambda: program.window.windowTitle().startswith(path.stem + "["))
    program.until("its codes", program.is_ready)
    return program


def check_picture(program: OpenProgram) -> None:
    saved = program.session.documents.saved
    assert saved is not None

    def agrees() -> bool:
        code = program.session.latent.selected_code
        if program.picture is None or code is None:
            return False
        np.testing.assert_array_equal(program.handle.code, code)
        expected = decoded_by_torch(saved, code).astype(int)
        return bool(np.abs(program.picture.astype(int) - expected).max() <= 1)

    # A slow coder answers from its thread.
    program.until("the picture of the code", agrees, timeout_s=5.0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_model_is_dragged_slid_and_drawn_for(shared: OpenProgram, kind: str) -> None:
    opened = open_kind(shared, kind)
    check_picture(opened)
    saved = opened.session.documents.saved
    assert saved is not None
    latent_dim = saved.config.model.latent_dim
    opened.views.canvas.fit_view()
    before = np.array(opened.handle.code)
    opened.drag_handle_to(0.7, 0.0 if latent_dim == 1 else 0.6)
    axes = list(opened.session.latent.axes)[: min(2, latent_dim)]
    np.testing.assert_allclose(opened.handle.code[axes], [0.7, 0.6][: len(axes)], atol=0.06)
    others = [dimension for dimension in range(latent_dim) if dimension not in axes]
    np.testing.assert_array_equal(opened.handle.code[others], before[others])
    check_picture(opened)

    dimension = latent_dim - 1
    opened.until("the sliders", lambda: opened.views.sliders.complete)
    if not opened.views.sliders.specs[-1].active and not opened.views.sliders.expander.isChecked():
        opened.click(opened.views.sliders.expander)
        opened.until("the folded sliders", lambda: opened.views.sliders.complete)
    opened.driver.wait(10)
    row = opened.views.sliders.row(dimension)
    value = opened.handle.code[dimension]
    row.track.setFocus()
    QTest.keyClick(row.track, Qt.Key.Key_PageUp)
    assert opened.handle.code[dimension] != value
    check_picture(opened)

    opened.raise_dock(opened.views.draw_pad)
    opened.views.draw_pad.clear()
    opened.draw((40, 120), (240, 120))
    results = opened.views.draw_pad.results
    opened.until("the encoding", lambda: results.encoding is not None)
    assert results.encoding is not None
    assert results.encoding.mean.shape == (latent_dim,)
    assert results.encoding.seen.shape == (SIDE, SIDE)
    assert "drawing" in opened.views.canvas._encodings
    opened.raise_dock(opened.views.hand)
    assert not opened.error


def test_an_autoencoder_has_no_prior_no_bound_and_samples_from_its_codes(shared: OpenProgram) -> None:
    opened = open_kind(shared, "autoencoder")
    assert opened.views.sliders.sample.text() == "Sample from the codes"
    assert opened.views.sliders.order.text() == "Sort by variance"
    codes = opened.session.latent.codes
    assert codes is not None
    assert codes.log_var is None
    for _ in range(3):
        opened.click(opened.views.sliders.sample)
        assert (codes.mean == opened.handle.code).all(axis=1).any(), "a sample is the code of an image"
        check_picture(opened)
    opened.click(opened.views.sliders.reset_all)
    np.testing.assert_allclose(opened.handle.code, np.median(codes.mean, axis=0), atol=1e-6)
    opened.raise_dock(opened.views.draw_pad)
    opened.draw((60, 60), (60, 220))
    results = opened.views.draw_pad.results
    opened.until("the encoding", lambda: results.encoding is not None)
    assert results.encoding is not None
    assert results.encoding.elbo is None
    assert "defines no p(x)" in results.status.text()
    assert any("no prior" in line for line in opened.views.canvas._notes())
    history = opened.session.training.history
    assert all(report.means.elbo is None for report in history.held_out)
    opened.raise_dock(opened.views.hand)


def test_one_dimension_is_a_strip(shared: OpenProgram) -> None:
    opened = open_kind(shared, "one dimension")
    assert opened.views.canvas.view.strip
    assert not opened.views.canvas.axis_chooser.isVisible()
    before = float(opened.handle.code[0])
    opened.views.canvas.setFocus()
    QTest.keyClick(opened.views.canvas, Qt.Key.Key_Up)
    assert float(opened.handle.code[0]) == before
    QTest.keyClick(opened.views.canvas, Qt.Key.Key_Right)
    assert float(opened.handle.code[0]) > before
    check_picture(opened)


def test_other_axes_show_another_slice_of_the_same_code(shared: OpenProgram) -> None:
    opened = open_kind(shared, "ten dimensions")
    canvas = opened.views.canvas
    assert canvas.axis_chooser.isVisible()
    code = np.array(opened.handle.code)
    canvas.axis_chooser.axes_chosen.emit(4, 7)
    assert opened.session.latent.axes == (4, 7)
    np.testing.assert_array_equal(opened.handle.code, code)
    opened.until("the mosaic of these axes", lambda: canvas._mosaic is not None and canvas._mosaic.axes == (4, 7))
    canvas.fit_view()
    opened.drag_handle_to(0.4, -0.3)
    np.testing.assert_allclose(opened.handle.code[[4, 7]], [0.4, -0.3], atol=0.06)
    others = [dimension for dimension in range(10) if dimension not in (4, 7)]
    np.testing.assert_array_equal(opened.handle.code[others], code[others])
    check_picture(opened)
    assert any("projected" in line for line in canvas._notes())


def test_the_mosaic_follows_the_sliders_of_the_hidden_dimensions(shared: OpenProgram) -> None:
    opened = open_kind(shared, "three dimensions")
    canvas = opened.views.canvas
    opened.until("the mosaic", lambda: canvas._mosaic is not None)
    before = canvas._mosaic
    assert before is not None
    (hidden,) = {0, 1, 2} - set(opened.session.latent.axes)
    field = opened.views.sliders.row(hidden).field
    opened.enter(field.lineEdit(), "2.5")

    def is_other() -> bool:
        return canvas._mosaic is not None and not np.array_equal(canvas._mosaic.picture, before.picture)

    opened.until("another slice", is_other)


def test_a_code_keeps_its_z_in_another_model_of_as_many_dimensions(shared: OpenProgram) -> None:
    opened = open_kind(shared, "convolutional")
    opened.drag_handle_to(0.9, -0.4)
    code = np.array(opened.handle.code)
    open_kind(opened, "autoencoder")
    np.testing.assert_array_equal(opened.handle.code, code)
    check_picture(opened)
    open_kind(opened, "three dimensions")
    assert len(opened.handle.code) == 3
    check_picture(opened)
    for dimension, value in enumerate(opened.handle.code):
        assert opened.views.sliders.row(dimension).value == pytest.approx(float(value), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "choice", "fields"),
    [
        ("model", "Autoencoder", {}),
        ("network", "Convolutional", {"channels": "4, 8"}),
        ("network", "MLP", {"hidden": "16", "latent_dim": "1"}),
        ("network", "MLP", {"hidden": "16", "latent_dim": "10"}),
    ],
)
def test_every_kind_is_trained_from_the_form(own: OpenProgram, name: str, choice: str, fields: dict[str, str]) -> None:
    opened = own
    editor = opened.views.model.form.editor(name)
    assert isinstance(editor, ChoiceEditor)
    editor.setFocus()
    while editor.currentText() != choice:
        before = editor.currentIndex()
        QTest.keyClick(editor, Qt.Key.Key_Down)
        if editor.currentIndex() == before:
            QTest.keyClick(editor, Qt.Key.Key_Home)
    for field, text in fields.items():
        opened.set_field(field, text)
    opened.set_field("epochs", "2")
    opened.press(Qt.Key.Key_F5)
    opened.until("the run", lambda: opened.session.training.active)
    opened.until("its end", lambda: not opened.session.training.active)
    opened.until("its codes", opened.is_ready)
    saved = opened.session.documents.saved
    assert saved is not None
    assert saved.history.epochs == pytest.approx(2.0)
    check_picture(opened)
    assert not opened.error

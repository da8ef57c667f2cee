"""Canvas, sliders and picture never disagree, whatever moved the code."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.snapshots import Codes
from tests.open_program import LEFT, NO_KEYS, OpenProgram, decoded_by_torch, model_file, trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenProgram]:
    opened = OpenProgram(tmp_path_factory.mktemp("program"), model_file()).opened()
    yield opened
    opened.leave()


@pytest.fixture
def opened(shared: OpenProgram) -> Iterator[OpenProgram]:
    """Return the shared program with one handle at the origin."""
    while len(shared.handles) > 1:
        shared.views.canvas.setFocus()
        QTest.keyClick(shared.views.canvas, Qt.Key.Key_Delete)
    shared.views.canvas.fit_view()
    shared.click(shared.views.sliders.reset_all)
    # A number that is typed sooner than any hand could would not follow the reset.
    shared.until("the reset", lambda: shared.views.sliders.row(0).field.value() == 0.0)
    yield shared
    assert not shared.error


def check_agreement(opened: OpenProgram) -> np.ndarray:
    """Assert that all views show the same code and the picture is its own; return the code."""
    sliders, latent = opened.views.sliders, opened.session.latent

    def follow() -> bool:
        # Thirty times a second, where the code is not theirs.
        assert latent.selected_code is not None
        return all(abs(sliders.row(at).value - one) <= 1e-6 for at, one in enumerate(latent.selected_code))

    opened.until("the sliders", follow)
    code = latent.selected_code
    assert code is not None
    np.testing.assert_array_equal(opened.handle.code, code)
    for dimension, value in enumerate(code):
        row = sliders.row(dimension)
        assert row.field.value() == pytest.approx(float(value), abs=6e-4)
    saved = opened.session.documents.saved
    assert saved is not None
    assert opened.picture is not None
    difference = np.abs(opened.picture.astype(int) - decoded_by_torch(saved, code).astype(int))
    assert difference.max() <= 1
    return np.array(code)


def codes_of(opened: OpenProgram) -> Codes:
    codes = opened.session.latent.codes
    assert codes is not None
    return codes


def test_the_program_opens_with_codes_a_mosaic_and_a_handle_amid_the_data(shared: OpenProgram) -> None:
    shared.until("the mosaic", lambda: shared.views.canvas._mosaic is not None)
    assert len(codes_of(shared)) == 64
    assert len(shared.handles) == 1
    assert shared.window.windowTitle().startswith("bars")


def test_a_dragged_handle_moves_sliders_and_picture(opened: OpenProgram) -> None:
    before = check_agreement(opened)
    picture = opened.picture
    opened.drag_handle_to(1.0, -0.8)
    after = check_agreement(opened)
    # A pixel of the canvas is about 0.01.
    np.testing.assert_allclose(after, [1.0, -0.8], atol=0.03)
    assert (before != after).all()
    assert picture is not None
    assert opened.picture is not None
    assert (picture != opened.picture).any()


def test_the_picture_follows_while_the_button_is_still_down(opened: OpenProgram) -> None:
    canvas = opened.views.canvas
    start = opened.pixel_of(opened.handle.code)
    opened.driver.press(canvas, start)
    for place in ((0.5, 0.5), (1.2, 0.1), (-0.9, -1.0)):
        opened.driver.move(canvas, [opened.pixel(*place)], gap_ms=6)
        np.testing.assert_allclose(check_agreement(opened), place, atol=0.03)
    opened.driver.release(canvas, opened.pixel(-0.9, -1.0))


def test_a_slider_key_moves_handle_and_picture(opened: OpenProgram) -> None:
    before = check_agreement(opened)
    track = opened.views.sliders.row(1).track
    track.setFocus()
    for _ in range(5):
        QTest.keyClick(track, Qt.Key.Key_Right)
    after = check_agreement(opened)
    assert after[1] > before[1]
    assert after[0] == before[0]


def test_a_typed_number_moves_handle_and_picture_also_beyond_the_slider(opened: OpenProgram) -> None:
    field = opened.views.sliders.row(0).field
    opened.enter(field.lineEdit(), "-7.25")
    assert check_agreement(opened)[0] == -7.25


def test_a_sample_of_the_prior_moves_everything(opened: OpenProgram) -> None:
    seen = set()
    for _ in range(4):
        opened.click(opened.views.sliders.sample)
        seen.add(tuple(check_agreement(opened)))
    assert len(seen) == 4


def test_reset_puts_the_code_at_the_mean_of_the_prior(opened: OpenProgram) -> None:
    opened.drag_handle_to(-1.0, 1.1)
    opened.click(opened.views.sliders.reset_all)
    np.testing.assert_array_equal(check_agreement(opened), [0.0, 0.0])


def test_reset_of_one_dimension_leaves_the_other(opened: OpenProgram) -> None:
    opened.drag_handle_to(-1.0, 1.1)
    before = check_agreement(opened)
    opened.click(opened.views.sliders.row(0).reset)
    after = check_agreement(opened)
    assert after[0] == 0.0
    assert after[1] == before[1]


def test_arrow_keys_move_the_handle(opened: OpenProgram) -> None:
    canvas = opened.views.canvas
    canvas.setFocus()
    before = check_agreement(opened)
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    QTest.keyClick(canvas, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    after = check_agreement(opened)
    step = opened.views.canvas.extent().width / 100
    assert after[0] - before[0] == pytest.approx(step, rel=1e-3)
    assert after[1] - before[1] == pytest.approx(10 * opened.views.canvas.extent().height / 100, rel=1e-3)


def test_sliders_and_picture_follow_the_selected_handle_only(opened: OpenProgram) -> None:
    canvas = opened.views.canvas
    first = opened.handle
    place = opened.free_pixel()
    QTest.mouseDClick(canvas, LEFT, NO_KEYS, place)
    assert len(opened.handles) == 2
    second = opened.handle
    assert second.id != first.id
    np.testing.assert_allclose(check_agreement(opened), canvas.view.to_latent(place.x(), place.y()), atol=1e-5)
    opened.drag_handle_to(0.7, 0.9)
    check_agreement(opened)
    QTest.mouseClick(canvas, LEFT, NO_KEYS, opened.pixel_of(first.code).toPoint())
    assert opened.handle.id == first.id
    np.testing.assert_array_equal(check_agreement(opened), first.code)
    QTest.keyClick(canvas, Qt.Key.Key_Delete)
    assert [handle.id for handle in opened.handles] == [second.id]
    np.testing.assert_allclose(check_agreement(opened), [0.7, 0.9], atol=0.03)


def test_the_last_handle_cannot_be_removed(opened: OpenProgram) -> None:
    opened.views.canvas.setFocus()
    QTest.keyClick(opened.views.canvas, Qt.Key.Key_Delete)
    assert len(opened.handles) == 1
    check_agreement(opened)


def test_a_dragged_data_point_gets_a_handle_and_stays(opened: OpenProgram) -> None:
    canvas = opened.views.canvas
    codes = codes_of(opened)
    # Away from the handle and from other points.
    apart = ((codes.mean[:, None] - codes.mean[None]) ** 2).sum(-1) + 9.0 * np.eye(len(codes))
    row = int(np.argmax(np.minimum(apart.min(axis=1), (codes.mean**2).sum(axis=1))))
    place = opened.pixel_of(codes.mean[row])
    shift = opened.pixel(0.4, 0.3) - opened.pixel(0.0, 0.0)
    opened.driver.drag(canvas, [place, place + shift * 0.5, place + shift], gap_ms=6)
    assert len(opened.handles) == 2
    assert opened.handle.anchor == row
    np.testing.assert_allclose(check_agreement(opened), codes.mean[row] + [0.4, 0.3], atol=0.05)
    np.testing.assert_array_equal(codes_of(opened).mean[row], codes.mean[row])
    source = opened.views.hand.source.picture
    assert source is not None
    assert set(np.unique(source)) <= {0, 255}
    image = trained().config.data  # the bars: bright where the image behind the point is
    assert image.binarisation == "dynamic"


def test_a_huge_or_senseless_value_is_survived(opened: OpenProgram) -> None:
    for text in ("1e9", "-99999999", "nan", "inf", ""):
        opened.enter(opened.views.sliders.row(0).field.lineEdit(), text)
        assert np.isfinite(check_agreement(opened)).all()


def test_a_slider_that_sweeps_moves_everything_and_stops_under_the_hand(opened: OpenProgram) -> None:
    row = opened.views.sliders.row(0)
    opened.click(row.animate)
    seen: set[float] = set()

    def has_moved() -> bool:
        seen.add(float(check_agreement(opened)[0]))
        return len(seen) > 5

    opened.until("the sweep", has_moved, timeout_s=5.0)
    row.track.setFocus()
    QTest.keyClick(row.track, Qt.Key.Key_Left)
    still = check_agreement(opened)[0]
    opened.driver.wait(80)
    assert check_agreement(opened)[0] == still

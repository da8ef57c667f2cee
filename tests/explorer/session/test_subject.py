"""The subject: which image the ledger and the other analyses are about."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtTest import QTest

from core.data.binarisation import seen_by_model
from core.inference.coders import make_coder
from explorer.messages import Subject, SubjectSource
from tests.open_program import LEFT, NO_KEYS, OpenProgram, bars_data, model_file, trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path_factory.mktemp("program"), model_file()).opened()
    yield program
    program.leave()


@pytest.fixture
def opened(shared: OpenProgram) -> Iterator[OpenProgram]:
    """Return the shared program with an empty pad, its subject following the hand."""
    shared.session.subject.choose(None)
    shared.views.draw_pad.clear()
    yield shared
    assert not shared.error


def subject_from(opened: OpenProgram, source: SubjectSource) -> Subject:
    def is_there() -> bool:
        subject = opened.session.subject.subject
        return subject is not None and subject.source is source and opened.session.subject.settled

    opened.until("the subject", is_there)
    subject = opened.session.subject.subject
    assert subject is not None
    return subject


def click_a_point(opened: OpenProgram) -> int:
    """Click a data point that no handle covers; return the index of its image."""
    canvas, codes = opened.views.canvas, opened.session.latent.codes
    assert codes is not None
    for row, code in enumerate(codes.mean):
        place = opened.pixel_of(code)
        if canvas.rect().contains(place.toPoint()) and canvas._mark_at(place) is None:
            nearest = canvas._point_at(place.toPoint().toPointF())
            if nearest is not None and canvas.childAt(place.toPoint()) is None:
                QTest.mouseClick(canvas, LEFT, NO_KEYS, place.toPoint())
                return int(codes.indices[nearest])
        assert row < len(codes.mean) - 1
    raise AssertionError("no point can be clicked")


def test_a_clicked_data_point_is_the_subject_as_the_model_sees_it(opened: OpenProgram) -> None:
    image = click_a_point(opened)
    subject = subject_from(opened, SubjectSource.DATA)
    data = bars_data()
    seen = seen_by_model(data.held_out.images[image : image + 1], np.array([image]), data.config)[0]
    np.testing.assert_array_equal(subject.pixels, seen)
    assert subject.text == f"held-out image {image:,}"
    assert not subject.grey
    # The selected handle went there: codes, sliders and picture are those of the image.
    mean = make_coder(trained().config.model, trained().as_weights(1)).encode(seen[None]).mean[0]
    np.testing.assert_allclose(opened.handle.code, mean, atol=1e-5)


def test_a_dragged_handle_makes_its_draw_the_subject(opened: OpenProgram) -> None:
    opened.drag_handle_to(0.7, -0.4)
    subject = subject_from(opened, SubjectSource.CODE)
    stochastic = opened.views.hand.stochastic.picture
    assert stochastic is not None
    np.testing.assert_array_equal(np.rint(subject.pixels * 255.0), stochastic.ravel())


def test_a_handle_that_goes_with_the_codes_takes_the_subject_along(opened: OpenProgram) -> None:
    opened.drag_handle_to(0.7, -0.4)
    before = subject_from(opened, SubjectSource.CODE)
    latent = opened.session.latent
    selected = latent._handles.selected
    assert selected is not None
    # As one does that nobody has touched, when codes of newer weights come.
    latent._handles.move(selected, np.array([-0.5, 0.6], np.float32), keeps_image=False)
    latent._moved()
    latent.codes_changed.emit()
    opened.until("another draw", lambda: opened.session.subject.subject is not before)
    hand, code = latent.hand, latent.selected_code
    assert hand is not None
    assert code is not None
    np.testing.assert_array_equal(subject_from(opened, SubjectSource.CODE).pixels, hand.draw_at(code))
    stays = opened.session.subject.subject
    latent.codes_changed.emit()
    opened.driver.wait(150)
    assert opened.session.subject.subject is stays


def test_the_pen_makes_the_drawing_the_subject_while_it_moves(opened: OpenProgram) -> None:
    opened.raise_dock(opened.views.draw_pad)
    opened.draw((100.0, 60.0), (100.0, 220.0), lift=False)
    first = subject_from(opened, SubjectSource.DRAWING)
    opened.driver.move(opened.views.draw_pad.surface, [opened.views.draw_pad.surface.widget_from_ink(220.0, 60.0)])
    opened.until("another x", lambda: opened.session.subject.subject is not first)
    opened.driver.release(opened.views.draw_pad.surface, opened.views.draw_pad.surface.widget_from_ink(220.0, 60.0))
    seen = opened.session.drawing.seen
    assert seen is not None
    np.testing.assert_array_equal(subject_from(opened, SubjectSource.DRAWING).pixels, seen)


def test_a_chosen_source_stays_whatever_the_hand_does(opened: OpenProgram) -> None:
    image = click_a_point(opened)
    opened.session.subject.choose(SubjectSource.DATA)
    opened.drag_handle_to(-0.5, 0.6)
    opened.driver.wait(30)
    subject = subject_from(opened, SubjectSource.DATA)
    assert subject.text == f"held-out image {image:,}"
    opened.session.subject.choose(None)
    subject_from(opened, SubjectSource.CODE)


def test_a_source_that_has_nothing_says_so(opened: OpenProgram) -> None:
    reasons: list[str] = []
    opened.session.subject.cleared.connect(reasons.append)
    opened.session.subject.choose(SubjectSource.DRAWING)
    opened.until("a reason", lambda: bool(reasons))
    assert reasons == ["Nothing is drawn on the pad."]
    assert opened.session.subject.subject is None

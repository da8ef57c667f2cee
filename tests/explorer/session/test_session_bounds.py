"""Ladder and gaps in the window: measured on request, followed, cancelled, clicked."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.data.binarisation import seen_by_model
from core.findings.fitting import Gaps
from core.findings.sampling import Ladder
from explorer.messages import SubjectSource
from explorer.views.gaps.histogram import axis_end, mean_text
from explorer.workers.variational import MeasureGaps
from tests.explorer.session.test_subject import click_a_point, subject_from
from tests.open_program import OpenProgram, bars_data, model_file

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path_factory.mktemp("program"), model_file()).opened()
    yield program
    program.leave()


@pytest.fixture
def opened(shared: OpenProgram) -> Iterator[OpenProgram]:
    shared.session.subject.choose(None)
    click_a_point(shared)
    subject_from(shared, SubjectSource.DATA)
    shared.until(
        "the panels", lambda: shared.views.ladder.compute.isEnabled() and shared.views.gaps.measure.isEnabled()
    )
    yield shared
    assert not shared.error


def complete_ladder(opened: OpenProgram) -> Ladder:
    panel = opened.views.ladder
    opened.until("the ladder", lambda: panel.ladder is not None and panel.ladder.complete, timeout_s=60.0)
    assert panel.ladder is not None
    return panel.ladder


def measured(opened: OpenProgram, count: int) -> Gaps:
    panel = opened.views.gaps
    opened.raise_dock(panel)
    panel.count.setValue(count)
    opened.click(panel.measure)
    opened.until("the gaps", panel.measure.isEnabled, timeout_s=90.0)
    gaps = opened.session.analyses.gaps._gaps
    assert gaps is not None
    return gaps


def test_the_ladder_climbs_to_the_exact_line(opened: OpenProgram) -> None:
    panel = opened.views.ladder
    opened.raise_dock(panel)
    opened.click(panel.compute)
    ladder = complete_ladder(opened)
    opened.until("the exact line", lambda: panel.plot.log_px is not None, timeout_s=60.0)
    assert panel.plot.log_px is not None
    assert (ladder.iwae_mean < panel.plot.log_px + 4.0 * ladder.iwae_error + 1e-3).all()
    assert panel.plot.ladder is ladder
    assert "(exact)" in panel.status.text
    assert panel.progress.isHidden()


def test_another_image_takes_the_ladder_away_unless_it_follows(opened: OpenProgram) -> None:
    panel = opened.views.ladder
    opened.raise_dock(panel)
    opened.click(panel.compute)
    first = complete_ladder(opened)
    opened.drag_handle_to(0.5, 0.5)
    subject_from(opened, SubjectSource.CODE)
    opened.until("the ladder to go", lambda: panel.ladder is None)
    QTest.mouseClick(panel.follow, Qt.MouseButton.LeftButton)
    second = complete_ladder(opened)
    assert second.elbo != first.elbo
    opened.drag_handle_to(-0.5, 0.2)
    opened.until("another ladder", lambda: panel.ladder is not None and panel.ladder.elbo != second.elbo, 60.0)
    QTest.mouseClick(panel.follow, Qt.MouseButton.LeftButton)


def test_gaps_are_measured_shown_and_their_worst_images_lead_to_the_canvas(opened: OpenProgram) -> None:
    panel = opened.views.gaps
    gaps = measured(opened, 12)
    held_out = len(bars_data().held_out)
    assert len(gaps) == 12
    assert panel.status.text.startswith(f"12 of 12 images, of {held_out:,} held out · factorised q · exact")
    assert mean_text(gaps.amortisation) in panel.histograms.accessibleDescription()
    order = np.argsort(-gaps.amortisation, kind="stable")
    shown = [thumbnail.image_index for thumbnail in panel.gallery.thumbnails]
    assert shown == [int(image) for image in gaps.indices[order]]
    worst = panel.gallery.thumbnails[0]
    image = int(gaps.indices[order[0]])
    seen = seen_by_model(bars_data().held_out.images[[image]], np.array([image]), bars_data().config)[0]
    assert worst.picture is not None
    np.testing.assert_array_equal(worst.picture.ravel(), 255 * seen)
    QTest.mouseClick(worst, Qt.MouseButton.LeftButton)
    opened.until("its image", lambda: opened.session.latent.selected_image == image)
    subject = opened.session.subject
    opened.until(
        "the subject", lambda: subject.subject is not None and subject.subject.text == f"held-out image {image:,}"
    )


def test_the_gallery_can_be_ordered_by_the_other_gap(opened: OpenProgram) -> None:
    gaps = measured(opened, 6)
    gallery = opened.views.gaps.gallery
    gallery.orders.setFocus()
    QTest.keyClick(gallery.orders, Qt.Key.Key_Down)
    order = np.argsort(-gaps.approximation, kind="stable")
    assert [thumbnail.image_index for thumbnail in gallery.thumbnails[:6]] == list(gaps.indices[order])
    assert gallery.thumbnails[6].picture is None
    QTest.keyClick(gallery.orders, Qt.Key.Key_Up)


def test_a_click_in_the_gallery_comes_back_to_the_held_out_half(opened: OpenProgram) -> None:
    gaps = measured(opened, 3)
    latent = opened.session.latent
    opened.window.split_chosen.emit("train")
    opened.until("codes of train", lambda: latent.codes is not None and latent.codes.split == "train")
    thumbnail = opened.views.gaps.gallery.thumbnails[0]
    QTest.mouseClick(thumbnail, Qt.MouseButton.LeftButton)
    opened.until("codes of held-out", lambda: latent.codes is not None and latent.codes.split == "held_out")
    assert latent.selected_image in gaps.indices


def test_a_measurement_can_be_cancelled_and_keeps_what_it_has(opened: OpenProgram) -> None:
    panel = opened.views.gaps
    opened.raise_dock(panel)
    panel.count.setValue(len(bars_data().held_out))
    opened.click(panel.measure)
    session = opened.session.analyses.gaps
    opened.until("some gaps", lambda: session._gaps is not None, timeout_s=60.0)
    opened.click(panel.cancel)
    assert panel.measure.isEnabled()
    assert "cancelled" in panel.status.text
    analysis = opened.program.workers.analysis
    opened.until("the thread to let go", lambda: MeasureGaps not in analysis._running)
    assert session._gaps is not None
    count = len(session._gaps)
    opened.driver.wait(100)
    assert len(session._gaps) == count < len(bars_data().held_out)


def test_newer_weights_are_said_beside_gaps_of_the_former(opened: OpenProgram) -> None:
    measured(opened, 3)
    saved = opened.session.documents.saved
    assert saved is not None
    opened.program.workers.set_model(saved.config.model, saved.as_weights(opened.session.training.next_version()))
    opened.until("the note", lambda: "the weights have changed since" in opened.views.gaps.status.text)


def test_the_histograms_hold_every_image_and_say_what_lies_beyond(opened: OpenProgram) -> None:
    gaps = measured(opened, 12)
    assert axis_end(gaps) >= 0.5
    picture = opened.views.gaps.histograms.grab().toImage()
    colours = {picture.pixelColor(x, y).name() for x in range(0, picture.width(), 2) for y in range(picture.height())}
    assert len(colours) > 4

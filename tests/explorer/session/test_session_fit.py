"""Fit q in the window: iterations that can be paused, stepped and taken back; ε carried to z; gradients measured."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.findings.fitting import FitStep
from core.inference.fixed_decoder import FixedDecoder, frozen_vae
from core.inference.gaussians import Gaussians
from core.inference.variational import best_elbo, elbo_of
from core.shapes import CodeArray, Labels
from explorer.messages import Subject, SubjectSource
from explorer.views.fit import FitPanel
from tests.explorer.session.test_subject import click_a_point, subject_from
from tests.open_program import OpenProgram, model_file, trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path_factory.mktemp("program"), model_file()).opened()
    program.raise_dock(program.views.fit)
    yield program
    program.leave()


@pytest.fixture
def opened(shared: OpenProgram) -> Iterator[OpenProgram]:
    """Return the shared program with a clicked data point and nothing fitted."""
    page = shared.views.fit.inference
    shared.session.subject.choose(None)
    click_a_point(shared)
    subject_from(shared, SubjectSource.DATA)
    shared.until("the panel", page.begin.isEnabled)
    shared.session.analyses.fit.reset()
    for box in (page.families, page.starts):
        box.setCurrentIndex(0)
    yield shared
    shared.session.analyses.fit.reset()
    shared.session.analyses.fit.clear_draws()
    assert not shared.error


def panel_of(opened: OpenProgram) -> FitPanel:
    return opened.views.fit


def subject_of(opened: OpenProgram) -> Subject:
    subject = opened.session.subject.subject
    assert subject is not None
    return subject


def last_of(opened: OpenProgram) -> FitStep:
    last = panel_of(opened).inference.last
    assert last is not None
    return last


def fit_to_the_end(opened: OpenProgram) -> FitStep:
    page = panel_of(opened).inference
    opened.click(page.begin)
    opened.until("the end of the fit", lambda: page.last is not None and page.last.finished, timeout_s=60.0)
    return last_of(opened)


def choose(opened: OpenProgram, family: str, start: str) -> None:
    page = panel_of(opened).inference
    for box, name in ((page.families, family), (page.starts, start)):
        box.setFocus()
        while box.currentData() != name:
            key = Qt.Key.Key_Down if box.currentIndex() < box.findData(name) else Qt.Key.Key_Up
            QTest.keyClick(box, key)


@pytest.mark.parametrize("family", ["factorised", "full"])
def test_a_fit_arrives_at_the_best_q_and_shows_it_on_the_canvas(opened: OpenProgram, family: str) -> None:
    choose(opened, family, "encoder")
    last = fit_to_the_end(opened)
    model = frozen_vae(trained().config.model, trained().as_weights(2))
    decoder = FixedDecoder.of(model, subject_of(opened).pixels[None])
    encoder = Gaussians.of(model.inference(decoder.x))
    best = best_elbo(decoder, encoder, family)
    assert last.elbo == pytest.approx(float(best.elbo), abs=0.02)
    assert last.encoder_elbo == pytest.approx(float(elbo_of(decoder, encoder)[0]), abs=1e-3)
    mean, scale = opened.views.canvas._encoded["fitted"]
    np.testing.assert_array_equal(mean, last.mean)
    np.testing.assert_array_equal(scale, last.scale)
    page = panel_of(opened).inference
    assert page.plot.elbos[-1] == last.elbo
    assert "arrived" in page.detail.text
    assert not page.pause.isEnabled()


def test_the_gap_that_is_left_is_beside_the_evidence_of_the_ledger(opened: OpenProgram) -> None:
    last = fit_to_the_end(opened)
    page = panel_of(opened).inference
    opened.until("log p(x)", lambda: "gap left" in page.status.text, timeout_s=60.0)
    ledger = opened.views.ledger.ledger
    assert ledger is not None
    assert ledger.log_px is not None
    assert ledger.log_px - last.elbo > -0.01
    assert "(estimate)" not in page.status.text
    assert [text for _, text, _ in page.plot._lines] == ["log p(x)", "encoder's ELBO"]


def test_a_step_is_one_iteration_and_reset_takes_the_fit_away(opened: OpenProgram) -> None:
    page = panel_of(opened).inference
    opened.click(page.step)
    opened.until("the start", lambda: page.last is not None)
    assert last_of(opened).iteration == 0
    opened.click(page.step)
    opened.until("an iteration", lambda: last_of(opened).iteration == 1)
    opened.driver.wait(100)
    assert last_of(opened).iteration == 1
    opened.click(page.reset)
    assert page.last is None
    assert "fitted" not in opened.views.canvas._encoded
    assert page.status.text == "Nothing is fitted yet."


def test_a_paused_fit_stands_still_and_goes_on(opened: OpenProgram) -> None:
    page = panel_of(opened).inference
    opened.click(page.begin)
    opened.until("some iterations", lambda: page.last is not None and last_of(opened).iteration >= 2)
    opened.click(page.pause)
    opened.driver.wait(150)
    paused = last_of(opened)
    opened.driver.wait(150)
    assert last_of(opened) is paused
    assert page.begin.text() == "Go on"
    opened.click(page.begin)
    opened.until("more iterations", lambda: last_of(opened).iteration > paused.iteration)


def test_a_fit_may_start_from_the_prior(opened: OpenProgram) -> None:
    choose(opened, "full", "prior")
    page = panel_of(opened).inference
    opened.click(page.step)
    opened.until("the start", lambda: page.last is not None)
    np.testing.assert_array_equal(last_of(opened).mean, [0.0, 0.0])
    np.testing.assert_array_equal(last_of(opened).scale, np.eye(2))
    assert "below the encoder" in page.detail.text


def test_another_image_takes_the_fit_of_the_former_away(opened: OpenProgram) -> None:
    fit_to_the_end(opened)
    opened.drag_handle_to(0.7, -0.4)
    subject_from(opened, SubjectSource.CODE)
    opened.until("the fit to go", lambda: panel_of(opened).inference.last is None)
    assert "fitted" not in opened.views.canvas._encoded
    assert panel_of(opened).subject.text() == "x: a draw from the dragged code"
    fit_to_the_end(opened)


def test_drawn_noise_is_carried_to_the_canvas_and_drawn_anew_by_key(opened: OpenProgram) -> None:
    noise, canvas = panel_of(opened).noise, opened.views.canvas
    panel_of(opened).tabs.setCurrentIndex(1)
    noise.count.setValue(30)
    opened.click(noise.draw)
    opened.until("points", lambda: canvas._sampled is not None)
    first, _, _ = points_of(opened)
    mean, scale = trained_posterior(opened)
    epsilon = np.linalg.solve(scale, (first - mean).T).T
    assert len(first) == 30
    assert np.abs(epsilon.mean(axis=0)).max() < 4.0 / 30**0.5
    opened.press(Qt.Key.Key_R)
    opened.until("other points", lambda: points_of(opened)[0] is not first)
    assert not np.array_equal(points_of(opened)[0], first)
    QTest.mouseClick(noise.origins, Qt.MouseButton.LeftButton)
    opened.until("ε too", lambda: len(points_of(opened)[0]) == 60)
    codes, origins, groups = points_of(opened)
    assert origins is not None
    np.testing.assert_allclose(codes[:30], mean + origins[:30] @ scale.T, atol=1e-5)
    np.testing.assert_array_equal(codes[30:], origins[:30])
    np.testing.assert_array_equal(np.bincount(groups), [30, 30])
    QTest.mouseClick(noise.origins, Qt.MouseButton.LeftButton)
    opened.click(noise.clear)
    assert canvas._sampled is None
    opened.press(Qt.Key.Key_R)
    opened.driver.wait(50)
    assert canvas._sampled is None


def points_of(opened: OpenProgram) -> tuple[CodeArray, CodeArray | None, Labels]:
    shown = opened.views.canvas._sampled
    assert shown is not None
    return shown


def trained_posterior(opened: OpenProgram) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], ...]:
    hand = opened.session.latent.hand
    assert hand is not None
    mean, scale = hand.posterior_of(subject_of(opened).pixels)
    assert scale is not None
    return mean, scale


def test_measured_gradients_are_in_the_table(opened: OpenProgram) -> None:
    noise = panel_of(opened).noise
    panel_of(opened).tabs.setCurrentIndex(1)
    opened.click(noise.measure)
    opened.until("the measurement", lambda: "20,000" in noise.reading.text() and noise.measure.isEnabled(), 60.0)
    names = [line.split("\t")[0] for line in noise.table.text().splitlines()]
    assert names == ["Var ∇", "μ₁", "μ₂", "log σ₁", "log σ₂", "total"]
    assert "times as noisy as the pathwise gradient" in noise.reading.text()


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [("autoencoder", "An autoencoder has no prior p(z)"), ("made", "An autoregressive model has no latent code")],
)
def test_a_model_without_a_bound_says_why_there_is_nothing_to_fit(
    opened: OpenProgram, kind: str, sentence: str
) -> None:
    opened.session.open_paths((model_file(model=kind),))
    panels = (opened.views.fit, opened.views.ladder, opened.views.gaps)
    opened.until("a reason", lambda: all(panel.reason.text().startswith(sentence) for panel in panels))
    assert not opened.views.gaps.measure.isEnabled()
    assert not opened.views.ladder.compute.isEnabled()
    assert not opened.views.fit.inference.begin.isEnabled()
    opened.session.open_paths((model_file(),))
    opened.until("the model", lambda: opened.session.latent.hand is not None and opened.is_ready())

"""The ledger in the window: it follows the hand, shows the core's numbers, and says where there are none."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.findings.evidence import PosteriorMap
from core.findings.ledger import Ledger
from core.inference.autoregressive import AutoregressiveCoder
from core.inference.evidence.ledgers import ledger as ledger_by_core
from core.inference.evidence.table import EvidenceTable
from explorer.messages import LedgerAnswer, RunState, Subject, SubjectSource
from explorer.session.analyses.ledger import BUILDING, DRAW, LATE, LATE_MS, remarks
from explorer.views.ledger import LedgerPanel
from explorer.views.ledger.terms import ELBO, EXPECTED, KL_TO_POSTERIOR, KL_TO_PRIOR, LOG_PX
from explorer.workers.ledgers import NO_CODE, NO_PRIOR
from tests.explorer.session.test_session_models import open_kind
from tests.explorer.session.test_subject import click_a_point, subject_from
from tests.open_program import LONG, OpenProgram, model_file, trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path_factory.mktemp("program"), model_file()).opened()
    program.until("a ledger", lambda: program.views.ledger.ledger is not None, timeout_s=60.0)
    yield program
    program.leave()


@pytest.fixture
def opened(shared: OpenProgram) -> Iterator[OpenProgram]:
    """Return the shared program with an empty pad, its subject following the hand."""
    shared.session.subject.choose(None)
    shared.views.draw_pad.clear()
    yield shared
    assert not shared.error


@pytest.fixture(scope="module")
def table() -> EvidenceTable:
    """Return the core's own table of the model."""
    made = EvidenceTable.build(trained().config.model, trained().as_weights(2), None)
    assert made is not None
    return made


def panel_of(opened: OpenProgram) -> LedgerPanel:
    return opened.views.ledger


def posterior_of(opened: OpenProgram) -> PosteriorMap | None:
    """Return the map of p(z|x) on the canvas."""
    return opened.views.canvas._density.map


def exact(opened: OpenProgram) -> Ledger:
    """Return the ledger of the subject once it is exact."""
    opened.until(
        "an exact ledger",
        lambda: (
            (ledger := panel_of(opened).ledger) is not None
            and ledger.error_bar is not None
            and ledger.error_bar <= 1e-3
            and panel_of(opened).trust.tone == "good"
        ),
        timeout_s=30.0,
    )
    ledger = panel_of(opened).ledger
    assert ledger is not None
    return ledger


def subject_of(opened: OpenProgram) -> Subject:
    subject = opened.session.subject.subject
    assert subject is not None
    return subject


def check_numbers(opened: OpenProgram, table: EvidenceTable) -> None:
    """Compare what is written with the core's ledger of the subject's pixels."""
    subject = subject_of(opened)
    expected = ledger_by_core(table, subject.pixels[None])
    wanted = {
        LOG_PX: expected.log_px,
        ELBO: expected.elbo,
        EXPECTED: expected.expected_log_likelihood,
        KL_TO_PRIOR: expected.kl_to_prior,
        KL_TO_POSTERIOR: expected.kl_to_posterior,
    }

    def agrees() -> bool:
        shown = {key: float(text.replace("−", "-")) for key, text in panel_of(opened).identities.numbers.items()}
        return all(value is not None and abs(shown[key] - value) <= 2e-3 for key, value in wanted.items())

    opened.until("the core's numbers", agrees, timeout_s=30.0)


def test_a_clicked_data_point_has_the_core_s_numbers(opened: OpenProgram, table: EvidenceTable) -> None:
    image = click_a_point(opened)
    subject_from(opened, SubjectSource.DATA)
    exact(opened)
    check_numbers(opened, table)
    panel = panel_of(opened)
    np.testing.assert_array_equal(panel.picture.picture, opened.session.latent._data.seen_picture(image))
    assert panel._subject.text() == f"held-out image {image:,}"
    bits = float(panel.bits.text.split()[0])
    log_px = exact(opened).log_px
    assert log_px is not None
    assert bits == pytest.approx(-log_px / (144 * np.log(2.0)), abs=1e-4)


def test_numbers_follow_the_pen_while_it_is_down(opened: OpenProgram, table: EvidenceTable) -> None:
    opened.raise_dock(opened.views.draw_pad)
    seen: set[str] = set()
    surface = opened.views.draw_pad.surface
    opened.draw((40, 100), (120, 100), lift=False)
    for x in (150, 180, 210, 240):
        before = panel_of(opened).ledger
        opened.driver.move(surface, [surface.widget_from_ink(x, 100)], gap_ms=5)
        opened.until("another ledger", lambda before=before: panel_of(opened).ledger is not before)  # type: ignore[misc]
        seen.add(panel_of(opened).identities.numbers[LOG_PX])
    opened.driver.release(surface, surface.widget_from_ink(240, 100))
    assert len(seen) >= 3
    assert panel_of(opened)._subject.text() == "the drawing"
    exact(opened)
    check_numbers(opened, table)


def test_a_dragged_code_is_answered_for_the_draw_from_it(opened: OpenProgram, table: EvidenceTable) -> None:
    opened.drag_handle_to(0.6, -0.4)
    subject_from(opened, SubjectSource.CODE)
    exact(opened)
    check_numbers(opened, table)
    hand = opened.session.latent.hand
    assert hand is not None
    mean, _ = hand.mean_of(subject_of(opened).pixels)
    np.testing.assert_allclose(opened.views.canvas._encoded["draw"][0], mean, atol=1e-5)


def test_the_true_posterior_lies_on_the_canvas_where_brute_force_puts_it(opened: OpenProgram) -> None:
    click_a_point(opened)
    subject_from(opened, SubjectSource.DATA)
    hand = opened.session.latent.hand
    assert hand is not None
    axis = np.linspace(-5.0, 5.0, 201, dtype=np.float32)
    codes = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    x = np.broadcast_to(subject_of(opened).pixels, (len(codes), 144))
    log_joint = -hand.coder.nll(x, codes).astype(np.float64) - 0.5 * (codes.astype(np.float64) ** 2).sum(axis=1)
    weights = np.exp(log_joint - log_joint.max())
    mean = (codes * weights[:, None]).sum(axis=0) / weights.sum()

    def is_there() -> bool:
        found = posterior_of(opened)
        return found is not None and bool(np.abs(np.array(mean_of(found)) - mean).max() < 0.02)

    opened.until("the posterior of this image", is_there)


def mean_of(found: PosteriorMap) -> tuple[float, float]:
    """Return the mean of a density in latent units, second axis up."""
    rows, columns = found.density.shape
    a = found.low[0] + found.step * (np.arange(columns) + 0.5)
    b = found.high[1] - found.step * (np.arange(rows) + 0.5)
    mass = found.density / found.density.sum()
    return float((mass * a).sum()), float((mass * b[:, None]).sum())


def test_a_stale_answer_is_dropped(opened: OpenProgram) -> None:
    exact(opened)
    opened.until("the last answer", lambda: opened.session.analyses.ledger.settled)
    shown = panel_of(opened).ledger
    assert shown is not None
    stale = Ledger.undefined("stale", shown.version)
    evidence, serial = opened.program.workers.evidence, subject_of(opened).serial
    evidence.answered.emit(LedgerAnswer(serial - 1, stale, None, refined=True, milliseconds=1.0))
    assert panel_of(opened).ledger is shown, "the hand has moved on"
    evidence.answered.emit(LedgerAnswer(serial, Ledger.undefined("old", -5), None, refined=True, milliseconds=1.0))
    assert panel_of(opened).ledger is shown, "the numbers of a model that was closed"
    evidence.answered.emit(LedgerAnswer(serial, stale, None, refined=True, milliseconds=1.0))
    assert panel_of(opened).reason == "stale", "the check can fail"
    opened.session.subject.refresh()


def unanswered(opened: OpenProgram, monkeypatch: pytest.MonkeyPatch) -> Callable[[], LedgerAnswer]:
    """Have evidence that does not answer, and return what makes an answer about the newest image."""
    version, session = exact(opened).version, opened.session
    opened.until("the last answer", lambda: session.subject.settled and session.analyses.ledger.settled)
    monkeypatch.setattr(opened.program.workers.evidence, "ask", lambda _request: None)

    def answer() -> LedgerAnswer:
        serial = subject_of(opened).serial
        return LedgerAnswer(serial, Ledger.undefined(f"of {serial}", version), None, refined=True, milliseconds=1.0)

    return answer


def test_an_image_and_its_numbers_are_shown_together(opened: OpenProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_of_newest, panel = unanswered(opened, monkeypatch), panel_of(opened)
    opened.session.analyses.ledger._late.setInterval(60_000)
    shown, answered = panel.picture.picture, opened.program.workers.evidence.answered
    click_a_point(opened)
    subject_from(opened, SubjectSource.DATA)
    first = answer_of_newest()
    assert panel.picture.picture is shown, "an image beside the numbers of another"
    opened.drag_handle_to(0.3, 0.2)
    subject_from(opened, SubjectSource.CODE)
    second = answer_of_newest()
    answered.emit(first)
    assert panel.reason == f"of {first.serial}", "numbers that come slower than the hand moves"
    assert panel._subject.text().startswith("held-out image")
    assert not opened.session.analyses.ledger.settled
    answered.emit(second)
    assert panel.reason == f"of {second.serial}"
    assert panel._subject.text() == "a draw from the dragged code"
    opened.until("the last answer", lambda: opened.session.analyses.ledger.settled)
    answered.emit(first)
    assert panel.reason == f"of {second.serial}", "an older answer"
    opened.session.analyses.ledger._late.setInterval(LATE_MS)
    monkeypatch.undo()
    opened.session.subject.refresh()
    exact(opened)


def test_an_image_whose_numbers_are_late_is_shown_without(opened: OpenProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    unanswered(opened, monkeypatch)
    panel = panel_of(opened)
    shown = panel.picture.picture
    opened.drag_handle_to(0.5, 0.1)
    opened.until("the image alone", lambda: panel.reason == LATE, timeout_s=10.0)
    assert panel.picture.picture is not shown
    assert panel.ledger is None
    assert posterior_of(opened) is None
    opened.drag_handle_to(0.1, 0.5)
    opened.driver.wait(100)
    shown = panel.picture.picture
    opened.session.analyses.ledger.stop()
    opened.driver.wait(LATE_MS + 100)
    assert panel.picture.picture is shown, "the window closes"
    monkeypatch.undo()
    opened.session.subject.refresh()
    exact(opened)


def test_x_is_chosen_by_keyboard_and_stays(opened: OpenProgram) -> None:
    box = panel_of(opened).sources
    opened.raise_dock(panel_of(opened))
    box.setFocus()
    while box.currentText() != "drawing":
        QTest.keyClick(box, Qt.Key.Key_Down)
    opened.until("a sentence", lambda: panel_of(opened).reason == "Nothing is drawn on the pad.")
    assert panel_of(opened).ledger is None
    assert opened.views.canvas._density.map is None
    opened.drag_handle_to(-0.4, 0.5)
    opened.driver.wait(50)
    assert panel_of(opened).reason == "Nothing is drawn on the pad."
    box.setFocus()
    while box.currentText() != "follows the hand":
        QTest.keyClick(box, Qt.Key.Key_Up)
    opened.until("numbers", lambda: panel_of(opened).ledger is not None)


def test_the_posterior_is_switched_off_by_key_and_remembered(opened: OpenProgram) -> None:
    exact(opened)
    canvas = opened.views.canvas
    shown = []
    for _ in range(3):
        shown.append((canvas._density_shown, "posterior" in opened.settings.layers))
        opened.press(Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    opened.press(Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    assert shown == [(True, True), (False, False), (True, True)]


def test_an_autoencoder_says_in_a_sentence_why_it_has_none(opened: OpenProgram) -> None:
    open_kind(opened, "autoencoder")
    opened.until("the reason", lambda: panel_of(opened).reason == NO_PRIOR)
    assert posterior_of(opened) is None
    assert not opened.window.commands["view.posterior"].isEnabled()
    open_kind(opened, "three dimensions")
    opened.until("an estimate", panel_of(opened).estimate.isVisible)
    assert panel_of(opened).estimate.text.startswith("estimate ± ")
    opened.until("more samples", lambda: "k = 5,000" in panel_of(opened).estimate.text, timeout_s=30.0)
    assert any("marginals of q" in line for line in opened.views.canvas._notes())
    open_kind(opened, "one dimension")
    exact(opened)
    found = posterior_of(opened)
    assert found is not None
    assert len(found.low) == 1
    opened.session.documents.open_model(model_file())
    opened.until("the first model", lambda: opened.views.canvas._latent_dim == 2 and opened.is_ready())
    exact(opened)


def test_an_autoregressive_model_shows_log_px_of_the_drawing_and_why_there_is_no_bound(opened: OpenProgram) -> None:
    sources = panel_of(opened).sources
    sources.setFocus()
    QTest.keyClicks(sources, "data")
    opened.session.documents.open_model(model_file(model="made"))
    opened.until("the reason", lambda: panel_of(opened).reason.startswith(NO_CODE))
    assert (sources.currentText(), sources.isEnabled()) == ("drawing", False), "there is nothing else to choose"
    assert DRAW in panel_of(opened).reason
    opened.raise_dock(opened.views.draw_pad)
    opened.draw((40, 100), (240, 100))
    opened.driver.wait(50)
    opened.until("its log p(x)", lambda: opened.session.analyses.ledger.settled)
    ledger = panel_of(opened).ledger
    assert ledger is not None
    assert ledger.elbo is None
    assert panel_of(opened).reason == NO_CODE
    saved, seen = trained(model="made"), opened.session.drawing.seen
    assert seen is not None
    coder = AutoregressiveCoder(saved.config.model, saved.as_weights(1))
    assert ledger.log_px == pytest.approx(float(coder.log_prob(seen[None])[0]), abs=1e-3)
    opened.session.documents.open_model(model_file())
    opened.until("the first model", lambda: opened.is_ready() and sources.isEnabled())
    assert sources.currentText() == "data point", "what was chosen before"
    # Not by its first letter, which is a shortcut of the canvas where the window has the keys.
    QTest.keyClick(sources, Qt.Key.Key_Home)
    opened.until("the first model's ledger", lambda: panel_of(opened).ledger is not None, timeout_s=60.0)
    exact(opened)


def test_a_full_covariance_q_is_drawn_full(opened: OpenProgram) -> None:
    opened.session.documents.open_model(model_file(posterior="full"))
    opened.until("the model", lambda: "full" in opened.window.windowTitle() and opened.is_ready())
    click_a_point(opened)
    subject = subject_from(opened, SubjectSource.DATA)
    hand = opened.session.latent.hand
    assert hand is not None
    scale = hand.coder.encode(subject.pixels[None]).scale[0].astype(np.float64)
    covariance = scale @ scale.T
    opened.until("its mark", lambda: "posterior" in opened.views.canvas._encodings)
    assert opened.views.canvas._encodings["posterior"].covariance == pytest.approx(
        (covariance[0, 0], covariance[0, 1], covariance[1, 1]), rel=1e-4
    )
    exact(opened)
    opened.session.documents.open_model(model_file())
    opened.until("the first model", lambda: "full" not in opened.window.windowTitle() and opened.is_ready())


def test_until_the_tables_are_there_a_sentence_says_so(tmp_path: Path) -> None:
    program = OpenProgram(tmp_path, model_file()).opened()
    assert (
        panel_of(program).ledger is not None
        or "…" in panel_of(program).reason
        or "numbers follow" in (panel_of(program).reason)
    )
    program.until("a ledger", lambda: panel_of(program).ledger is not None, timeout_s=60.0)
    program.session.documents.open_model(model_file(latent_dim=1))
    program.until("the next model", lambda: panel_of(program).ledger is None)
    assert panel_of(program).reason in {BUILDING, "No model is open yet."}
    program.leave()


@pytest.mark.slow
def test_during_a_run_the_numbers_say_which_weights_they_belong_to(tmp_path: Path) -> None:
    program = OpenProgram(tmp_path, model_file()).opened()
    program.until("a ledger", lambda: panel_of(program).ledger is not None, timeout_s=60.0)
    program.set_field("epochs", str(LONG))
    program.press(Qt.Key.Key_F5)
    training = program.session.training
    program.until("the run", lambda: training.state is RunState.RUNNING, timeout_s=60.0)
    versions: set[int] = set()

    def three_versions() -> bool:
        ledger = panel_of(program).ledger
        if ledger is not None:
            versions.add(ledger.version)
        return len(versions) >= 3

    program.until("numbers of several versions", three_versions, timeout_s=60.0)
    training.stop()
    program.until("the end of the run", lambda: not training.active, timeout_s=30.0)

    def are_the_last() -> bool:
        ledger, hand = panel_of(program).ledger, program.session.latent.hand
        return ledger is not None and hand is not None and ledger.version == hand.version

    program.until("numbers of the last weights", are_the_last, timeout_s=60.0)
    assert program.close() < 2.0


def test_bits_are_those_of_masses_only() -> None:
    model = trained().config.model
    assert remarks(-100.0, model, grey=False).bits_per_dim == pytest.approx(100.0 / (144 * np.log(2.0)))
    grey = remarks(-100.0, model, grey=True)
    assert grey.grey
    assert grey.bits_per_dim is None
    gaussian = type(model).from_mapping({**model.to_mapping(), "likelihood": "gaussian"})
    assert remarks(-100.0, gaussian, grey=True) == type(grey)(None, grey=False)
    assert remarks(None, model, grey=False).bits_per_dim is None

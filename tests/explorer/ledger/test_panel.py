"""The ledger's panel: numbers and bars that add up, how far they can be trusted, and sentences where there are none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QHelpEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from core.findings.ledger import Ledger
from explorer.messages import SubjectSource
from explorer.theme import apply_theme, current_palette
from explorer.views.ledger import FOLLOWS, LedgerPanel, Remarks
from explorer.views.ledger.scale import bar_scale
from explorer.views.ledger.terms import ELBO, EXPECTED, KL_TO_POSTERIOR, KL_TO_PRIOR, LOG_PX, TERMS

EXACT = Ledger(
    log_px=-131.402,
    error_bar=0.0004,
    elbo=-133.018,
    expected_log_likelihood=-125.61,
    kl_to_prior=7.408,
    kl_to_posterior=1.616,
    residual=0.0002,
    is_estimate=False,
    standard_error=None,
    effective_sample_size=None,
    num_samples=0,
    undefined_reason="",
    version=3,
)
ESTIMATE = replace(
    EXACT,
    error_bar=None,
    residual=None,
    is_estimate=True,
    standard_error=0.21,
    effective_sample_size=12.3,
    num_samples=5000,
)
PLAIN = Remarks(0.2418, grey=False)


@pytest.fixture
def panel(qtbot: Any) -> LedgerPanel:
    widget = LedgerPanel()
    qtbot.addWidget(widget)
    widget.resize(446, 240)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.activateWindow()
    return widget


def test_each_term_has_its_number_with_as_many_digits(panel: LedgerPanel) -> None:
    panel.set_ledger(EXACT, PLAIN)
    assert panel.identities.numbers == {
        LOG_PX: "−131.402",
        ELBO: "−133.018",
        KL_TO_POSTERIOR: "1.616",
        EXPECTED: "−125.610",
        KL_TO_PRIOR: "7.408",
    }


def test_the_bars_add_up_as_the_identities_say(panel: LedgerPanel) -> None:
    panel.set_ledger(EXACT, PLAIN)
    boxes, scale = panel.bars.boxes(), panel.bars.scale
    assert scale is not None
    assert boxes[ELBO].right() == pytest.approx(boxes[KL_TO_POSTERIOR].left())
    assert boxes[KL_TO_POSTERIOR].right() == pytest.approx(boxes[LOG_PX].right(), abs=0.1)
    assert boxes[KL_TO_PRIOR].left() == pytest.approx(boxes[ELBO].right())
    assert boxes[KL_TO_PRIOR].right() == pytest.approx(boxes[EXPECTED].right(), abs=0.1)
    for key, nats in ((KL_TO_POSTERIOR, 1.616), (KL_TO_PRIOR, 7.408)):
        assert boxes[key].width() == pytest.approx(nats * scale.pixels_per_nat, abs=0.01)
    assert all(panel.bars.rect().contains(box.toAlignedRect()) for box in boxes.values())


def test_a_gap_that_does_not_close_would_be_seen(panel: LedgerPanel) -> None:
    panel.set_ledger(replace(EXACT, kl_to_posterior=0.8), PLAIN)
    boxes = panel.bars.boxes()
    assert abs(boxes[KL_TO_POSTERIOR].right() - boxes[LOG_PX].right()) > 3.0


def test_bars_have_the_colours_of_their_terms(panel: LedgerPanel) -> None:
    panel.set_ledger(EXACT, PLAIN)
    image = panel.bars.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    for key, box in panel.bars.boxes().items():
        corner = QPoint(round(box.right()) - 3, round(box.top()) + 2)
        assert QColor(image.pixel(corner)).name() == getattr(current_palette(), TERMS[key].colour), key


@pytest.mark.parametrize("gap", [0.0, 1e-6, 0.3, 46.0, 2_000.0])
@pytest.mark.parametrize("rate", [0.0, 7.4, 900.0])
def test_every_ledger_fits_the_bars(panel: LedgerPanel, gap: float, rate: float) -> None:
    elbo = -140.0 - gap
    panel.set_ledger(
        replace(
            EXACT, log_px=-140.0, elbo=elbo, kl_to_posterior=gap, kl_to_prior=rate, expected_log_likelihood=elbo + rate
        ),
        PLAIN,
    )
    boxes = panel.bars.boxes()
    assert all(box.left() >= -0.01 and box.right() <= panel.bars.width() + 0.01 for box in boxes.values())
    assert boxes[ELBO].width() >= 40.0
    panel.grab()


def test_a_term_whose_bar_is_too_short_for_its_name_has_it_on_its_right(panel: LedgerPanel) -> None:
    gap = replace(
        EXACT, log_px=-280.5, elbo=-283.4, kl_to_posterior=2.9, kl_to_prior=0.003, expected_log_likelihood=-283.397
    )
    panel.set_ledger(gap, PLAIN)
    image = panel.bars.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    box = panel.bars.boxes()[EXPECTED]
    assert box.width() < 80.0, "the name would fit"
    right, middle = QPoint(round(box.right()) + 4, round(box.center().y())), round(0.5 * box.height()) - 1
    pixels = {
        image.pixel(right + QPoint(x, y)) for x in range(80) for y in range(-middle, middle) if right.x() + x < 446
    }
    assert QColor(getattr(current_palette(), TERMS[EXPECTED].colour)).rgb() in pixels


def test_log_px_stands_still_and_the_scale_is_kept_while_bars_change_a_little() -> None:
    first = bar_scale(EXACT, 420.0)
    assert first is not None
    moved = replace(EXACT, log_px=-150.0, elbo=-151.0, expected_log_likelihood=-143.9)
    second = bar_scale(moved, 420.0, first)
    assert second is not None
    assert second.pixels_per_nat == first.pixels_per_nat
    assert second.x(-150.0) == first.x(-131.402)
    wider = bar_scale(replace(EXACT, elbo=-190.0), 420.0, first)
    assert wider is not None
    assert wider.pixels_per_nat < first.pixels_per_nat


def test_numbers_that_are_none_paint_no_bars(panel: LedgerPanel) -> None:
    panel.set_ledger(replace(EXACT, log_px=float("nan"), elbo=float("-inf")), Remarks(None, grey=False))
    panel.grab()
    assert panel.bars.boxes() == {}


@pytest.mark.parametrize(
    ("error_bar", "residual", "tone"),
    [(4e-4, 2e-4, "good"), (1e-3, -1e-3, "good"), (0.7, 2e-4, "doubtful"), (4e-4, 2e-3, "doubtful")],
)
def test_the_badge_is_green_only_while_residual_and_error_bar_are_within_a_thousandth(
    panel: LedgerPanel, error_bar: float, residual: float, tone: str
) -> None:
    panel.set_ledger(replace(EXACT, error_bar=error_bar, residual=residual), PLAIN)
    assert panel.trust.tone == tone
    assert panel.trust.text == f"residual {abs(residual):.4f} · error bar ± {error_bar:.4f} nats"
    assert panel.trust.isVisible()
    assert not panel.estimate.isVisible()
    wanted = current_palette().success if tone == "good" else current_palette().note
    image = panel.trust.grab().toImage()
    assert QColor(image.pixel(12, image.height() // 2)).name() == wanted


def test_what_would_read_as_zero_is_bounded_instead(panel: LedgerPanel) -> None:
    panel.set_ledger(replace(EXACT, error_bar=3e-7, residual=-2e-8), PLAIN)
    assert panel.trust.text == "residual < 0.0001 · error bar < 0.0001 nats"


def test_an_estimate_is_marked_with_its_error_its_samples_and_a_sentence(panel: LedgerPanel) -> None:
    panel.set_ledger(ESTIMATE, PLAIN)
    assert panel.estimate.text == "estimate ± 0.21 · k = 5,000 · ESS 12.3"
    assert panel.estimate.tone == "doubtful"
    assert not panel.trust.isVisible()
    assert panel._note.isVisible()
    assert "lower bound" in panel._note.text()
    assert "in expectation" in panel._note.text()
    assert "estimate" in panel.text()
    panel.set_ledger(EXACT, PLAIN)
    assert not panel._note.isVisible()
    assert not panel.estimate.isVisible()


def test_a_sentence_takes_the_place_of_the_numbers(panel: LedgerPanel) -> None:
    panel.set_ledger(EXACT, PLAIN)
    panel.set_ledger(Ledger.undefined("An autoencoder defines no p(x): it has no prior p(z).", 4), PLAIN)
    assert panel.reason == "An autoencoder defines no p(x): it has no prior p(z)."
    assert not panel.identities.isVisible()
    assert not panel.bars.isVisible()
    panel.set_reason("The tables are being built…")
    assert panel.reason == "The tables are being built…"
    assert panel.accessibleDescription() == panel.reason
    assert not panel.trust.isVisible()
    panel.set_ledger(EXACT, PLAIN)
    assert panel.reason == ""
    assert panel.identities.isVisible()


def test_a_model_without_a_bound_shows_its_exact_log_px_and_why_there_is_no_more(panel: LedgerPanel) -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("elbo", "expected_log_likelihood", "kl_to_prior", "kl_to_posterior", "residual", "error_bar")
    )
    panel.set_ledger(replace(EXACT, **nothing, undefined_reason="MADE has no latent code."), PLAIN)
    assert panel.identities.isVisible()
    assert panel.reason == "MADE has no latent code."
    assert set(panel.bars.boxes()) == {LOG_PX}
    assert panel.identities.numbers[ELBO] == "–"


def test_bits_are_said_of_masses_only_and_grey_pixels_are_marked(panel: LedgerPanel) -> None:
    panel.set_ledger(EXACT, PLAIN)
    assert panel.bits.text == "0.2418 bits/dim"
    assert not panel.grey.isVisible()
    panel.set_ledger(EXACT, Remarks(None, grey=True))
    assert not panel.bits.isVisible()
    assert panel.grey.text == "grey pixels: no likelihood"
    assert panel.grey.tone == "doubtful"


def test_the_image_is_chosen_by_keyboard_and_a_setter_says_nothing(panel: LedgerPanel, qtbot: Any) -> None:
    said: list[str] = []
    panel.source_chosen.connect(said.append)
    panel.set_choice(SubjectSource.DRAWING)
    assert said == []
    assert panel.sources.currentText() == "drawing"
    panel.set_choice(None)
    panel.sources.setFocus()
    with qtbot.waitSignal(panel.source_chosen):
        QTest.keyClick(panel.sources, Qt.Key.Key_Down)
    with qtbot.waitSignal(panel.source_chosen):
        QTest.keyClick(panel.sources, Qt.Key.Key_Up)
    assert said == ["DATA", FOLLOWS]


def test_the_numbers_are_copied_from_the_menu(panel: LedgerPanel) -> None:
    panel.set_subject(np.zeros((28, 28), np.uint8), "held-out image 1,234")
    panel.set_ledger(EXACT, PLAIN)
    action = next(action for action in panel.actions() if action.text() == "Copy numbers")
    action.trigger()
    text = QGuiApplication.clipboard().text()
    assert text.splitlines()[:3] == ["x: held-out image 1,234", "log p(x)\t−131.402 nats", "ELBO\t−133.018 nats"]
    assert "residual 0.0002 · error bar ± 0.0004 nats" in text
    assert "weights 3" in text


def test_every_term_says_what_it_is(panel: LedgerPanel) -> None:
    panel.set_ledger(EXACT, PLAIN)
    for placed in panel.identities.placed():
        place = placed.box.center().toPoint()
        event = QHelpEvent(QEvent.Type.ToolTip, place, panel.identities.mapToGlobal(place))
        QApplication.sendEvent(panel.identities, event)
        if not isinstance(placed.piece, str):
            assert QToolTip.text() == placed.piece.tip
    for key, box in panel.bars.boxes().items():
        # Near the right end, where nothing lies over the longest of them.
        place = QPoint(round(box.right()) - 2, round(box.center().y()))
        QApplication.sendEvent(panel.bars, QHelpEvent(QEvent.Type.ToolTip, place, panel.bars.mapToGlobal(place)))
        assert QToolTip.text() == TERMS[key].tip
    QToolTip.hideText()


def test_everything_has_a_name_for_those_who_do_not_see_it(panel: LedgerPanel) -> None:
    panel.set_ledger(EXACT, PLAIN)
    parts = [panel, panel.sources, panel.picture, panel.identities, panel.bars, panel.trust, panel.estimate, panel.bits]
    assert all(part.accessibleName() for part in parts)
    assert "log p(x)\t−131.402 nats" in panel.accessibleDescription()
    assert panel.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_both_themes_paint_the_panel_in_their_own_colours(panel: LedgerPanel, qapp: QApplication) -> None:
    panel.set_ledger(EXACT, PLAIN)
    pictures = []
    try:
        for theme in ("dark", "light"):
            apply_theme(qapp, theme)
            box = panel.bars.boxes()[ELBO]
            image = panel.bars.grab().toImage()
            pictures.append(QColor(image.pixel(round(box.right()) - 4, round(box.top()) + 2)).name())
            assert pictures[-1] == current_palette().accent
    finally:
        apply_theme(qapp, "light")
    assert pictures[0] != pictures[1]

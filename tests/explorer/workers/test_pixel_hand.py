"""The hand of an autoregressive model, and the thread that makes it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.inference.autoregressive import AutoregressiveCoder
from explorer.messages import Failed, MosaicRequest, PictureRequest
from explorer.workers import pixel_hand as module
from explorer.workers.inference import InferenceThread
from explorer.workers.pixel_hand import PixelHand, make_pixel_hand
from tests.open_program import trained

MADE: dict[str, object] = {"model.model": "made", "hidden": (60,)}


@pytest.fixture(scope="module")
def coder() -> AutoregressiveCoder:
    saved = trained(**MADE)
    return AutoregressiveCoder(saved.config.model, saved.as_weights(3))


def some_pixels(coder: AutoregressiveCoder) -> Any:
    return (np.random.default_rng(0).random(coder.config.num_pixels) < 0.3).astype(np.float32)


def test_a_score_is_that_of_the_coder(coder: AutoregressiveCoder) -> None:
    hand, pixels = make_pixel_hand(coder), some_pixels(coder)
    score = hand.score(pixels)
    assert score.log_prob == pytest.approx(float(coder.log_prob(pixels[None])[0]))
    np.testing.assert_array_equal(score.seen.ravel(), 255 * pixels)
    np.testing.assert_array_equal(score.means.ravel(), np.rint(255 * coder.conditionals(pixels[None])[0]))
    assert (score.version, hand.version) == (3, 3)
    assert hand.score_ms > 0.0


def test_a_small_model_is_asked_directly_and_a_slow_one_is_not(
    coder: AutoregressiveCoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PixelHand(coder, coder.config, 1, 1.0).scores_directly
    monkeypatch.setattr(module, "best_ms", lambda _call: 50.0)
    assert not make_pixel_hand(coder).scores_directly


def test_a_sampling_steps_and_ends(coder: AutoregressiveCoder) -> None:
    pixels = some_pixels(coder)
    sampling = PixelHand(coder, coder.config, 1, 1.0).begin(2, pixels, 100)
    assert sampling.state().num_given == 100
    sampling.step(7)
    assert sampling.state().num_known == 107
    sampling.step(10_000)
    assert sampling.is_done


def test_the_thread_makes_it_in_place_of_a_hand_and_scores_pictures(qtbot: Any, coder: AutoregressiveCoder) -> None:
    thread = InferenceThread()
    failures: list[Failed] = []
    thread.failed.connect(failures.append)
    thread.start()
    try:
        saved, pixels = trained(**MADE), some_pixels(coder)
        with (
            qtbot.waitSignal(thread.pixel_hand_ready) as made,
            qtbot.assertNotEmitted(thread.hand_ready),
        ):
            thread.set_model(saved.config.model, saved.as_weights(9))
        assert made.args is not None
        assert made.args[0].version == 9
        # What only a model with codes could answer is left alone.
        thread.ask(MosaicRequest((0.0, 0.0), (1.0, 1.0), (0, 1), np.zeros(2, np.float32), 2, 2))
        with qtbot.waitSignal(thread.picture_scored) as scored:
            thread.ask(PictureRequest(4, pixels))
        assert scored.args is not None
        serial, score = scored.args
        assert serial == 4
        assert score.log_prob == pytest.approx(float(coder.log_prob(pixels[None])[0]), abs=1e-3)
        with qtbot.waitSignal(thread.hand_ready):
            thread.set_model(trained().config.model, trained().as_weights(10))
    finally:
        thread.shut_down()
        thread.wait()
    assert not failures


def test_the_hand_s_module_needs_no_torch() -> None:
    source = Path(module.__file__).read_text(encoding="utf-8")
    assert "import torch" not in source

"""The hand: both pictures of a code from one decoding, and a cost that waiting does not raise."""

import threading

import numpy as np
import pytest

from core.inference.coders import make_coder
from core.inference.pictures import encode_picture, stochastic_picture
from core.shapes import CodeArray
from explorer.messages import picture_of
from explorer.workers import hand
from tests.core.tiny_models import random_weights, tiny_config


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_both_pictures_of_a_code_are_those_that_the_coder_makes_one_by_one(network: str) -> None:
    config = tiny_config(network=network)
    coder = make_coder(config, random_weights(config))
    for value in (-1.5, 0.0, 40.0):
        code = np.full(config.latent_dim, value, np.float32)
        pictures = hand.make_hand(coder, config).pictures(code)
        np.testing.assert_array_equal(pictures.deterministic, picture_of(coder.decode(code[None])[0], 6, 5))
        assert pictures.stochastic is not None
        np.testing.assert_array_equal(pictures.stochastic, stochastic_picture(coder, code))
        assert pictures.version == 7


def test_a_picture_is_encoded_as_core_does_it() -> None:
    config = tiny_config()
    coder = make_coder(config, random_weights(config))
    pixels = (np.arange(30) % 3 == 0).astype(np.float32)
    made, expected = hand.make_hand(coder, config).encode(pixels), encode_picture(coder, pixels[None])
    np.testing.assert_array_equal(made.deterministic, expected.deterministic)
    assert (made.nll, made.kl) == (expected.nll, expected.kl)


def test_waiting_for_a_core_is_no_cost_of_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that gives way to others waits long at times; the model is as quick as ever."""
    config = tiny_config()
    coder = make_coder(config, random_weights(config))
    decode, never = type(coder).parameters, threading.Event()

    def interrupted(self: object, codes: CodeArray) -> CodeArray:
        never.wait(2.5 * hand.DIRECT_LIMIT_MS / 1e3)
        result: CodeArray = decode(self, codes)  # type: ignore[arg-type]
        return result

    monkeypatch.setattr(type(coder), "parameters", interrupted)
    assert hand.make_hand(coder, config).decodes_directly


def test_a_model_that_computes_too_long_is_left_to_the_inference_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny_config()
    coder = make_coder(config, random_weights(config))
    decode, square = type(coder).parameters, np.ones((500, 500))

    def laboured(self: object, codes: CodeArray) -> CodeArray:
        for _ in range(20):
            np.linalg.inv(square + np.eye(500))
        result: CodeArray = decode(self, codes)  # type: ignore[arg-type]
        return result

    monkeypatch.setattr(type(coder), "parameters", laboured)
    assert not hand.make_hand(coder, config).decodes_directly

"""The analysis that encodes all images: the codes that are found at once, with word of how far it is."""

import time

import numpy as np
import pytest

from core.findings.encoding import EncodedHalf, EncodedSoFar
from core.inference import codes as codes_module
from core.inference.codes import encode_split, latent_statistics
from core.models.build import build_model, weights_of
from core.snapshots import Weights
from explorer.workers.analysis import OpenModel
from explorer.workers.encoding import EncodeAll
from tests.small_data import bar_data, small_config


@pytest.fixture
def model() -> OpenModel:
    config = small_config().model
    return OpenModel(config, Weights(3, 0, weights_of(build_model(config, None))))


def test_it_finds_the_codes_of_all_images_and_tells_how_far_it_is(
    model: OpenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes_module, "PIECE_IMAGES", 50)
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: 0.06 * next(clock))
    data = bar_data(130, 20)
    *told, last = EncodeAll(data, "train").steps(model)
    assert [(one.done, one.total) if isinstance(one, EncodedSoFar) else one for one in told] == [None, (100, 130), None]
    assert isinstance(last, EncodedHalf)
    expected = encode_split(model.coder, data.train, "train", data.config)
    assert np.array_equal(last.codes.mean, expected.mean)
    assert np.array_equal(last.codes.indices, np.arange(130))
    assert last.codes.version == 3
    assert np.array_equal(last.statistics.low, latent_statistics(expected, model.config).low)


def test_it_rests_while_the_hand_moves_and_ends_at_any_piece(model: OpenModel) -> None:
    assert EncodeAll.patient
    steps = EncodeAll(bar_data(1200, 20), "train").steps(model)
    next(steps)
    steps.close()

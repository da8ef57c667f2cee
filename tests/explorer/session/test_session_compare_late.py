"""Two models side by side: answers that come late, from threads that stand still here."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.inference.coders import make_coder
from core.snapshots import PictureEncoding
from explorer.messages import HandPictures, LoadedModel, PictureRequest, PictureResult
from explorer.session.analyses.compare import CompareSession
from explorer.workers.analysis import AnalysisEnded, Found, OpenModel
from explorer.workers.compare import EncodeAnalysis, EncodedImage
from explorer.workers.hand import make_hand
from tests.explorer.session.test_session_compare import AUTOENCODER
from tests.explorer.session.test_session_stale_answers import StillProgram
from tests.open_program import trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture
def still(tmp_path: Path) -> Iterator[StillProgram]:
    program = StillProgram(tmp_path)
    yield program
    program.leave()


def shown_first(compare: CompareSession) -> PictureEncoding | None:
    return compare._shown.first


def shown_second(compare: CompareSession) -> PictureEncoding | None:
    return compare._shown.second


def test_a_stale_encoding_by_a_slow_second_model_is_dropped(still: StillProgram) -> None:
    hand = still.open(trained())
    compare = still.session.analyses.compare
    still.workers.beside.model_loaded.emit(LoadedModel(Path("second.safetensors"), trained(**AUTOENCODER), "compare"))
    second = still.workers.second
    assert second._model is not None
    config, weights = second._model
    slow = replace(make_hand(make_coder(config, weights), config), decode_ms=1e3, encode_ms=1e3)
    second.hand_ready.emit(slow)
    assert hand is still.session.latent.hand

    still.drag_handle_to(0.5, 0.1)
    early = second._slots[PictureRequest]
    still.drag_handle_to(-0.7, 0.3)
    late = second._slots[PictureRequest]
    assert isinstance(early, PictureRequest)
    assert isinstance(late, PictureRequest)
    assert late.serial > early.serial
    second.picture_encoded.emit(PictureResult(early.serial, slow.encode(early.pixels)))
    assert shown_second(compare) is None, "the hand has moved on"
    answer = slow.encode(late.pixels)
    second.picture_encoded.emit(PictureResult(late.serial, answer))
    assert shown_second(compare) is answer

    # A picture that the second model decoded for its canvas leads only while its own handle is the one in hand.
    before = still.handle.code
    stale = HandPictures(answer.mean, answer.deterministic, answer.stochastic, answer.version)
    second.pictures_ready.emit(1, stale)
    np.testing.assert_array_equal(still.handle.code, before)


def test_a_slow_first_model_is_asked_beside_the_window_and_its_stale_answer_is_dropped(still: StillProgram) -> None:
    still.open(trained(), slow=True)
    second, compare, analysis = still.workers.second, still.session.analyses.compare, still.workers.analysis
    still.workers.beside.model_loaded.emit(LoadedModel(Path("second.safetensors"), trained(**AUTOENCODER), "compare"))
    assert second._model is not None
    config, weights = second._model
    second.hand_ready.emit(make_hand(make_coder(config, weights), config))
    model = OpenModel(trained().config.model, trained().as_weights(1))

    def asked() -> EncodeAnalysis:
        waiting = analysis._asked[EncodeAnalysis]
        assert isinstance(waiting, EncodeAnalysis)
        return waiting

    def answered(waiting: EncodeAnalysis) -> EncodedImage:
        (finding,) = waiting.steps(model)
        assert isinstance(finding, EncodedImage)
        return finding

    still.drag_handle_to(0.5, 0.1)
    early = asked()
    still.drag_handle_to(-0.7, 0.3)
    assert asked() is early, "one after the other"
    analysis.found.emit(Found(early, answered(early)))
    assert shown_first(compare) is None
    analysis.ended.emit(AnalysisEnded(early))
    late = asked()
    assert late.serial == compare._shown.serial
    finding = answered(late)
    analysis.found.emit(Found(late, finding))
    assert shown_first(compare) is finding.encoding
    assert late.code is not None
    np.testing.assert_allclose(late.code, still.handle.code)
    assert shown_second(compare) is not None, "the second model has encoded what the first decoded"
    assert compare._shown.pixels is finding.pixels

"""All images encoded at the user's wish: in the background, with progress and Cancel, once for each version."""

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PySide6.QtWidgets import QToolButton

from core.findings.encoding import EncodedHalf, EncodedSoFar
from core.inference.codes import encode_split, latent_statistics
from explorer.messages import CodesRequest, CodesResult, Failed
from explorer.session import shown_data
from explorer.views.tool_strip import ToolStrip
from explorer.workers.analysis import Analysis, AnalysisEnded, Found
from explorer.workers.encoding import EncodeAll
from explorer.workers.inference import InferenceThread
from tests.explorer.session.test_session_stale_answers import StillProgram
from tests.open_program import LONG, OpenProgram, bars_data, model_file, trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]

SOME = 20
HELD_OUT = len(bars_data().held_out)


@pytest.fixture(autouse=True)
def some_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show twenty codes unless all are asked for."""
    monkeypatch.setattr(shown_data, "REST_SUBSET", SOME)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    yield program
    assert not program.error
    program.leave()


@pytest.fixture
def still(tmp_path: Path) -> Iterator[StillProgram]:
    program = StillProgram(tmp_path)
    program.answer_codes(program.open(trained()), asked_codes(program))
    yield program
    program.leave()


def asked_codes(program: StillProgram) -> CodesRequest:
    request = program.asked(CodesRequest)
    assert isinstance(request, CodesRequest)
    return request


def num_shown(program: OpenProgram) -> int:
    return len(program.session.latent.codes or ())


def strip_of(program: OpenProgram) -> ToolStrip:
    strip = program.window.findChild(ToolStrip)
    assert isinstance(strip, ToolStrip)
    return strip


def cancel_of(program: OpenProgram) -> QToolButton:
    return strip_of(program)._cancel


def is_offered(program: OpenProgram) -> bool:
    return program.window.commands["view.encode_all"].isEnabled()


def begun(program: StillProgram) -> EncodeAll:
    program.window.commands.trigger("view.encode_all")
    found: Analysis | None = program.workers.analysis._asked.get(EncodeAll)
    assert isinstance(found, EncodeAll)
    return found


def test_all_images_are_encoded_and_the_other_half_and_back_costs_nothing(opened: OpenProgram) -> None:
    assert num_shown(opened) == SOME
    opened.click(strip_of(opened)._encode_all)
    opened.until("all codes", lambda: num_shown(opened) == HELD_OUT)
    opened.until("the end", lambda: cancel_of(opened).isHidden())
    assert not is_offered(opened)
    assert strip_of(opened)._encode_all.isHidden()
    hand, codes, data = opened.session.latent.hand, opened.session.latent.codes, opened.session.hub.dataset
    assert hand is not None
    assert codes is not None
    assert data is not None
    assert np.array_equal(codes.mean, encode_split(hand.coder, data.held_out, "held_out", data.config).mean)
    opened.window.split_chosen.emit("train")
    opened.until("the training images", lambda: opened.session.latent.codes is not codes)
    assert num_shown(opened) == SOME
    assert is_offered(opened)
    with mock.patch.object(InferenceThread, "ask") as ask:
        opened.window.split_chosen.emit("held_out")
        assert opened.session.latent.codes is codes
    assert not any(isinstance(call.args[0], CodesRequest) for call in ask.call_args_list)
    assert not is_offered(opened)


def test_a_run_shows_a_subset_and_offers_all_again_when_it_is_over(opened: OpenProgram) -> None:
    opened.window.commands.trigger("view.encode_all")
    opened.until("all codes", lambda: num_shown(opened) == HELD_OUT)
    opened.set_field("epochs", str(LONG))
    opened.window.commands.trigger("model.continue")
    opened.until("newer codes", lambda: num_shown(opened) not in {0, HELD_OUT} or opened.session.hub.live)
    assert not is_offered(opened)
    opened.window.commands.trigger("model.stop")
    opened.until("the end of the run", lambda: not opened.session.hub.live)
    opened.until("the offer", lambda: is_offered(opened))
    assert num_shown(opened) == SOME


def test_progress_is_shown_and_cancel_leaves_what_is_shown(still: StillProgram) -> None:
    asked, shown = begun(still), still.session.latent.codes
    assert not is_offered(still)
    still.workers.analysis.found.emit(Found(asked, EncodedSoFar(16, HELD_OUT)))
    strip = strip_of(still)
    assert strip.status == f"Encoding 16 of {HELD_OUT}"
    assert strip._progress.isVisible()
    assert strip._progress.value() == round(1000 * 16 / HELD_OUT)
    still.click(cancel_of(still))
    assert EncodeAll not in still.workers.analysis._asked
    assert cancel_of(still).isHidden()
    assert not strip._progress.isVisible()
    assert strip.status == "Encoding cancelled."
    still.workers.analysis.found.emit(Found(asked, EncodedSoFar(32, HELD_OUT)))
    assert not strip._progress.isVisible()
    assert still.session.latent.codes is shown
    assert is_offered(still)


def test_what_else_is_said_meanwhile_does_not_take_cancel_away(still: StillProgram) -> None:
    asked = begun(still)
    still.window.show_status("Saved.")
    assert not cancel_of(still).isHidden()
    strip_of(still).clear_status()
    assert "Encoding" in strip_of(still).status
    still.workers.analysis.found.emit(Found(asked, EncodedSoFar(32, HELD_OUT)))
    assert strip_of(still)._progress.isVisible()


def test_newer_weights_end_it_and_codes_of_older_ones_are_not_shown(still: StillProgram) -> None:
    asked = begun(still)
    hand = still.session.latent.hand
    assert hand is not None
    codes = encode_split(hand.coder, bars_data().held_out, "held_out", asked.dataset.config)
    late = Found(asked, EncodedHalf(codes, latent_statistics(codes, hand.config)))
    still.session._workers.set_model(hand.config, trained().as_weights(99))
    still.answer_model()
    assert EncodeAll not in still.workers.analysis._asked
    assert cancel_of(still).isHidden()
    still.workers.analysis.found.emit(late)
    assert num_shown(still) == SOME


def test_the_other_half_may_be_looked_at_meanwhile(still: StillProgram) -> None:
    asked = begun(still)
    still.window.split_chosen.emit("train")
    hand = still.session.latent.hand
    assert hand is not None
    still.answer_codes(hand, asked_codes(still))
    codes = encode_split(hand.coder, bars_data().held_out, "held_out", asked.dataset.config)
    still.workers.analysis.found.emit(Found(asked, EncodedHalf(codes, latent_statistics(codes, hand.config))))
    still.workers.analysis.ended.emit(AnalysisEnded(asked))
    shown = still.session.latent.codes
    assert shown is not None
    assert shown.split == "train"
    assert "encoded" not in strip_of(still).status
    assert cancel_of(still).isHidden()
    still.window.split_chosen.emit("held_out")
    assert still.session.latent.codes is codes


def test_some_codes_that_come_late_leave_all_on_the_canvas_however_many_these_are(
    still: StillProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(still.session.latent._known, "_max_bytes", 100)
    asked, hand, some = begun(still), still.session.latent.hand, still.session.latent.codes
    assert hand is not None
    assert some is not None
    codes = encode_split(hand.coder, bars_data().held_out, "held_out", asked.dataset.config)
    statistics = latent_statistics(codes, hand.config)
    still.workers.analysis.found.emit(Found(asked, EncodedHalf(codes, statistics)))
    still.workers.analysis.ended.emit(AnalysisEnded(asked))
    assert strip_of(still).status == "All held-out images are encoded."
    late = CodesRequest("held_out", asked.dataset, len(some))
    told: list[bool] = []
    still.session.latent.codes_changed.connect(lambda: told.append(True))
    with mock.patch.object(still.views.canvas, "set_codes") as placed:
        still.workers.inference.codes_ready.emit(CodesResult(some, statistics, 1.0, late))
    assert not placed.called
    assert not told
    assert still.session.latent.codes is codes
    still.window.split_chosen.emit("train")
    still.answer_codes(hand, asked_codes(still))
    still.window.split_chosen.emit("held_out")
    assert still.session.latent.codes is codes


def test_a_failure_is_said_and_it_can_be_tried_again(still: StillProgram) -> None:
    asked = begun(still)
    still.workers.analysis.ended.emit(AnalysisEnded(asked, Failed("digits.npy: the file was changed")))
    assert "digits.npy" in still.error
    assert cancel_of(still).isHidden()
    assert is_offered(still)
    still.window.clear_error()

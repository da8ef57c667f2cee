"""Models as documents: opened, saved, restored, never mistaken for one another, never overwritten unasked."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from core.storage.model_file import load_model, save_model
from explorer.messages import RunState
from explorer.session.autosaves import name_of
from tests.explorer.session.document_hands import Maker, answer_dialog, ready, recent, run_epochs, title
from tests.open_program import LONG, OpenProgram, model_file, trained
from tests.small_data import bars

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


def test_the_next_program_opens_what_the_last_one_left_with_its_curves(make: Maker) -> None:
    first = ready(make(model_file()))
    run_epochs(first, 3)
    saved = first.session.documents.saved
    assert saved is not None
    first.close()
    second = ready(make())
    assert title(second) == "Untitled"
    assert second.window.isWindowModified()
    assert "3\N{NO-BREAK SPACE}epochs" in second.views.model._summary.text()
    assert second.session.training.history.num_steps == saved.history.num_steps
    assert second.views.curves._record.last_step == saved.history.num_steps
    restored = second.session.documents.saved
    assert restored is not None
    for name, array in saved.weights.items():
        np.testing.assert_array_equal(restored.weights[name], array)


def test_continuing_a_restored_model_goes_on_in_its_own_file(make: Maker) -> None:
    first = ready(make(model_file()))
    run_epochs(first, 2)
    first.close()
    second = ready(make())
    second.set_field("epochs", "1")
    second.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ControlModifier)
    second.until("the run", lambda: second.session.training.active)
    second.until("its end", lambda: not second.session.training.active)
    (kept,) = second.autosaves
    assert load_model(kept).history.epochs == pytest.approx(3.0)
    assert title(second) == "Untitled"


def test_a_new_model_is_not_mistaken_for_an_opened_one_of_the_same_name(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "Untitled.safetensors"
    path.write_bytes(model_file().read_bytes())
    opened = ready(make(None, path))
    run_epochs(opened, 1)
    assert opened.session.documents.path_to_save is None
    assert path.read_bytes() == model_file().read_bytes()


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_broken_model_file_is_refused_by_name_and_the_open_model_stays(
    make: Maker, tmp_path: Path, content: bytes
) -> None:
    opened = ready(make(model_file()))
    before, picture = opened.session.documents.saved, opened.picture
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    opened.drop(path)
    opened.until("the message", lambda: "broken.safetensors" in opened.error)
    assert opened.session.documents.saved is before
    assert title(opened) == "bars"
    assert opened.picture is picture
    opened.drag_handle_to(0.5, 0.5)
    np.testing.assert_allclose(opened.handle.code, [0.5, 0.5], atol=0.05)
    assert path.name not in recent(opened)


def test_a_broken_file_does_not_even_disturb_a_run(make: Maker, tmp_path: Path) -> None:
    opened = ready(make(model_file()))
    opened.set_field("epochs", str(LONG))
    opened.press(Qt.Key.Key_F5)
    opened.until("the run", lambda: opened.session.training.state is RunState.RUNNING)
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"nothing")
    opened.drop(path)
    opened.until("the message", lambda: "broken.safetensors" in opened.error)
    assert opened.session.training.state is RunState.RUNNING


def test_opening_a_model_during_a_run_stops_and_keeps_the_run_first(make: Maker, own: Path) -> None:
    opened = ready(make(model_file()))
    opened.set_field("epochs", str(LONG))
    opened.press(Qt.Key.Key_F5)
    opened.until("steps", lambda: opened.session.training.history.num_steps > 0)
    opened.drop(own)
    opened.until("the other model", lambda: title(opened) == "my model")
    assert not opened.session.training.active
    (kept,) = opened.autosaves
    assert load_model(kept).history.num_steps > 0
    assert opened.session.documents.path_to_save == own
    assert opened.window.banner.message_text.startswith("The training of Untitled was stopped for this")
    ready(opened)
    assert not opened.error


def test_a_model_given_by_the_open_dialog_is_opened_and_remembered(make: Maker, own: Path) -> None:
    opened = ready(make(model_file()))
    opened.press(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    answer_dialog(opened, own)
    opened.until("the model", lambda: title(opened) == "my model")
    assert next(iter(recent(opened))) == own.name
    assert opened.settings.last_document == own


def test_a_recent_file_is_opened_from_the_menu_and_forgotten_when_it_is_gone(make: Maker, own: Path) -> None:
    opened = ready(make(None, own))
    opened.drop(model_file())
    opened.until("the other model", lambda: title(opened) == "bars")
    recent(opened)[own.name].trigger()
    opened.until("the first again", lambda: title(opened) == "my model")
    recent(opened)[model_file().name].trigger()
    opened.until("the other model", lambda: title(opened) == "bars")
    own.unlink()
    recent(opened)[own.name].trigger()
    opened.until("the message", lambda: own.name in opened.error)
    assert own.name not in recent(opened)


def test_a_broken_model_on_the_command_line_leaves_a_usable_program(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"nothing")
    opened = make(model_file(), path)
    ready(opened)
    assert title(opened) == "bars"
    assert path.name in opened.error, "what is open instead does not hide what went wrong"


def test_data_on_the_command_line_are_what_is_open_in_the_end(make: Maker, tmp_path: Path) -> None:
    images = np.asarray(bars(30, seed=4).images)
    path = tmp_path / "named-idx3-ubyte"
    path.write_bytes(
        b"\x00\x00\x08\x03" + b"".join(side.to_bytes(4, "big") for side in images.shape) + images.tobytes()
    )
    opened = ready(make(model_file(), path))
    opened.until("the data that were named", lambda: data_name(opened) == path.name)
    opened.driver.wait(100)
    assert data_name(opened) == path.name
    assert title(opened) == "bars"


def data_name(opened: OpenProgram) -> str:
    dataset = opened.session.documents.dataset
    return "" if dataset is None else dataset.name


def test_a_broken_last_document_gives_the_shipped_model(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"nothing")
    opened = make(path)
    opened.until("the shipped model", lambda: title(opened) == "mnist-2d")
    opened.until("a digit", lambda: opened.picture is not None)
    assert path.name in opened.error


def test_a_model_whose_data_has_gone_can_still_be_explored(make: Maker, tmp_path: Path) -> None:
    saved = trained()
    gone = type(saved.config)(
        type(saved.config.data)(source=str(tmp_path / "gone.npz"), image_size=12),
        saved.config.model,
        saved.config.objective,
        saved.config.training,
    )
    path = tmp_path / "orphan.safetensors"
    save_model(path, type(saved)(gone, saved.weights, saved.history))
    opened = make(path)
    opened.until("the picture", lambda: opened.picture is not None)
    opened.until("the message", lambda: "gone.npz" in opened.error)
    opened.drag_handle_to(0.8, -0.2)
    np.testing.assert_allclose(opened.handle.code, [0.8, -0.2], atol=0.05)
    opened.press(Qt.Key.Key_F5)
    assert not opened.session.training.active


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("Untitled (2024-02-03 10.11.12).safetensors", "Untitled"),
        ("Untitled 2 (2024-02-03 10.11.12) 3.safetensors", "Untitled 2"),
        ("a (draft).safetensors", "a (draft)"),
        ("plain.safetensors", "plain"),
    ],
)
def test_a_document_s_name_is_its_file_s_without_the_program_s_own_stamp(file_name: str, name: str) -> None:
    assert name_of(Path("somewhere") / file_name) == name

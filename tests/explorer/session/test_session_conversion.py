"""Weights of another program: opened as a document that is not saved yet, given up, refused; the open model stays."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.storage.foreign import unpickling
from core.storage.model_file import load_model
from tests.open_program import CLOSING_S, OpenProgram, model_file, trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]
Maker = Callable[..., OpenProgram]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Maker]:
    made: list[OpenProgram] = []

    def build(document: Path | None = None, *paths: Path) -> OpenProgram:
        (tmp_path / "profile").mkdir(exist_ok=True)
        made.append(OpenProgram(tmp_path / "profile", document))
        return made[-1].start(*paths)

    yield build
    for program in made:
        program.leave()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Return the weights of the small model as another program would have written them."""
    import torch  # noqa: PLC0415 - torch only where it is wanted

    state = {f"module.{name}": torch.tensor(np.array(array)) for name, array in trained().weights.items()}
    file = io.BytesIO()
    torch.save({"state_dict": state}, file)
    path = tmp_path / "theirs <b>.pt"
    path.write_bytes(file.getvalue())
    return path


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have the child wait for ever, as for a file that is slow to read; return where it leaves its process id."""
    program, trace = tmp_path / "child.py", tmp_path / "child.pid"
    program.write_text(
        f"import os, signal\nopen({str(trace) + '~'!r}, 'w').write(str(os.getpid()))\n"
        f"os.rename({str(trace) + '~'!r}, {str(trace)!r})\nsignal.pause()\n"
    )
    with monkeypatch.context() as patch:
        patch.setattr(unpickling, "__file__", str(program))
        yield trace


def ready(opened: OpenProgram) -> OpenProgram:
    opened.until("all to be open", opened.is_ready)
    return opened


def wait_for_torch(opened: OpenProgram) -> None:
    """Wait for the last of the threads: an import of torch in the background cannot be interrupted by the end."""
    opened.until("torch", opened.program.workers.analysis.isRunning)


def begun(opened: OpenProgram, trace: Path) -> int:
    """Return the child's process id once it runs."""
    opened.until("the child", trace.exists)
    return int(trace.read_text())


def has_ended(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def is_converted(opened: OpenProgram, weights: Path) -> bool:
    saved = opened.session.documents.saved
    return saved is not None and saved.provenance.get("converted_from") == weights.name


def check_opened(opened: OpenProgram, weights: Path) -> None:
    """Assert that the weights are open as a document without a file, and that it was said what they were taken for."""
    documents = opened.session.documents
    opened.until("the model", lambda: is_converted(opened, weights))
    assert (documents.name, documents.path, documents.modified) == (weights.stem, None, True)
    assert not documents.is_shipped
    assert documents.saved is not None
    for name, array in trained().weights.items():
        np.testing.assert_array_equal(documents.saved.weights[name], array)
    opened.until("the note", lambda: "ReLU was taken" in opened.note or "ReLU was taken" in opened.window._strip.status)


def test_dropped_weights_become_an_unsaved_document_that_can_be_saved(
    make: Maker, weights: Path, tmp_path: Path
) -> None:
    opened = ready(make(model_file()))
    opened.drop(weights)
    opened.until("the note with its button", lambda: opened.note == "Reading the weights in theirs <b>.pt …")
    check_opened(opened, weights)
    assert opened.error == ""
    opened.drag_handle_to(0.5, -0.5)
    opened.until("a picture", lambda: opened.picture is not None)
    opened.session.documents.save(tmp_path / "mine.safetensors")
    opened.until("the file", lambda: opened.session.documents.path == tmp_path / "mine.safetensors")
    assert not opened.session.documents.modified
    assert load_model(tmp_path / "mine.safetensors").provenance["converted_from"] == weights.name


def test_weights_on_the_command_line_are_opened_and_again_at_the_next_start(make: Maker, weights: Path) -> None:
    opened = make(None, weights)
    check_opened(opened, weights)
    wait_for_torch(opened)
    opened.close()
    again = make(opened.settings.last_document)
    check_opened(again, weights)
    wait_for_torch(again)


def test_weights_that_are_none_leave_the_open_model(make: Maker, tmp_path: Path) -> None:
    opened = ready(make(model_file()))
    (tmp_path / "bad.pth").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    opened.session.documents.open_model(tmp_path / "bad.pth")
    opened.until("the error", lambda: opened.error != "")
    assert "bad.pth" in opened.error
    assert "a Python object (os.system)" in opened.error
    assert opened.note == ""
    assert opened.session.documents.path == model_file()
    opened.drag_handle_to(0.5, -0.5)


def test_reading_weights_can_be_given_up(make: Maker, weights: Path, endless: Path) -> None:
    opened = ready(make(model_file()))
    opened.drop(weights)
    child = begun(opened, endless)
    opened.click(opened.window.banner._note._action)
    opened.until("the child's end", lambda: has_ended(child))
    opened.until("the word", lambda: opened.window._strip.status == "Cancelled.")
    assert (opened.note, opened.error) == ("", "")
    assert opened.session.documents.path == model_file()


def test_a_program_that_was_to_convert_at_its_start_opens_the_shipped_model_instead(
    make: Maker, weights: Path, endless: Path
) -> None:
    opened = make(weights)
    begun(opened, endless)
    opened.click(opened.window.banner._note._action)
    opened.until("the shipped model", lambda: opened.session.documents.is_shipped)
    opened.until("it to be open", lambda: opened.session.documents.saved is not None)
    wait_for_torch(opened)


def test_closing_while_weights_are_read_takes_no_longer(make: Maker, weights: Path, endless: Path) -> None:
    opened = ready(make(model_file()))
    opened.drop(weights)
    child = begun(opened, endless)
    assert opened.close() < CLOSING_S
    assert opened.ended == [True]
    assert has_ended(child)

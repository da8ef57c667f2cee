"""An exception in any slot that hands can reach, or in any thread: told, logged, and the program goes on."""

import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest

import explorer.session
import explorer.views
from explorer.hooks import ErrorHook, ErrorLog
from explorer.views.error_dialog import ErrorDialog
from explorer.workers.analysis import AnalysisThread
from explorer.workers.evidence import EvidenceThread
from explorer.workers.inference import InferenceThread
from explorer.workers.loading import LoadingThread
from explorer.workers.training import TrainingThread
from tests.open_program import LONG, OpenProgram, model_file

pytestmark = [pytest.mark.qt_no_exception_capture, pytest.mark.slow]


class Faults:
    """Makes every slot fail the first time it is called after `armed` is set."""

    def __init__(self) -> None:
        self.armed = False
        self.planted: list[str] = []

    def wrapped(self, name: str, slot: Callable[..., object]) -> Callable[..., object]:
        # Qt gives a slot as many of a signal's values as it takes; one that takes any number gets all.
        takes = len(inspect.signature(slot).parameters) - 1

        @functools.wraps(slot)
        def failing(owner: QObject, *values: object) -> object:
            if self.armed and name not in self.planted:
                self.planted.append(name)
                raise RuntimeError(f"planted in {name}")
            return slot(owner, *values[:takes])

        # Else Qt sees through to the slot that was wrapped.
        del failing.__wrapped__
        return failing


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """Return faults in every slot of session and views; they are asleep until armed."""
    faults = Faults()
    for room in (explorer.session, explorer.views):
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            module = importlib.import_module(found.name)
            for owner in vars(module).values():
                if not (inspect.isclass(owner) and issubclass(owner, QObject) and owner.__module__ == found.name):
                    continue
                for name, slot in list(vars(owner).items()):
                    if name.startswith("_on_") and inspect.isfunction(slot):
                        monkeypatch.setattr(owner, name, faults.wrapped(f"{owner.__name__}.{name}", slot))
    return faults


@pytest.fixture
def opened(tmp_path: Path, qapp: QObject) -> Iterator[OpenProgram]:
    """Yield a program whose uncaught errors are told and logged as in the real one; it is not yet started."""
    log, hook = ErrorLog(tmp_path), ErrorHook(qapp)
    log.start()
    hooks = sys.excepthook, sys.unraisablehook
    opened = OpenProgram(tmp_path)
    hook.caught.connect(opened.program.show_breakdown, Qt.ConnectionType.QueuedConnection)
    hook.install()
    yield opened
    opened.leave()
    hook.remove()
    sys.excepthook, sys.unraisablehook = hooks
    log.stop()


def use_everything(opened: OpenProgram) -> None:
    """Do what reaches most of the slots, without expecting anything of it."""
    window, views, session, driver = opened.window, opened.views, opened.session, opened.driver
    session.open_paths((model_file(),))
    driver.wait(300)
    session.edit("training", "epochs", LONG)
    for command in ("model.start", "model.pause_or_resume", "model.pause_or_resume", "model.stop"):
        window.commands.trigger(command)
        driver.wait(250)
    middle = views.canvas.rect().center()
    for place in (middle, middle / 2):
        QTest.mouseDClick(views.canvas, Qt.MouseButton.LeftButton, pos=place)
        QTest.mousePress(views.canvas, Qt.MouseButton.LeftButton, pos=place)
        QTest.mouseMove(views.canvas, place / 2)
        QTest.mouseRelease(views.canvas, Qt.MouseButton.LeftButton, pos=place / 2)
    QTest.keyClick(views.canvas, Qt.Key.Key_Delete)
    QTest.keyClick(views.sliders.row(0).track, Qt.Key.Key_PageUp)
    QTest.mouseClick(views.sliders.sample, Qt.MouseButton.LeftButton)
    opened.raise_dock(views.draw_pad)
    opened.draw((60, 60), (200, 220))
    for panel in (views.fit, views.ladder, views.gaps, views.read_outs, views.similar, views.curves):
        opened.raise_dock(panel)
        driver.wait(60)
    for command in ("edit.undo", "edit.redo", "edit.copy_picture", "edit.paste_picture", "view.fit", "view.redraw"):
        window.commands.trigger(command)
    window.split_chosen.emit("train")
    window.split_chosen.emit("held_out")
    session.documents.save(opened.folder / "saved")
    session.documents.open_model(opened.folder / "no such file.safetensors")
    driver.wait(400)


def dialog_of(opened: OpenProgram) -> ErrorDialog | None:
    """Return the window of errors, if there was one."""
    return opened.program._errors


def logged(opened: OpenProgram) -> str:
    """Return the log of errors."""
    return (opened.folder / "latent-explorer.log").read_text("utf-8")


def assert_goes_on(opened: OpenProgram) -> None:
    """A drag still decodes, of a model that is opened now."""
    path = model_file(latent_dim=4)
    opened.session.documents.open_model(path)
    opened.until("the model", lambda: opened.session.documents.path == path)
    opened.until("its picture", lambda: opened.session.latent.hand is not None and opened.picture is not None)
    before = opened.picture
    opened.drag_handle_to(0.7, -0.6)
    opened.until("another picture", lambda: bool(np.any(opened.picture != before)))


def test_an_exception_in_every_slot_is_told_and_the_program_goes_on(
    faults: Faults, opened: OpenProgram, capsys: pytest.CaptureFixture[str]
) -> None:
    opened.opened(model_file())
    use_everything(opened)
    opened.driver.wait(200)
    assert dialog_of(opened) is None
    faults.armed = True
    for _ in range(3):
        use_everything(opened)
        dialog = dialog_of(opened)
        assert dialog is not None
        assert "planted in" in dialog.report
        dialog.reject()
    faults.armed = False
    assert len(faults.planted) > 40, faults.planted
    log = logged(opened)
    assert [name for name in faults.planted if f"planted in {name}" not in log] == []
    assert_goes_on(opened)
    capsys.readouterr()


def test_an_exception_that_leaves_any_thread_is_told_and_the_thread_serves_on(
    opened: OpenProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[str] = []

    def failing_twice(serve: Callable[..., None]) -> Callable[..., None]:
        def fail(thread: QObject) -> None:
            name = thread.objectName()
            if failed.count(name) < 2:
                failed.append(name)
                raise RuntimeError(f"planted in {name}")
            serve(thread)

        return fail

    for kind in (TrainingThread, InferenceThread, AnalysisThread, EvidenceThread, LoadingThread):
        monkeypatch.setattr(kind, "serve", failing_twice(kind.serve))
    opened.opened(model_file())
    every = sorted(2 * [thread.objectName() for thread in opened.program.workers.all])
    opened.until("every thread to have failed twice", lambda: sorted(failed) == every)
    opened.until("the last of them to be told", lambda: f"planted in {failed[-1]}" in logged(opened))
    assert opened.program._errors is not None
    log = logged(opened)
    assert [name for name in failed if f"planted in {name}" not in log] == []
    assert_goes_on(opened)


def test_a_run_that_breaks_where_nobody_foresaw_it_has_ended(
    opened: OpenProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.opened(model_file())
    monkeypatch.setattr("explorer.workers.training._written", _failing)
    opened.session.edit("training", "epochs", 1)
    opened.window.commands.trigger("model.start")
    opened.until("the run to have ended", lambda: not opened.session.training.active)
    opened.until("the dialog", lambda: opened.program._errors is not None)
    monkeypatch.undo()
    opened.window.commands.trigger("model.start")
    opened.until("the next run", lambda: opened.session.training.history.num_steps > 0)
    opened.window.commands.trigger("model.stop")
    opened.until("its end", lambda: not opened.session.training.active)
    assert_goes_on(opened)


def _failing(*_: object) -> None:
    raise RuntimeError("planted in the writing")

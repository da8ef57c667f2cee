"""What watches over the program: errors nobody caught, signals of the system, the log."""

import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QTimer, Signal
from pytestqt.qtbot import QtBot

from explorer.hooks import ErrorHook, ErrorLog
from explorer.messages import Failed


class Clumsy(QObject):
    """A slot that fails."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.asked.connect(self.fail)

    def fail(self) -> None:
        self.calls += 1
        raise ValueError("a planted fault")


class Keeper(QObject):
    """Keeps what was caught, and in which thread it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.caught: list[Failed] = []
        self.threads: list[threading.Thread] = []

    def keep(self, failed: Failed) -> None:
        self.caught.append(failed)
        self.threads.append(threading.current_thread())


@pytest.fixture
def keeper(qapp: QObject) -> Iterator[Keeper]:
    """Return a keeper behind an installed hook."""
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    hook, keeper = ErrorHook(qapp), Keeper()
    hook.caught.connect(keeper.keep)
    hook.install()
    yield keeper
    hook.remove()
    sys.excepthook, threading.excepthook, sys.unraisablehook = before


@pytest.mark.qt_no_exception_capture
def test_an_error_in_a_slot_is_told_and_the_program_goes_on(
    qtbot: QtBot, keeper: Keeper, capsys: pytest.CaptureFixture[str]
) -> None:
    clumsy = Clumsy()
    QTimer.singleShot(0, clumsy.fail)
    qtbot.waitUntil(lambda: len(keeper.caught) == 1)
    clumsy.asked.emit()
    qtbot.waitUntil(lambda: len(keeper.caught) == 2)
    assert clumsy.calls == 2
    assert "a planted fault" in keeper.caught[0].reason
    assert "ValueError" in keeper.caught[0].details
    assert "in fail" in keeper.caught[0].details
    assert "a planted fault" in capsys.readouterr().err


@pytest.mark.qt_no_exception_capture
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_in_another_thread_is_told_in_the_window_s(qtbot: QtBot, keeper: Keeper) -> None:
    def fail() -> None:
        raise RuntimeError("planted elsewhere")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert keeper.caught == []
    qtbot.waitUntil(lambda: len(keeper.caught) == 1)
    assert "planted elsewhere" in keeper.caught[0].reason
    assert keeper.threads == [threading.current_thread()]


@pytest.mark.qt_no_exception_capture
def test_an_error_without_words_is_named_by_its_kind(qtbot: QtBot, keeper: Keeper) -> None:
    def fail() -> None:
        raise AssertionError

    QTimer.singleShot(0, fail)
    qtbot.waitUntil(lambda: len(keeper.caught) == 1)
    assert "AssertionError" in keeper.caught[0].reason


@pytest.mark.qt_no_exception_capture
def test_an_error_that_comes_with_every_movement_is_written_once_and_counted(
    qtbot: QtBot, keeper: Keeper, log: "ErrorLog", capsys: pytest.CaptureFixture[str]
) -> None:
    log.start()
    clumsy = Clumsy()
    for _ in range(150):
        QTimer.singleShot(0, clumsy.fail)
    qtbot.waitUntil(lambda: len(keeper.caught) == 150)
    text = log.path.read_text("utf-8")
    assert text.count("Traceback") == 1
    assert "for the 10th time: ValueError: a planted fault" in text
    assert "for the 100th time" in text
    assert capsys.readouterr().err.count("Traceback") == 1


@pytest.mark.qt_no_exception_capture
def test_an_error_that_python_can_raise_to_nobody_is_told(qtbot: QtBot, keeper: Keeper) -> None:
    class Ill:
        def __del__(self) -> None:
            raise RuntimeError("planted in the end of an object")

    Ill()
    qtbot.waitUntil(lambda: len(keeper.caught) == 1)
    assert "planted in the end" in keeper.caught[0].reason


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ErrorLog]:
    """Return the log of a folder that is not there yet; logging is as it was afterwards."""
    logger = logging.getLogger("explorer")
    propagate, level = logger.propagate, logger.level
    log = ErrorLog(tmp_path / "a new folder")
    yield log
    log.stop()
    logger.propagate = propagate
    logger.setLevel(level)


@pytest.mark.qt_no_exception_capture
def test_an_error_is_written_to_the_log_with_its_stack(qtbot: QtBot, keeper: Keeper, log: ErrorLog) -> None:
    log.start()
    clumsy = Clumsy()
    QTimer.singleShot(0, clumsy.fail)
    qtbot.waitUntil(lambda: len(keeper.caught) == 1)
    text = log.path.read_text("utf-8")
    assert "a planted fault" in text
    assert "Traceback" in text


def test_a_log_that_has_grown_makes_room(log: ErrorLog) -> None:
    log.path.parent.mkdir()
    log.path.write_text("x" * 1_000_001)
    log.start()
    assert log.path.stat().st_size == 0
    assert log.path.with_suffix(".old.log").stat().st_size == 1_000_001


def test_a_folder_that_cannot_be_written_does_not_keep_the_program_from_starting(
    log: ErrorLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a new folder").write_text("a file")
    log.start()
    assert "no log is written" in capsys.readouterr().err
    logging.getLogger("explorer").error("said to nobody")

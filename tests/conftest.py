"""What every test stands on: no display, no user's settings, one thread, executed shapes, no thread left behind."""

import gc
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator

# Before the first import of Qt, numpy or torch: they read these once.  Programs that a test starts inherit them.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
_HOME = tempfile.TemporaryDirectory(prefix="latent-explorer-tests-", ignore_cleanup_errors=True)
USER_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
for variable in USER_FOLDERS:
    os.environ[variable] = os.path.join(_HOME.name, variable.lower())  # noqa: PTH118 - pathlib is not imported yet

# A collection in a worker's thread can destroy the widgets of an earlier test, and stop everything for good.
gc.disable()

# A shell that starts the tests in the background has them ignore SIGINT, which some of them send.
signal.signal(signal.SIGINT, signal.default_int_handler)

from jaxtyping import install_import_hook  # noqa: E402

import tests.executed_annotations  # noqa: E402, F401 - the hook finds it by name and does not import it

# From here on every annotated shape and type in core is checked at each call.
install_import_hook("core", "tests.executed_annotations.checked")

from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402
from PySide6.QtCore import QSettings, QThread, QThreadPool  # noqa: E402, TID251 - watched, not started
from shiboken6 import isValid  # noqa: E402

from explorer.garbage import collect_if_due  # noqa: E402

settings.register_profile(
    "local", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

THREAD_GRACE_MS = 2000
"""How long a thread that was told to stop may take; the program promises the same when its window closes."""

# Held on to until they end: a thread that Python drops while it runs aborts the whole test run without a word.
_started: set[QThread] = set()
_qthread_start = QThread.start


def _start_and_remember(thread: QThread, *priority: QThread.Priority) -> None:
    _started.add(thread)
    _qthread_start(thread, *priority)


# Qt keeps no list of its threads, so the tests keep one.
QThread.start = _start_and_remember  # type: ignore[method-assign, assignment]


def running_threads() -> frozenset[threading.Thread | QThread]:
    """Return the threads that run now, Python's and Qt's."""
    ended = {thread for thread in _started if not _runs(thread)}
    _started.difference_update(ended)
    # A QThread that touches threading leaves a dummy there for ever; the QThread itself is in the other list.
    ours = {thread for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread)}
    return frozenset(ours | _started)


def threads_left_running(
    before: frozenset[threading.Thread | QThread], grace_ms: int = THREAD_GRACE_MS
) -> list[threading.Thread | QThread]:
    """Return the threads that run and did not `before`, after a grace for those that are stopping."""
    for thread in running_threads() - before:
        if isinstance(thread, QThread):
            thread.wait(grace_ms)
        else:
            thread.join(grace_ms / 1000)
    return list(running_threads() - before)


def _runs(thread: QThread) -> bool:
    return isValid(thread) and thread.isRunning()  # type: ignore[no-untyped-call]


@pytest.fixture(autouse=True)
def _garbage_is_collected_here() -> Iterator[None]:
    yield
    collect_if_due()


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = running_threads()
    yield
    left = threads_left_running(before)
    pool = QThreadPool.globalInstance()
    assert not left, f"the test left threads running: {', '.join(map(str, left))}"
    assert pool.waitForDone(THREAD_GRACE_MS), f"the test left {pool.activeThreadCount()} pooled tasks running"


@pytest.fixture(autouse=True)
def user_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the fresh folder where this test's program keeps settings, caches and sessions."""
    folder = tmp_path_factory.mktemp("user")
    for name in USER_FOLDERS:
        monkeypatch.setenv(name, str(folder / name.lower()))
    # Qt reads the environment for its settings only once.
    for file_format in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(file_format, QSettings.Scope.UserScope, str(folder / "xdg_config_home"))
    return folder


@pytest.fixture(autouse=True)
def _one_torch_thread() -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)

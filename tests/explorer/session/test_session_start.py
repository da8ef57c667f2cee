"""What comes when at the start: the window, the threads, the first digit, what draws curves."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget

from tests.open_program import OpenProgram, model_file

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture
def unopened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file())
    yield program
    assert not program.error
    program.leave()


def test_threads_start_when_the_window_is_painted(unopened: OpenProgram) -> None:
    running: list[bool] = []
    unopened.views.canvas.painted.connect(lambda _: running.append(unopened.program.workers.loading.isRunning()))
    unopened.opened()
    assert running[0] is False
    assert running[-1] is True


def test_what_draws_curves_is_imported_once_the_first_digit_is_painted(
    unopened: OpenProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    beside, latent = unopened.program.workers.beside, unopened.session.latent
    import_plots = beside.import_plots

    def noted() -> None:
        seen.append("import")
        import_plots()

    monkeypatch.setattr(beside, "import_plots", noted)
    unopened.views.canvas.painted.connect(lambda _: seen.append("without" if latent.codes is None else "digit"))
    unopened.opened()
    assert "import" in seen
    assert "digit" in seen[: seen.index("import")]


def test_threads_take_short_turns_until_torch_is_there(unopened: OpenProgram) -> None:
    usual = sys.getswitchinterval()
    unopened.start()
    assert sys.getswitchinterval() < usual / 2
    unopened.until("picture, codes, data and torch", unopened.is_ready)
    assert sys.getswitchinterval() == usual


def test_a_program_that_is_closed_before_torch_is_there_leaves_the_usual_turns(unopened: OpenProgram) -> None:
    usual = sys.getswitchinterval()
    unopened.start()
    unopened.close()
    assert sys.getswitchinterval() == usual


def test_what_a_model_with_codes_never_shows_is_not_made(unopened: OpenProgram) -> None:
    unopened.opened()
    assert not unopened.views.late.sampling.is_made
    form = unopened.views.model.form
    assert form.findChild(QWidget, "ordering") is None
    assert form.findChild(QWidget, "latent_dim") is not None

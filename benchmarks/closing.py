"""The real `main.py`, brought into the middle of something, which says so and then waits to be closed.

`python -m benchmarks.closing WAY FILE` does what WAY says with the small model in FILE, prints `in the middle`, and
goes on.  On a line from its standard input it closes its window as a person does.
"""

import gc
import sys
from collections.abc import Callable
from pathlib import Path

import main as program_main

# main.main() does the same; here the program is imported before it is called.
program_main._prepare()  # noqa: SLF001
gc.disable()

from PySide6.QtCore import QPoint, QSocketNotifier, Qt, QTimer  # noqa: E402 - as above
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QWidget  # noqa: E402

import explorer.app  # noqa: E402
from explorer.messages import Failed, RunState  # noqa: E402
from explorer.program import Program  # noqa: E402
from explorer.workers.torch_import import is_importing  # noqa: E402

LONG_RUN = 100_000
_LEFT, _NO_KEYS = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class ClosingProgram(Program):
    """The program, with hands that bring it into the middle of something."""

    def start(self, paths: tuple[Path, ...] = ()) -> None:
        """Start as ever, with hands."""
        super().start(paths)
        self._step = 0
        self._ways: dict[str, Callable[[], bool]] = {
            "at its start": self._nothing,
            "while torch is imported": self._torch_importing,
            "while idle": self._ready,
            "while training": self._training,
            "while a run is paused": self._paused,
            "while a run stops": self._stopping,
            "as a run begins": self._beginning,
            "while saving": self._saving,
            "while data load": self._data,
            "while a model loads": self._model,
            "while the table is rebuilt": self._table,
            "while q is fitted": self._fit,
            "during the ladder": self._ladder,
            "during the gaps": self._gaps,
            "during the read-outs": self._read_outs,
            "while drawing": self._drawing,
            "while dragging": self._dragging,
            "with a file dialog": self._file_dialog,
            "with a menu": self._menu,
            "with windows of help and of an error": self._windows,
        }
        self._way = self._ways[sys.argv[1]]
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(5)
        self._input = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, self)
        self._input.activated.connect(self._on_input)

    def _on_input(self) -> None:
        self._input.setEnabled(False)
        self.window.close()

    def _look(self) -> None:
        if self._way():
            self._timer.stop()
            training = self.session.training
            print(f"in the middle, {training.history.num_steps if training.active else 0} steps", flush=True)

    # Each returns whether it is in the middle of what it is to be closed in.

    def _nothing(self) -> bool:
        return True

    def _torch_importing(self) -> bool:
        return is_importing()

    def _ready(self) -> bool:
        latent, documents = self.session.latent, self.session.documents
        return latent.hand is not None and latent.codes is not None and documents.data_complete

    def _complete(self) -> bool:
        return self._ready() and self.workers.analysis.isRunning()

    def _training(self) -> bool:
        training = self.session.training
        if not self._ready():
            return False
        if not training.active:
            self.session.edit("training", "epochs", LONG_RUN)
            self.window.commands.trigger("model.start")
        return training.state is RunState.RUNNING and training.history.num_steps > 30

    def _paused(self) -> bool:
        state = self.session.training.state
        if state is RunState.PAUSED:
            return True
        if not self._step and self._training():
            self._step = 1
            self.window.commands.trigger("model.pause_or_resume")
        return False

    def _stopping(self) -> bool:
        if self._training():
            self.window.commands.trigger("model.stop")
            return True
        return False

    def _beginning(self) -> bool:
        if not self._ready():
            return False
        self.session.edit("training", "epochs", LONG_RUN)
        self.window.commands.trigger("model.start")
        return True

    def _saving(self) -> bool:
        if self._training():
            self.session.documents.save(Path(sys.argv[2]).with_name("saved by hand.safetensors"))
            return True
        return False

    def _data(self) -> bool:
        if self._ready():
            self.session.choose_data("mnist")
            return True
        return False

    def _model(self) -> bool:
        if self._ready():
            self.session.documents.open_shipped()
            return True
        return False

    def _table(self) -> bool:
        if self._complete():
            self.session.documents.open_shipped()
            self.workers.evidence.building.connect(self._note)
        return self._step > 0

    def _note(self) -> None:
        self._step = 1

    def _shown(self, content: QWidget, button: str) -> bool:
        """Have an analysis run: its panel in front, its button clicked."""
        if not self._complete():
            return False
        self._step += 1
        if self._step == 1:
            dock = self.window.docks.by_command()[button]
            dock.show()
            dock.raise_()
        return content.isVisible() and self._step > 60

    def _fit(self) -> bool:
        return self._shown(self.views.fit, "view.dock_fit")

    def _ladder(self) -> bool:
        return self._shown(self.views.ladder, "view.dock_ladder")

    def _gaps(self) -> bool:
        return self._shown(self.views.gaps, "view.dock_gaps")

    def _read_outs(self) -> bool:
        return self._shown(self.views.read_outs, "view.dock_read_outs")

    def _drawing(self) -> bool:
        return self._ready() and self._held(self.views.draw_pad.surface)

    def _dragging(self) -> bool:
        return self._ready() and self._held(self.views.canvas)

    def _held(self, widget: QWidget) -> bool:
        """Press in the middle, move a little, and do not let go."""
        middle = widget.rect().center()
        if self._step == 0:
            QTest.mousePress(widget, _LEFT, _NO_KEYS, middle)
        self._step += 1
        QTest.mouseMove(widget, middle + QPoint(3 * self._step, 2 * self._step))
        return self._step > 10

    def _file_dialog(self) -> bool:
        if self._ready():
            self.window.commands.trigger("file.save_as")
            return True
        return False

    def _menu(self) -> bool:
        if self._ready():
            bar = self.window.menuBar()
            QTest.mousePress(bar, _LEFT, _NO_KEYS, bar.actionGeometry(bar.actions()[0]).center())
            return True
        return False

    def _windows(self) -> bool:
        if self._ready():
            self.window.commands.trigger("help.shortcuts")
            self.show_breakdown(Failed("planted", "Traceback\n  planted"))
            return True
        return False


if __name__ == "__main__":
    # main.main() finds the program under this name.
    setattr(explorer.app, "Program", ClosingProgram)  # noqa: B010 - explorer.app does not offer it
    sys.exit(program_main.main(sys.argv[2:]))

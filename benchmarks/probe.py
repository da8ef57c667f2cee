"""The real `main.py` with a watch beside it: the process that a benchmark of the whole program starts.

`python -m benchmarks.probe start BEGAN` prints the moments of the start, in seconds since BEGAN on the clock of
time.monotonic(), and ends; `python -m benchmarks.probe train` begins a training, says so, and goes on until it is told
to end; `python -m benchmarks.probe recover` resumes the interrupted run that is offered, says after which step it went
on, and ends; `python -m benchmarks.probe paint` says on the error stream that the window is painted, and ends;
`python -m benchmarks.probe memory FILES` opens FILES, prints how much memory the program's uses took, and ends.
"""

import gc
import json
import sys
import time
from pathlib import Path

import main as program_main

# main.main() does the same; here the program is imported before it is called.
gc.disable()
program_main._prepare()  # noqa: SLF001

from PySide6.QtCore import QObject, QPoint, Qt, QTimer  # noqa: E402 - as above
from PySide6.QtTest import QTest  # noqa: E402

import explorer.app  # noqa: E402
from benchmarks.imports import PAINTED  # noqa: E402
from benchmarks.memory_watch import MemoryWatch  # noqa: E402
from explorer.messages import Failed, RunReport  # noqa: E402
from explorer.program import Program  # noqa: E402

BEAT_MS = 5
LONG_GAP_MS = 100.0
OTHER_GAP_MS = 50.0
"""For any gap but the one of torch's import."""
SETTLING_MS = 500
_NO_KEYS = Qt.KeyboardModifier.NoModifier


class StartWatch(QObject):
    """Notes the moments of a start: painted, dragged, torch imported; then closes the window."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self._began = float(sys.argv[2])
        self._seen: dict[str, float] = {}
        self._beats: list[float] = []
        self._import_began = 0.0
        self._dragging = False
        program.views.canvas.painted.connect(self._on_canvas_painted)
        program.views.hand.deterministic.painted.connect(self._on_picture_painted)
        program.workers.training.torch_loaded.connect(self._on_torch_loaded)
        self._beat = QTimer(self)
        self._beat.setTimerType(Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)

    def _on_canvas_painted(self) -> None:
        if not self._beat.isActive():
            self._beat.start(BEAT_MS)
            # The paint of the whole window is over when its event loop comes to something else.
            QTimer.singleShot(0, self._on_window_painted)
        self._drag_when_possible()

    def _on_window_painted(self) -> None:
        self._seen["window_s"] = time.monotonic() - self._began

    def _on_picture_painted(self) -> None:
        if self._dragging and "draggable_s" not in self._seen:
            self._seen["draggable_s"] = time.monotonic() - self._began
        self._drag_when_possible()

    def _drag_when_possible(self) -> None:
        codes, picture = self._program.session.latent.codes, self._program.views.hand.deterministic.picture
        if not self._dragging and codes is not None and picture is not None:
            self._dragging = True
            QTimer.singleShot(0, self._drag)

    def _drag(self) -> None:
        latent, canvas = self._program.session.latent, self._program.views.canvas
        code = latent.selected_code
        if code is None:
            raise RuntimeError("no handle is selected")
        x, y = canvas.view.to_pixels(*(float(code[axis]) for axis in latent.axes))
        here = QPoint(round(float(x)), round(float(y)))
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, _NO_KEYS, here)
        QTest.mouseMove(canvas, here + QPoint(30, 20))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, _NO_KEYS, here + QPoint(30, 20))

    def _on_beat(self) -> None:
        self._beats.append(time.monotonic())
        if not self._import_began and "torch" in sys.modules:
            self._import_began = self._beats[-2]

    def _on_torch_loaded(self) -> None:
        self._seen["torch_s"] = time.monotonic() - self._began
        self._seen["import_s"] = time.monotonic() - self._import_began
        QTimer.singleShot(SETTLING_MS, self._on_settled)

    def _on_settled(self) -> None:
        gaps = [(before, 1e3 * (beat - before)) for before, beat in zip(self._beats, self._beats[1:], strict=False)]
        late = [gap for at, gap in gaps if at >= self._import_began]
        self._seen["gap_ms"] = max(late)
        self._seen["long_gaps"] = float(sum(gap > LONG_GAP_MS for gap in late))
        self._seen["early_gap_ms"] = max(gap for at, gap in gaps if at < self._import_began)
        others = sorted(gap for _, gap in gaps)
        others.remove(max(late))
        self._seen["other_gap_ms"] = others[-1]
        self._seen["other_gaps"] = float(sum(gap > OTHER_GAP_MS for gap in others))
        print(json.dumps(self._seen), flush=True)
        self._program.window.close()


class PaintWatch(QObject):
    """Says that the window is painted, and closes it."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self._seen = False
        program.views.canvas.painted.connect(self._on_painted)

    def _on_painted(self) -> None:
        if not self._seen:
            self._seen = True
            QTimer.singleShot(0, self._on_window_painted)

    def _on_window_painted(self) -> None:
        print(PAINTED, file=sys.stderr, flush=True)
        self._program.window.close()


class TrainWatch(QObject):
    """Begins a training as soon as that is possible, and says when its first steps are done."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self._said = False
        program.workers.training.reported.connect(self._on_reported)
        self._look = QTimer(self)
        self._look.timeout.connect(self._start_when_possible)
        self._look.start(20)

    def _start_when_possible(self) -> None:
        if self._program.session.documents.data_complete:
            self._look.stop()
            self._program.window.commands.trigger("model.start")

    def _on_reported(self, report: RunReport) -> None:
        if report.steps and not self._said:
            self._said = True
            print("training", flush=True)


class RecoverWatch(QObject):
    """Resumes the run that is offered, as a person would, and closes the window when it takes steps again."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self._said = False
        program.workers.training.reported.connect(self._on_reported)
        program.session.failed.connect(self._on_failed)
        self._look = QTimer(self)
        self._look.timeout.connect(self._resume_when_offered)
        self._look.start(20)

    def _resume_when_offered(self) -> None:
        offer = self._program.window.banner.offer
        if offer.resume.isVisible():
            self._look.stop()
            QTest.mouseClick(offer.resume, Qt.MouseButton.LeftButton)

    def _on_reported(self, report: RunReport) -> None:
        if report.steps and not self._said:
            self._said = True
            print(f"resumed after step {report.steps[0].step[0] - 1}", flush=True)
            self._program.window.close()

    def _on_failed(self, failed: Failed) -> None:
        print(f"failed: {failed.reason}", flush=True)
        self._program.window.close()


_WATCHES: dict[str, type[QObject]] = {
    "start": StartWatch,
    "paint": PaintWatch,
    "memory": MemoryWatch,
    "train": TrainWatch,
    "recover": RecoverWatch,
}


class WatchedProgram(Program):
    """The program, with a watch beside it from before its first paint."""

    def start(self, paths: tuple[Path, ...] = ()) -> None:
        """Start as ever."""
        self._watch = _WATCHES[sys.argv[1]](self)
        super().start(paths)


if __name__ == "__main__":
    # main.main() finds the program under this name.
    setattr(explorer.app, "Program", WatchedProgram)  # noqa: B010 - explorer.app does not offer it
    sys.exit(program_main.main(sys.argv[2:] if sys.argv[1] == "memory" else []))

"""The start of the checkout that PYTHONPATH names, as a process of `benchmarks.turns`.

Its argument is when the process began, on the clock of time.monotonic().  Prints the moments of the start as JSON, in
milliseconds of the clock and of processor time (user and system, all threads), and ends when torch's import begins.
"""

import gc
import json
import os
import sys
import time
from pathlib import Path

import main as program_main

# main.main() does the same; here the program is imported before it is called.
gc.disable()
program_main._prepare()  # noqa: SLF001

from PySide6.QtCore import Qt, QTimer  # noqa: E402 - as above

import explorer.app  # noqa: E402
from explorer.program import Program  # noqa: E402

BEAT_MS = 5


class WatchedProgram(Program):
    """The program, noting when its window is painted, when a digit is there, and how late its event loop comes."""

    def start(self, paths: tuple[Path, ...] = ()) -> None:
        """Start as ever."""
        self._moments: dict[str, float] = {}
        self._beats: list[tuple[float, float]] = []
        self._beat = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)
        self.views.canvas.painted.connect(self._on_painted)
        self.views.hand.deterministic.painted.connect(self._on_painted)
        super().start(paths)

    def _on_painted(self) -> None:
        if not self._beat.isActive():
            self._beat.start()
            # The paint of the whole window is over when its event loop comes to something else.
            QTimer.singleShot(0, self._on_window_painted)
        codes, picture = self.session.latent.codes, self.views.hand.deterministic.picture
        if codes is not None and picture is not None and "digit, cpu" not in self._moments:
            self._note("digit")

    def _on_window_painted(self) -> None:
        self._note("window")

    def _note(self, name: str) -> None:
        self._moments[f"{name}, cpu"] = 1e3 * time.process_time()
        self._moments[f"{name}, clock"] = 1e3 * (time.monotonic() - float(sys.argv[1]))

    def _on_beat(self) -> None:
        if "torch" not in sys.modules:
            self._beats.append((time.process_time(), time.monotonic()))
            return
        pairs = list(zip(self._beats, self._beats[1:], strict=False))
        for column, name in enumerate(("cpu", "clock")):
            gaps = [1e3 * (after[column] - before[column]) for before, after in pairs]
            self._moments[f"longest gap, {name}"] = max(gaps)
            self._moments[f"gaps above 50 ms, {name}"] = float(sum(gap > 50.0 for gap in gaps))
        print(json.dumps(self._moments), flush=True)
        os._exit(0)


if __name__ == "__main__":
    # main.main() finds the program under this name.
    setattr(explorer.app, "Program", WatchedProgram)  # noqa: B010 - explorer.app does not offer it
    program_main.main([])

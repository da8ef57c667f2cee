"""An hour of training, dragging, drawing, opening and closing models: nothing grows.

`--count` is in seconds.  A sample is taken after each round of everything, when no run goes on.
"""

import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QPointF

from benchmarks.driving import open_program, winding
from benchmarks.growth import Growth
from benchmarks.reliability.dose import dose
from benchmarks.report import row
from explorer.program import Program
from explorer.tour.driver import Driver, line
from tests.open_program import model_file

DEFAULT, FULL = 300, 3_600
LONG_RUN = 100_000
_SETTLED_MS = 1_500
_SAID_S = 60.0


def soak(count: int, seed: int) -> bool:
    """Print the rows of so many seconds; return whether every claim holds."""
    with open_program() as (program, driver), tempfile.TemporaryDirectory(prefix="latent-explorer-bench-") as folder:
        rounds = Round(program, driver, Path(folder))
        growth = Growth(program)
        began, said = time.monotonic(), 0.0
        while (second := time.monotonic() - began) < count or len(growth.samples) < 4:
            rounds.everything(seed + rounds.done)
            sample = growth.take(second)
            if second - said >= _SAID_S or count <= _SAID_S:
                said = second
                print(sample, flush=True)
        kept = growth.rows()
        errors = row("errors shown", float(rounds.errors), 0.0, "")
        row("rounds of training, dragging, drawing, saving and opening", float(rounds.done), None, "")
    return kept and errors


class Round:
    """Everything a person does in a sitting, in short."""

    def __init__(self, program: Program, driver: Driver, folder: Path) -> None:
        self._program = program
        self._driver = driver
        self._folder = folder
        self.done = 0
        self.errors = 0
        program.session.failed.connect(self._on_failed)

    def everything(self, number: int) -> None:
        """Train and drag, draw, stop, save, open others, go through the panels; end with the small model open."""
        program, driver = self._program, self._driver
        self._open(model_file(latent_dim=2 + number % 3))
        self.train()
        self._drag(60)
        self._draw(number)
        self._stop()
        program.session.documents.save(self._folder / "saved.safetensors")
        for name in (
            "view.dock_curves",
            "view.dock_gaps",
            "view.dock_read_outs",
            "view.dock_similar",
            "view.dock_ledger",
        ):
            dock = program.window.docks.by_command()[name]
            dock.show()
            dock.raise_()
            driver.wait(40)
        program.window.commands.trigger("view.theme_dark" if number % 2 else "view.theme_light")
        program.session.documents.open_shipped()
        driver.wait_for("the shipped model", lambda: program.session.documents.is_shipped)
        self._drag(60)
        self._open(model_file())
        program.window.commands.trigger("view.theme_light")
        driver.wait(_SETTLED_MS)
        self.done += 1

    def train(self) -> None:
        """Begin a run, and return when it has made steps."""
        program, training = self._program, self._program.session.training
        program.session.edit("training", "epochs", LONG_RUN)
        program.window.commands.trigger("model.start")
        self._driver.wait_for("steps", lambda: training.active and training.history.num_steps > 20)

    def restart(self) -> None:
        """Start, stop and reload a run."""
        self.train()
        self._stop()
        self._open(model_file())

    def _stop(self) -> None:
        training = self._program.session.training
        self._program.window.commands.trigger("model.stop")
        self._driver.wait_for("the end of the run", lambda: not training.active)

    def _open(self, path: Path) -> None:
        documents, latent = self._program.session.documents, self._program.session.latent
        documents.open_model(path)
        self._driver.wait_for("the model", lambda: documents.path == path and latent.hand is not None)
        documents.open_data(documents.saved.config.data) if documents.saved is not None else None
        self._driver.wait_for("its data", lambda: documents.data_complete and latent.codes is not None)

    def _drag(self, moves: int) -> None:
        canvas = self._program.views.canvas
        mark = next(iter(canvas._marks), None)  # noqa: SLF001 - to hit what can be dragged
        start = QPointF(mark.x, mark.y) if mark is not None else QPointF(canvas.rect().center())
        path = winding(QPointF(canvas.rect().center()), 0.3 * canvas.width(), 0.3 * canvas.height(), start)
        self._driver.drag(canvas, [next(path) for _ in range(moves)], gap_ms=4)

    def _draw(self, number: int) -> None:
        surface, pad = self._program.views.draw_pad.surface, self._program.window.docks.draw
        pad.show()
        pad.raise_()
        self._driver.wait(20)
        middle = QPointF(surface.rect().center())
        self._driver.drag(surface, line(middle - QPointF(60, 40 + number % 20), middle + QPointF(50, 60), 20), gap_ms=4)
        self._program.window.commands.trigger("edit.undo")

    def _on_failed(self) -> None:
        self.errors += 1


if __name__ == "__main__":
    asked = dose(__doc__, DEFAULT, FULL)
    soak(asked.count, asked.seed)
    sys.exit(0)

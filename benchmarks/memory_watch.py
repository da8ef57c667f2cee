"""How much memory the running program takes, at moments of its use, as the system counts it."""

import json
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from explorer.messages import RunReport, RunResult
from explorer.program import Program

EVERY_MS, TRAINING_MS, REST_MS = 250, 20_000, 3_000


class MemoryWatch(QObject):
    """Takes the program through its uses, prints the most memory it took in each, in MB, and closes the window."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self._most: dict[str, dict[str, float]] = {}
        self._now = ""
        self._look = QTimer(self)
        self._look.setInterval(EVERY_MS)
        self._look.timeout.connect(self._sample)
        self._look.timeout.connect(self._go_on)
        program.session.latent.refreshed.connect(self._on_first_picture)
        program.workers.training.torch_loaded.connect(self._on_torch_loaded)
        program.workers.training.reported.connect(self._on_reported)
        program.workers.training.ended.connect(self._on_ended)

    def _on_first_picture(self) -> None:
        self._program.session.latent.refreshed.disconnect(self._on_first_picture)
        self._begin("start")
        self._sample()

    def _on_torch_loaded(self) -> None:
        self._begin("torch")
        self._sample()
        dock = self._program.window.docks.ledger[0]
        dock.show()
        dock.raise_()
        self._begin("ledger to come")
        self._look.start()

    def _go_on(self) -> None:
        """When the ledger has stood for a while, train."""
        if self._now == "ledger to come" and self._program.views.ledger.ledger is not None:
            self._begin("ledger")
            QTimer.singleShot(REST_MS, self._train)

    def _train(self) -> None:
        self._begin("run to come")
        self._program.window.commands.trigger("model.start")

    def _on_reported(self, report: RunReport) -> None:
        if report.steps and self._now == "run to come":
            self._begin("training")
            QTimer.singleShot(TRAINING_MS, self._stop)

    def _stop(self) -> None:
        self._program.window.commands.trigger("model.stop")

    def _on_ended(self, result: RunResult) -> None:
        del result
        self._look.stop()
        print(json.dumps(self._most), flush=True)
        self._program.window.close()

    def _begin(self, use: str) -> None:
        self._now = use

    def _sample(self) -> None:
        before = self._most.setdefault(self._now, {"rss": 0.0, "pss": 0.0})
        for name, megabytes in memory_mb().items():
            before[name] = max(before[name], megabytes)


def memory_mb() -> dict[str, float]:
    """Return resident (`rss`) and proportional (`pss`: what is shared with others in part) memory of this process.

    Raises OSError where the system does not say.
    """
    lines = Path("/proc/self/smaps_rollup").read_text("ascii").splitlines()
    found = {line.split(":")[0].lower(): int(line.split()[1]) / 1024 for line in lines[1:] if "kB" in line}
    return {name: found[name] for name in ("rss", "pss")}

"""The menu of training runs that were interrupted."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from explorer.messages import InterruptedRun
from explorer.views.run_offer import when, where


class RunsMenu(QMenu):
    """Lists interrupted runs, the newest first; choosing one offers it above the canvas."""

    chosen = Signal(Path)

    def __init__(self) -> None:
        super().__init__("&Interrupted runs")
        self.setToolTipsVisible(True)
        self.show_runs(())

    def show_runs(self, runs: tuple[InterruptedRun, ...]) -> None:
        """List these runs."""
        self.clear()
        for run in runs:
            action = self.addAction(f"{run.name.replace('&', '&&')}, {when(run.written)}, {where(run)}")
            action.setData(run.path)
            action.setToolTip(str(run.path))
            action.triggered.connect(self._on_triggered)
        if self.isEmpty():
            self.addAction("No run was interrupted").setEnabled(False)

    def _on_triggered(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.chosen.emit(action.data())

"""The menu of files that were opened lately."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from explorer.commands.icons import tinted_icon


class RecentMenu(QMenu):
    """Lists files by their names, the newest first."""

    chosen = Signal(Path)
    clear_asked = Signal()

    def __init__(self) -> None:
        super().__init__("Open &recent")
        self.setToolTipsVisible(True)
        self.retint()

    def show_files(self, paths: tuple[Path, ...]) -> None:
        """List these files."""
        self.clear()
        for path in paths:
            action = self.addAction(path.name)
            action.setData(path)
            action.setToolTip(str(path))
            action.triggered.connect(self._on_triggered)
        if self.isEmpty():
            nothing = self.addAction("Nothing opened yet")
            nothing.setEnabled(False)
        else:
            self.addSeparator()
            self.addAction("Clear this list").triggered.connect(self.clear_asked)

    def retint(self) -> None:
        """Take the theme's colours."""
        self.setIcon(tinted_icon("recent"))

    def _on_triggered(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.chosen.emit(action.data())

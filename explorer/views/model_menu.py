"""A menu of models that can be put beside the open one."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from explorer.messages import OfferedModel


class ModelMenu(QMenu):
    """Lists models by their names; what there is is asked for each time it opens."""

    chosen = Signal(Path)
    file_wanted = Signal()
    """Another file is to be chosen in a dialog."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.setToolTipsVisible(True)

    def show_models(self, models: tuple[OfferedModel, ...]) -> None:
        """List these models."""
        self.clear()
        for model in models:
            action = self.addAction(model.name.replace("&", "&&"))
            action.setData(model.path)
            action.setToolTip(str(model.path))
            action.triggered.connect(self._on_triggered)
        self.addSeparator()
        self.addAction("Choose a file…").triggered.connect(self.file_wanted)

    def _on_triggered(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.chosen.emit(action.data())

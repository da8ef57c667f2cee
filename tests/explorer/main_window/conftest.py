from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from explorer.settings import Settings
from explorer.views.later import Later
from explorer.views.main_window import MainWindow, Panels
from explorer.views.panels import DataPanel, ModelPanel, TrainingPanel

Maker = Callable[..., MainWindow]


def close_button(parent: QWidget, name: str) -> QToolButton:
    """Return the button that closes something."""
    return next(found for found in parent.findChildren(QToolButton) if found.accessibleName() == name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def made(qtbot: Any, settings: Settings) -> Maker:
    def make(width: int = 1440, height: int = 1200) -> MainWindow:
        panels = Panels(
            DataPanel(),
            ModelPanel(),
            TrainingPanel(),
            _plain(),
            _plain(),
            _plain(),
            _plain(400),
            _plain(),
            tuple(Later(_plain) for _ in range(4)),
            (Later(_plain), Later(_plain)),
        )
        window = MainWindow(panels, settings)
        window.resize(width, height)
        qtbot.addWidget(window, before_close_func=MainWindow.close_now)
        with qtbot.waitActive(window):
            window.show()
        QApplication.processEvents()  # noqa: TID251 - lets the docks take their sizes
        return window

    return make


@pytest.fixture
def window(made: Maker) -> MainWindow:
    return made()


def _plain(height: int = 100) -> QWidget:
    widget = QWidget()
    widget.setMinimumSize(120, height)
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return widget

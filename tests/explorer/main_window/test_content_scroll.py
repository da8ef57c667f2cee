"""What a dock's content tells the window: that it needs another room, and nothing less."""

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from explorer.views.content_scroll import ContentScroll
from explorer.views.panels.frame import ElidedLabel


class Requests(QObject):
    """Counts how often a widget is asked to arrange its parts."""

    def __init__(self, watched: QWidget) -> None:
        super().__init__()
        self.count = 0
        self._watched = watched
        watched.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


@pytest.fixture
def parts(qtbot: QtBot) -> tuple[ElidedLabel, Requests]:
    """Return a label in a scrolled column, and what its window is asked."""
    window, content, label = QWidget(), QWidget(), ElidedLabel()
    QVBoxLayout(content).addWidget(label)
    QVBoxLayout(window).addWidget(ContentScroll(content))
    qtbot.addWidget(window)
    window.resize(300, 200)
    window.show()
    label.set_text("a number of 9")
    qtbot.wait(50)
    return label, Requests(window)


def test_a_longer_number_does_not_have_the_window_arranged(parts: tuple[ElidedLabel, Requests], qtbot: QtBot) -> None:
    label, requests = parts
    label.set_text("a number of 10,000,000")
    qtbot.wait(50)
    assert requests.count == 0


def test_another_least_size_does(parts: tuple[ElidedLabel, Requests], qtbot: QtBot) -> None:
    label, requests = parts
    label.setMinimumSize(260, 90)
    qtbot.waitUntil(lambda: requests.count > 0)

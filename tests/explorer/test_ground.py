"""Widgets that paint their own ground leave nothing of what was there before."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from explorer.theme import apply_theme, current_palette
from explorer.views.ledger.badges import Badge
from explorer.views.ledger.bars import LedgerBars
from explorer.views.ledger.identities import Identities
from explorer.views.pictures import PictureView
from explorer.views.readouts import StatusLine
from explorer.views.sliders.track import Track

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def badge() -> Badge:
    made = Badge("badge")
    made.set_text("certain")
    return made


def caption_alone() -> PictureView:
    return PictureView("a caption of\ntwo lines", caption_lines=2)


def picture() -> PictureView:
    made = caption_alone()
    made.set_picture(np.full((7, 3), 200, np.uint8))
    return made


def status() -> StatusLine:
    made = StatusLine("status")
    made.set_text("z 0.5")
    return made


def on_screen(window: QWidget) -> set[int]:
    """Return the colours on the screen; a widget's own `grab` would paint anew, on a ground that is there already."""
    image = QGuiApplication.primaryScreen().grabWindow(window.winId()).toImage()
    return {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[str]:
    apply_theme(qapp, request.param)
    yield request.param
    apply_theme(qapp, "light")


@pytest.mark.usefixtures("theme")
@pytest.mark.parametrize("make", [picture, caption_alone, status, badge, Track, LedgerBars, Identities])
def test_nothing_is_left_of_what_was_there_before(make: Callable[[], QWidget], qtbot: QtBot) -> None:
    window, before = QWidget(), QLabel()
    qtbot.addWidget(window)
    window.resize(160, 120)
    widget = make()
    for child in (widget, before):
        child.setParent(window)
        child.setGeometry(0, 0, 160, 120)
    before.setStyleSheet("background: #ff00ff")
    window.show()
    widget.show()
    qtbot.waitExposed(window)
    loud = QColor("#ff00ff").rgb()
    qtbot.waitUntil(lambda: on_screen(window) == {loud})
    before.hide()
    qtbot.waitUntil(lambda: on_screen(window) != {loud})
    colours = on_screen(window)
    assert loud not in colours
    assert QColor(current_palette().window).rgb() in colours

"""How the window stands: fitted to the screen at the first start, afterwards as it was left."""

import logging

from PySide6.QtCore import QObject, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QStyle

from explorer.settings import LAYOUT_VERSION, Settings
from explorer.views.docks import Docks, Shape

FIRST_SIZE = QSize(1440, 900)
# The frame that the window manager will draw is not known before the window is shown.
_FRAME_PX = 6
_SETTLED_MS = 1000
_BY_ITSELF = Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen
_log = logging.getLogger("explorer")


class Arrangement(QObject):
    """Puts the window and its docks where they were left, or where they are at first.

    While it does so a mark is in the settings.  A start that finds one follows a start that never came so far: what
    crashes Qt once would do so at every start, and nobody could open the program again.
    """

    def __init__(self, window: QMainWindow, docks: Docks, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._settings = settings
        self._restored = self._restores_again = self._shown_before = False
        self._shape: Shape | None = None

    def restore(self) -> None:
        """Restore what was left, in a window that is not shown yet."""
        settings, window = self._settings, self._window
        if settings.arranging:
            _log.warning("the arrangement of the window is given up: the last start with it did not come to its end")
            settings.forget_arrangement()
            settings.save()
        elif not settings.window_state.isEmpty():
            settings.arranging = True
            settings.save()
        window.setGeometry(_first_place(window))
        window.restoreGeometry(settings.window_geometry)
        self._docks.prepare(window)
        # A state that cannot be restored, or is none, leaves the first arrangement to the first showing.
        self._restored = self._restore_docks()
        # In a window that is going to fill the screen Qt keeps a copy of what it restored, until there is room for it.
        # To restore once more meanwhile deletes the items of the layout that the copy points to, and Qt crashes.
        self._restores_again = not window.windowState() & _BY_ITSELF

    def on_shown(self) -> None:
        """Arrange the docks when the window is shown for the first time."""
        if self._shown_before:
            return
        self._shown_before = True
        if not self._restored:
            self.reset()
        # The sizes of docks can be set only once the window has its own.
        QTimer.singleShot(0, self._arrange)
        QTimer.singleShot(_SETTLED_MS, self._settled)

    def reset(self) -> None:
        """Put all docks back where they were at first."""
        self._shape = self._docks.shape(self._window, self._window.height())
        self._docks.arrange(self._window, self._window.height())

    def remember(self) -> None:
        """Take down how the window stands."""
        self._settings.arranging = False
        self._settings.window_geometry = self._window.saveGeometry()
        self._settings.window_state = self._window.saveState(LAYOUT_VERSION)
        self._settings.save()

    def _arrange(self) -> None:
        if not self._restored:
            shape = self._docks.shape(self._window, self._window.height())
            if shape == self._shape and shape.ledger_beside_curves:
                # Where there is room, docks that stand where they belong take the sizes asked for; to put them there
                # once more, now that they are shown, took as long as to make them.
                self._docks.resize(self._window, self._window.height())
            else:
                self.reset()
        elif self._restores_again:
            self._restore_docks()
        self._docks.show_names()

    def _restore_docks(self) -> bool:
        return self._window.restoreState(self._settings.window_state, LAYOUT_VERSION)

    def _settled(self) -> None:
        if self._settings.arranging:
            self._settings.arranging = False
            self._settings.save()
        self._docks.show_names()


def _first_place(window: QMainWindow) -> QRect:
    """Return where the window stands at first, without its frame: in the middle of the screen, all of it on it."""
    available = QGuiApplication.primaryScreen().availableGeometry()
    title = window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
    room = available.adjusted(_FRAME_PX, _FRAME_PX + title, -_FRAME_PX, -_FRAME_PX)
    place = QRect(room.topLeft(), FIRST_SIZE.boundedTo(room.size()).expandedTo(window.minimumSize()))
    place.moveCenter(room.center())
    # Where even the least is too large, the menus and the title bar are what has to be seen.
    place.moveTop(max(place.top(), room.top()))
    place.moveLeft(max(place.left(), room.left()))
    return place

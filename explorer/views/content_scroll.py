"""A place for content that may need more room than there is."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

# Experiment, canvas and the right column stand beside each other in 800 pixels, curves and ledger in what the first
# leaves of them.
LEAST_WIDTH, LEAST_HEIGHT = 250, 120


class ContentScroll(QScrollArea):
    """Its content as large as the place it has, or as the least that the content needs: then it scrolls.

    No window is too small for it: where a dock asked for more than there is, Qt would lay it over its neighbour.
    (With `widgetResizable` Qt takes the preferred height for the width as the least, and scrolls too early.)
    """

    def __init__(self, content: QWidget, narrowest: int = LEAST_WIDTH) -> None:
        super().__init__()
        self._narrowest = narrowest
        self._content = content
        self._least = QSize()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the content's least width with room for the scroll bar, as far as every window has that."""
        content = self._content.minimumSizeHint()
        width = content.width() + self.verticalScrollBar().sizeHint().width()
        return QSize(min(width, self._narrowest), min(content.height(), LEAST_HEIGHT))

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the content's own size."""
        return self._content.sizeHint()

    def needed_height(self, width: int) -> int:
        """Return the least height at which nothing has to scroll, for content of this width."""
        layout = self._content.layout()
        if layout is not None and layout.hasHeightForWidth():
            return layout.minimumHeightForWidth(width)
        return self._content.minimumSizeHint().height()

    @property
    def content(self) -> QWidget:
        """What stands here."""
        return self._content

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fit the content to the new size."""
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Fit the content when something in it needs more or less room."""
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
            self._tell_least()
        return super().eventFilter(watched, event)

    def _tell_least(self) -> None:
        """Have the window arrange its docks anew, but only where this one needs another room than before.

        A number that gets a digit more would otherwise set all docks moving, animated, while a hand drags.
        """
        least = self.minimumSizeHint()
        if least != self._least:
            self._least = least
            self.updateGeometry()

    def _fit(self) -> None:
        room, least = self.maximumViewportSize(), self._content.minimumSizeHint().width()
        width = max(room.width(), least)
        if self.needed_height(width) > self._height_left(room, width):
            width = max(room.width() - self.verticalScrollBar().sizeHint().width(), least)
        self._content.resize(width, max(self.needed_height(width), self._height_left(room, width)))

    def _height_left(self, room: QSize, width: int) -> int:
        """Return the height beside the horizontal scroll bar, if content of this width needs one."""
        return room.height() - (self.horizontalScrollBar().sizeHint().height() if width > room.width() else 0)

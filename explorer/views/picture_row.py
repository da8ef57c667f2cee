"""Pictures side by side."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.views.pictures import PictureView


class PictureRow(QWidget):
    """Pictures side by side, all of exactly the same size: a layout would give some of them a pixel more.

    Those that are hidden take no room; `rearrange` follows when one is shown or hidden.
    """

    def __init__(self, views: tuple[PictureView, ...], spacing: int = 6) -> None:
        super().__init__()
        self._views = views
        self._spacing = spacing
        # Not Fixed: that caps the height at the size hint's, whatever heightForWidth says.
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        for view in views:
            view.setParent(self)

    @property
    def shown(self) -> tuple[PictureView, ...]:
        """The views that are not hidden."""
        return tuple(view for view in self._views if not view.isHidden())

    def rearrange(self) -> None:
        """Give the views that are shown the room there is."""
        self.updateGeometry()
        self._place()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for all pictures at their own size hint."""
        return self._size_for(max(view.sizeHint().width() for view in self.shown))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return room for all pictures at their least size."""
        return self._size_for(max(view.minimumSizeHint().width() for view in self.shown))

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return the height of the tallest view when all share this width."""
        return max(view.heightForWidth(self._side(width)) for view in self.shown)

    def resizeEvent(self, _event: QResizeEvent) -> None:  # noqa: N802
        """Place the views."""
        self._place()

    def _place(self) -> None:
        side = self._side(self.width())
        for index, view in enumerate(self.shown):
            view.setGeometry(index * (side + self._spacing), 0, side, view.heightForWidth(side))

    def _side(self, width: int) -> int:
        count = len(self.shown)
        return max((width - self._spacing * (count - 1)) // count, 1)

    def _size_for(self, side: int) -> QSize:
        count = len(self.shown)
        width = side * count + self._spacing * (count - 1)
        return QSize(width, self.heightForWidth(width))

"""Pictures side by side."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.views.pictures import PictureView


class PictureRow(QWidget):
    """Pictures side by side, all of exactly the same size: a layout would give some of them a pixel more."""

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

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for all pictures at their own size hint."""
        return self._size_for(max(view.sizeHint().width() for view in self._views))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return room for all pictures at their least size."""
        return self._size_for(max(view.minimumSizeHint().width() for view in self._views))

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return the height of the tallest view when all share this width."""
        return max(view.heightForWidth(self._side(width)) for view in self._views)

    def resizeEvent(self, _event: QResizeEvent) -> None:  # noqa: N802
        """Place the views."""
        side = self._side(self.width())
        for index, view in enumerate(self._views):
            view.setGeometry(index * (side + self._spacing), 0, side, view.heightForWidth(side))

    def _side(self, width: int) -> int:
        gaps = self._spacing * (len(self._views) - 1)
        return max((width - gaps) // len(self._views), 1)

    def _size_for(self, side: int) -> QSize:
        width = side * len(self._views) + self._spacing * (len(self._views) - 1)
        return QSize(width, self.heightForWidth(width))

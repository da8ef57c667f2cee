"""The middle of the window: messages and tools above the latent canvas, or above what stands in its place."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from explorer.views.content_scroll import ContentScroll
from explorer.views.later import Later


class Centre(QWidget):
    """A column whose last and largest part is the canvas, or the sampling of a model without a latent space."""

    def __init__(self, above: tuple[QWidget, ...], canvas: QWidget, sampling: Later[QWidget] | None) -> None:
        super().__init__()
        self._canvas = canvas
        self._sampling = sampling
        self._stack = _Stack()
        self._stack.addWidget(canvas)
        if sampling is not None:
            sampling.then(self._put)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in above:
            column.addWidget(widget)
        column.addWidget(self._stack, 1)

    def _put(self, sampling: QWidget) -> None:
        self._stack.addWidget(ContentScroll(sampling))

    def show_canvas(self, shown: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Show the canvas, or the sampling where a model has no codes; the keys follow if they were there."""
        wanted = self._canvas if shown or self._sampling is None else self._sampling()
        before = self._stack.currentWidget()
        if before.isAncestorOf(wanted) or before is wanted:
            return
        focused = before.isAncestorOf(self.window().focusWidget()) if self.window().focusWidget() else False
        self._stack.setCurrentIndex(0 if wanted is self._canvas else 1)
        self._stack.updateGeometry()
        if focused:
            wanted.setFocus()


class _Stack(QStackedWidget):
    """As small as what it shows; Qt asks for room for the largest of all, which the docks then lack."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least size of what is shown."""
        return self.currentWidget().minimumSizeHint().expandedTo(self.currentWidget().minimumSize())

"""The middle of the window: messages and tools above the latent canvas, or above what stands in its place."""

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget


class Centre(QWidget):
    """A column whose last and largest part is the canvas, or the sampling of a model without a latent space."""

    def __init__(self, above: tuple[QWidget, ...], canvas: QWidget, sampling: QWidget | None) -> None:
        super().__init__()
        self._canvas = canvas
        self._sampling = sampling
        self._stack = QStackedWidget()
        self._stack.addWidget(canvas)
        if sampling is not None:
            self._stack.addWidget(sampling)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in above:
            column.addWidget(widget)
        column.addWidget(self._stack, 1)

    def show_canvas(self, shown: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Show the canvas, or the sampling where a model has no codes; the keys follow if they were there."""
        wanted = self._canvas if shown or self._sampling is None else self._sampling
        before = self._stack.currentWidget()
        if wanted is before:
            return
        focused = before.isAncestorOf(self.window().focusWidget()) if self.window().focusWidget() else False
        self._stack.setCurrentWidget(wanted)
        if focused:
            wanted.setFocus()

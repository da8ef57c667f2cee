"""A small picture that can be clicked."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QSizePolicy

from core.shapes import Picture
from explorer.views.pictures import PictureView


class Thumbnail(PictureView):
    """As large as its place allows; a click, Return or Space chooses it where it stands for an image."""

    clicked = Signal(int)
    """Index of the image it stands for."""

    def __init__(self, caption: str, tip: str, least_side: int = 36) -> None:
        super().__init__(caption, tip, fill=True, least_side=least_side)
        self.image_index: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_image(self, picture: Picture | None, caption: str, image: int | None, tip: str = "") -> None:
        """Show a picture with its caption; `image` is told when it is clicked."""
        self.image_index = image
        self.setToolTip(tip)
        self.set_caption(caption)
        self.set_picture(picture)
        self.setCursor(Qt.CursorShape.PointingHandCursor if image is not None else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Choose the image."""
        if event.button() == Qt.MouseButton.LeftButton and self.image_index is not None:
            self.clicked.emit(self.image_index)
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Choose the image by the keyboard."""
        chosen = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}
        if chosen and self.image_index is not None:
            self.clicked.emit(self.image_index)
        else:
            super().keyPressEvent(event)

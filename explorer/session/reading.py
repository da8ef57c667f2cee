"""Pictures of the data, taken for the window: where their file cannot be read any more, that is said once."""

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.shapes import Picture, PictureStack
from core.stored_pictures import Pictures, Rows, StoredPicturesError
from explorer.messages import Failed

_PAPER, _CROSS = 96, 160


class PictureReading(QObject):
    """Takes pictures out of a data set, which may have stayed in its file; what cannot be read is missing, no error."""

    failed = Signal(Failed)
    """The pictures' file was changed or cannot be read: said once of a data set, not for every movement of the hand."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told: set[str] = set()

    def begin_anew(self) -> None:
        """Take note that other data are open: what goes wrong with them has not been said."""
        self._told.clear()

    def taken(self, images: Pictures, rows: Rows) -> PictureStack | None:
        """Return the pictures at these rows; None where their file cannot be read."""
        try:
            return images[rows]
        except StoredPicturesError as error:
            self.tell(Failed(str(error)))
            return None

    def tell(self, failed: Failed) -> None:
        """Say what went wrong, here or in a thread that goes through the data; a file that cannot be read, once."""
        if failed.details or failed.reason not in self._told:
            self._told.add(failed.reason)
            self.failed.emit(failed)


def missing_picture(height: int, width: int) -> Picture:
    """Return what stands for a picture that cannot be read: a cross."""
    picture: Picture = np.full((height, width), _PAPER, np.uint8)
    steps = np.arange(2 * max(height, width)) / (2 * max(height, width))
    rows, columns = (steps * height).astype(np.int64), (steps * width).astype(np.int64)
    picture[rows, columns] = picture[rows, width - 1 - columns] = _CROSS
    return picture

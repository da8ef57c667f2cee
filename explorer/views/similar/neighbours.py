"""The nearest images, in pixels and in codes, as two rows of pictures."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from core.findings.neighbours import NearestImages, Neighbours
from core.shapes import Picture
from explorer.views.panels.frame import ElidedLabel
from explorer.views.readouts import number
from explorer.views.similar.thumbnail import Thumbnail

NUM_NEIGHBOURS = 8


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourPictures:
    """The lists with the pictures of their images, and the names of the labels."""

    found: Neighbours
    in_pixels: tuple[Picture, ...]
    in_codes: tuple[Picture, ...]
    label_names: tuple[str, ...]


class NeighbourRows(QWidget):
    """Two rows of eight; a click selects an image's point on the canvas."""

    image_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = (
            _row_name("in pixels", "Euclidean distance between the pixels as the model sees them."),
            _row_name("in codes", "Euclidean distance between the codes, the means of q(z | x), in latent units."),
        )
        self.rows = tuple(tuple(Thumbnail(" ", "", least_side=34) for _ in range(NUM_NEIGHBOURS)) for _ in self._names)
        self._words = ElidedLabel(muted=True, cut=Qt.TextElideMode.ElideRight)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        for line, (name, thumbnails) in enumerate(zip(self._names, self.rows, strict=True)):
            grid.addWidget(name, line, 0)
            grid.setRowStretch(line, 1)
            for place, thumbnail in enumerate(thumbnails, 1):
                grid.addWidget(thumbnail, line, place)
                grid.setColumnStretch(place, 1)
                thumbnail.clicked.connect(self.image_chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(grid, 1)
        column.addWidget(self._words)
        self.set_neighbours(None)

    @property
    def words(self) -> str:
        """What the two lists have in common."""
        return self._words.text()

    def set_neighbours(self, shown: NeighbourPictures | None) -> None:
        """Show both lists, or none."""
        if shown is None:
            for thumbnail in (thumbnail for row in self.rows for thumbnail in row):
                thumbnail.show_image(None, " ", None)
            self._words.set_text("")
            return
        found = shown.found
        lists = ((found.in_pixels, shown.in_pixels, 1), (found.in_codes, shown.in_codes, 3))
        for row, (nearest, pictures, decimals) in zip(self.rows, lists, strict=True):
            for place, thumbnail in enumerate(row):
                if place >= len(pictures):
                    thumbnail.show_image(None, " ", None)
                    continue
                image, distance = int(nearest.images[place]), number(float(nearest.distances[place]), decimals)
                name = _label_name(nearest, place, shown.label_names)
                tip = f"{f'label {name}, ' if name else ''}image {image:,}, distance {distance}: click to select it"
                thumbnail.show_image(pictures[place], f"{name} · {distance}" if name else distance, image, tip)
        self._words.set_text(_in_words(found, shown.label_names))


def _row_name(text: str, tip: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    label.setToolTip(tip)
    label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
    return label


def _label_name(nearest: NearestImages, place: int, names: tuple[str, ...]) -> str:
    return "" if nearest.labels is None else _name_of(int(nearest.labels[place]), names)


def _name_of(label: int, names: tuple[str, ...]) -> str:
    return names[label] if 0 <= label < len(names) else str(label)


def _in_words(found: Neighbours, names: tuple[str, ...]) -> str:
    count = len(found.in_pixels.images)
    is_or_are = "is" if found.overlap == 1 else "are"
    text = f"{found.overlap or 'None'} of {count} {is_or_are} in both lists"
    if found.in_pixels.same_label is not None and found.in_codes.same_label is not None:
        what = f"label {_name_of(found.label, names)}" if found.label is not None else "the commonest label"
        text += f"; {found.in_pixels.same_label} in pixels and {found.in_codes.same_label} in codes have {what}"
    return f"{text}; of {found.num_images:,} images."

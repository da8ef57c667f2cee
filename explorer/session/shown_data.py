"""The data behind the points on the canvas: which half is shown, which image a point is, what it looks like."""

import numpy as np

from core.config import ModelConfig
from core.data.binarisation import seen_by_model
from core.data.dataset import Dataset
from core.shapes import Picture, PixelRow
from core.snapshots import Codes, Split
from explorer.messages import picture_of

SPLIT_NAMES = {"train": "training", "held_out": "held-out"}


class ShownData:
    """The open data set, the half of it that the canvas shows, and the codes it shows of that."""

    def __init__(self) -> None:
        self.dataset: Dataset | None = None
        self.split_name = "held_out"
        self.codes: Codes | None = None

    @property
    def split(self) -> Split | None:
        """The half that is shown."""
        if self.dataset is None:
            return None
        return self.dataset.train if self.split_name == "train" else self.dataset.held_out

    @property
    def label_names(self) -> tuple[str, ...]:
        """Name of each label; empty where the data has none."""
        return self.dataset.label_names if self.dataset is not None else ()

    def fits(self, config: ModelConfig | None) -> bool:
        """Return whether a model can encode this data."""
        return self.dataset is not None and fits(self.dataset, config)

    def row_of(self, image: int | None) -> int | None:
        """Return the row of an image's code among those shown; None when it is not among them."""
        if image is None or self.codes is None or not len(self.codes):
            return None
        # The indices of a subset rise, so that a drag over 60,000 of them costs a few comparisons.
        row = int(np.searchsorted(self.codes.indices, image))
        return row if row < len(self.codes) and int(self.codes.indices[row]) == image else None

    def seen(self, image: int) -> PixelRow:
        """Return an image of the shown half as the model sees it, in [0, 1].  Raises LookupError without data."""
        split, dataset = self.split, self.dataset
        if split is None or dataset is None:
            raise LookupError("no data is open")
        row: PixelRow = seen_by_model(split.images[image : image + 1], np.array([image]), dataset.config)[0]
        return row

    def seen_picture(self, image: int) -> Picture:
        """Return an image of the shown half as the model sees it, 0..255."""
        if self.dataset is None:
            raise LookupError("no data is open")
        return picture_of(self.seen(image), self.dataset.height, self.dataset.width)

    def described(self, row: int) -> tuple[Picture, str] | None:
        """Return the image behind a row of the codes and a line that names it; None when there is none."""
        split = self.split
        if self.codes is None or split is None or not 0 <= row < len(self.codes):
            return None
        index = int(self.codes.indices[row])
        text = f"{SPLIT_NAMES[self.split_name]} image {index:,}"
        if split.labels is not None:
            label = int(split.labels[index])
            name = self.label_names[label] if 0 <= label < len(self.label_names) else str(label)
            text = f"{name} · {text}"
        picture: Picture = split.images[index]
        return picture, text


def fits(dataset: Dataset, config: ModelConfig | None) -> bool:
    """Return whether a model of this configuration can encode this data."""
    return config is not None and (dataset.height, dataset.width) == (config.image_height, config.image_width)

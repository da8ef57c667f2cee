"""The data behind the points on the canvas: which half is shown, which image a point is, what it looks like."""

from dataclasses import replace

import numpy as np

from core.compatibility import data_for
from core.config import ModelConfig
from core.data.binarisation import seen_by_model
from core.data.corruption import Corruptor
from core.data.dataset import Dataset
from core.shapes import Code, Picture, PixelRow, Scale
from core.snapshots import Codes, Split
from core.stored_pictures import StoredPictures
from explorer.messages import CodesRequest, CodesResult, picture_of
from explorer.session.known_codes import KnownCodes
from explorer.session.reading import PictureReading, missing_picture
from explorer.workers.hand import Hand

LIVE_SUBSET = 2_000
"""Codes shown while a run changes the weights under them."""
REST_SUBSET = 60_000
"""Codes shown of a half unless all are asked for: all of MNIST's, a second's work."""

SPLIT_NAMES = {"train": "training", "held_out": "held-out"}


class ShownData:
    """The open data set, the half of it that the canvas is to show, and the codes it shows until others come."""

    def __init__(self, reading: PictureReading, known: KnownCodes) -> None:
        self._reading = reading
        self._known = known
        self.model: ModelConfig | None = None
        """The model that sees it."""
        self.corruptor: Corruptor | None = None
        """What a denoising autoencoder's training does to it."""
        self.dataset: Dataset | None = None
        self.split_name = "held_out"
        self._codes: Codes | None = None
        self._answered: CodesRequest | None = None
        self._encoded: tuple[int, int, Codes, Code, Scale] | None = None

    @property
    def codes(self) -> Codes | None:
        """The codes on the canvas."""
        return self._codes

    def show_codes(self, result: CodesResult) -> None:
        """Keep the codes that the canvas shows from now on."""
        self._codes, self._answered = result.codes, result.request
        self._known.show(result)

    def clear_codes(self) -> None:
        """Forget the codes."""
        self._codes = self._answered = None
        self._known.show(None)

    def request(self, *, live: bool) -> CodesRequest | None:
        """Return what to show until all is asked for, less while a run changes the weights; None for nothing."""
        split, dataset = self.split, self.dataset
        if split is None or dataset is None or not self.fits(self.model) or not len(split):
            return None
        return CodesRequest(self.split_name, dataset, min(LIVE_SUBSET if live else REST_SUBSET, len(split)))

    def wants(self, request: CodesRequest) -> bool:
        """Return whether this is still what the canvas is to show."""
        return request.dataset is self.dataset and request.split_name == self.split_name

    def shows(self, codes: Codes) -> bool:
        """Return whether the canvas shows these codes, and they are of what it is to show."""
        return codes is self._codes and self._codes_are_current

    def change(self, dataset: Dataset | None, split_name: str) -> bool:
        """Show another half or other data from now on; return whether its images are still the same."""
        before, current = self.split, self._codes_are_current
        if dataset is not self.dataset:
            self._reading.begin_anew()
        self.dataset, self.split_name = dataset, split_name
        same = _same_images(before, self.split)
        if same and current and self._answered is not None and dataset is not None:
            self._answered = replace(self._answered, dataset=dataset)
        return same

    @property
    def _codes_are_current(self) -> bool:
        return self._answered is not None and self.wants(self._answered)

    @property
    def split(self) -> Split | None:
        """The half that is shown."""
        if self.dataset is None:
            return None
        return self.dataset.half(self.split_name)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Name of each label; empty where the data has none."""
        return self.dataset.label_names if self.dataset is not None else ()

    def fits(self, config: ModelConfig | None) -> bool:
        """Return whether a model can encode this data."""
        return self.dataset is not None and fits(self.dataset, config)

    def row_of(self, image: int | None) -> int | None:
        """Return the row of an image's code among those shown; None when it is not among them."""
        if image is None or self.codes is None or not len(self.codes) or not self._codes_are_current:
            return None
        # The indices of a subset rise, so that a drag over 60,000 of them costs a few comparisons.
        row = int(np.searchsorted(self.codes.indices, image))
        return row if row < len(self.codes) and int(self.codes.indices[row]) == image else None

    def posterior_of(self, image: int | None, hand: Hand | None) -> tuple[Code, Code | Scale] | None:
        """Return mean and deviations, or L, of q(z|x) of an image among the shown; None where there is none."""
        row, codes = self.row_of(image), self._codes
        if image is None or row is None or codes is None or codes.log_var is None:
            return None
        if hand is None or hand.config.posterior != "full":
            return codes.mean[row], np.exp(0.5 * codes.log_var[row])
        # The codes hold variances alone: how the dimensions vary together, the encoder has to say again, once.
        if self._encoded is None or self._encoded[:3] != (image, hand.version, self._codes):
            seen = self.seen(image)
            mean, scale = (None, None) if seen is None else hand.posterior_of(seen)
            if mean is None or scale is None:
                return None
            self._encoded = (image, hand.version, codes, mean, scale)
        return self._encoded[3:]

    def image_of(self, row: int) -> int | None:
        """Return the image behind a row of the codes, in the half that is to be shown; None when it is not of that."""
        return int(self.codes.indices[row]) if self.codes is not None and self._codes_are_current else None

    def seen(self, image: int) -> PixelRow | None:
        """Return an image of the shown half as the model sees it, in [0, 1]; None where its file cannot be read.

        Raises LookupError without data.
        """
        split, dataset = self.split, self.dataset
        if split is None or dataset is None:
            raise LookupError("no data is open")
        config = dataset.config if self.model is None else data_for(dataset.config, self.model)
        pictures = self._reading.taken(split.images, np.array([image]))
        return None if pictures is None else seen_by_model(pictures, np.array([image]), config)[0]

    def seen_picture(self, image: int) -> Picture:
        """Return an image of the shown half as the model sees it, 0..255, or a cross where it cannot be read."""
        if self.dataset is None:
            raise LookupError("no data is open")
        seen, size = self.seen(image), (self.dataset.height, self.dataset.width)
        return missing_picture(*size) if seen is None else picture_of(seen, *size)

    def source(self, image: int | None) -> tuple[Picture | None, PixelRow | None]:
        """Return the image that a handle came from, and its x̃ for a denoising autoencoder."""
        return (None, None) if image is None else (self.seen_picture(image), self.corrupted(image))

    def mean_of(self, image: int, hand: Hand | None) -> Code | None:
        """Return the mean of q(z|x) of an image of the shown half; None where its file cannot be read.

        Raises LookupError without model or data.
        """
        if hand is None:
            raise LookupError("no model is open")
        seen, row = self.seen(image), self.row_of(image)
        if seen is not None:
            return hand.mean_of(seen)[0]
        codes = self._codes
        return None if row is None or codes is None or codes.version != hand.version else codes.mean[row]

    def corrupted(self, image: int) -> PixelRow | None:
        """Return the x̃ of an image of the shown half, its noise decided by its index; None where nothing corrupts."""
        seen = None if self.corruptor is None else self.seen(image)
        return None if self.corruptor is None or seen is None else self.corruptor.corrupted(seen, image)

    def described(self, row: int) -> tuple[Picture, str] | None:
        """Return the image behind a row of the codes and a line that names it; None when there is none."""
        if self.codes is None or self._answered is None or not 0 <= row < len(self.codes):
            return None
        # Of the half that is on the canvas still, not of the one whose codes are on their way.
        split, names = self._answered.dataset.half(self._answered.split_name), self._answered.dataset.label_names
        index = int(self.codes.indices[row])
        text = f"{SPLIT_NAMES[self.codes.split]} image {index:,}"
        if split.labels is not None:
            label = int(split.labels[index])
            name = names[label] if 0 <= label < len(names) else str(label)
            text = f"{name} · {text}"
        pictures = self._reading.taken(split.images, np.array([index]))
        if pictures is None:
            return missing_picture(*split.images.shape[1:]), f"{text}\nIt cannot be read."
        return pictures[0], text


def _same_images(one: Split | None, other: Split | None) -> bool:
    """Return whether an index means the same image in both: also where data was read again, or is binarised anew."""
    if one is None or other is None:
        return one is other
    mine, others = one.images, other.images
    if isinstance(mine, StoredPictures) or isinstance(others, StoredPictures):
        # To compare what is larger than memory would stall the window.
        return isinstance(mine, StoredPictures) and isinstance(others, StoredPictures) and mine.is_same(others)
    return mine is others or np.array_equal(mine, others)


def fits(dataset: Dataset, config: ModelConfig | None) -> bool:
    """Return whether a model of this configuration can encode this data."""
    return config is not None and (dataset.height, dataset.width) == (config.image_height, config.image_width)

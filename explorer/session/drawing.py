"""The drawing as it is open: encoded while the pen moves, shown on pad and canvas."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from core.compatibility import data_for
from core.config import DataConfig, ExperimentConfig
from core.data.binarisation import drawing_seen, seen_by_model
from core.data.corruption import Corruptor, corruptor_for
from core.data.dataset import Dataset
from core.findings.pixel_sampling import PixelScore
from core.quantiles import quantiles
from core.shapes import PixelRow
from core.snapshots import PictureEncoding
from core.stored_pictures import Pictures, StoredPicturesError
from explorer.messages import Drawing, Failed, ImportedPicture, PictureRequest, PictureResult
from explorer.session.latent import LatentSession
from explorer.views.canvas import LatentCanvas
from explorer.views.draw_pad import DrawPad
from explorer.workers.hand import Hand
from explorer.workers.inference import InferenceThread
from explorer.workers.pixel_hand import PixelHand

EMBEDDED = ("mnist", "shapes")
"""Data that were not imported by anyone's choices: a foreign picture is then recognised as ink or paper by itself."""

# Of the data's pictures, this share has less and this share more ink than is remarked on.
_USUAL_INK = (0.005, 0.995)
# Of so many pictures, spread over all there are.
_INK_PICTURES = 10_000
# The noise on a drawing, for a denoising autoencoder: always the same, so that it does not flicker under the pen.
_CORRUPTION_SEED = 0


class DrawingSession(QObject):
    """Follows the pen: what the model sees, its code on the canvas, its reconstructions and costs on the pad."""

    pad_changed = Signal()
    """Something else is on the pad."""
    seen_changed = Signal()
    """Another x is on the pad, or none."""

    def __init__(
        self,
        pad: DrawPad,
        canvas: LatentCanvas,
        latent: LatentSession,
        inference: InferenceThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._pad = pad
        self._canvas = canvas
        self._latent = latent
        self._inference = inference
        self._config = ExperimentConfig()
        self._corruptor: Corruptor | None = None
        self._data_config = DataConfig()
        self._dataset: Dataset | None = None
        self._hand: Hand | PixelHand | None = None
        self._encoding: PictureEncoding | None = None
        self.seen: PixelRow | None = None
        """The x of what is on the pad; None while it is empty."""
        self._serial = 0
        self._taken: int | None = None
        """Index of the held-out image on the pad, until something is drawn over it."""
        self._random = np.random.default_rng()
        pad.drawing_changed.connect(self._on_drawing_changed)
        pad.from_data_requested.connect(self.take_from_data)
        pad.send_to_canvas_requested.connect(self._on_send_to_canvas)
        latent.hand_changed.connect(self._on_hand_changed)
        inference.picture_encoded.connect(self._on_picture_encoded)
        inference.pixel_hand_ready.connect(self._on_pixel_hand_ready)
        inference.picture_scored.connect(self._on_picture_scored)

    def open_model(self, config: ExperimentConfig) -> None:
        """Draw for a model that was made with this."""
        self._hand = None
        self._encoding = None
        self._config = config
        self._corruptor = corruptor_for(config.model, config.objective)
        data_config = data_for(config.data, config.model)
        self._data_config = data_config
        self._pad.set_model(config.model)
        self._pad.set_model_size(config.model.image_height, config.model.image_width)
        self._pad.set_centre_drawings(data_config.centre_drawings)
        self._pad.set_import_config(None if data_config.source in EMBEDDED else data_config)
        self._pad.set_encoding(None)
        self._follow_data()

    def set_dataset(self, dataset: Dataset | None) -> None:
        """Take pictures from this data when asked for one."""
        self._dataset = dataset
        self._follow_data()

    def _follow_data(self) -> None:
        dataset = self._dataset
        available = dataset is not None and self._latent.fits(dataset) and len(dataset.held_out) > 0
        self._pad.set_data_available(available)
        if dataset is None or not available:
            self._taken = None
        else:
            with self._explaining():
                ink = _some_of(dataset.held_out.images).mean(axis=(1, 2)) / 255.0
                self._pad.set_usual_ink(*(float(share) for share in quantiles(ink, _USUAL_INK)))

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Say on the pad why the data cannot be read, where it stays in a file that has changed meanwhile."""
        try:
            yield
        except StoredPicturesError as error:
            self._pad.set_data_available(False)
            self._pad.set_unavailable(str(error))

    def take_from_data(self) -> None:
        """Put a random held-out image on the pad."""
        if self._dataset is None or not self._latent.fits(self._dataset) or not len(self._dataset.held_out):
            self._pad.set_unavailable("No data is open that fits the model.")
            return
        images = self._dataset.held_out.images
        with self._explaining():
            taken = int(self._random.integers(len(images)))
            self._pad.set_picture(images[taken])
            self._taken = taken
            self._encode(self._pad.drawing())
            self.pad_changed.emit()

    def show_picture(self, imported: ImportedPicture) -> None:
        """Put a picture from a file on the pad."""
        self._taken = None
        self._pad.set_picture(imported.picture)
        self._encode(self._pad.drawing())
        self.pad_changed.emit()

    def explain(self, failure: Failed) -> None:
        """Say on the pad why a picture could not be used."""
        self._pad.set_unavailable(failure.reason)

    def _on_drawing_changed(self, drawing: Drawing) -> None:
        self._taken = None
        self._encode(drawing)
        self.pad_changed.emit()

    def _on_hand_changed(self, hand: Hand) -> None:
        self._hand = hand
        self._encode(self._pad.drawing())

    def _on_pixel_hand_ready(self, hand: PixelHand) -> None:
        if hand.config == self._config.model:
            self._hand = hand
            self._encode(self._pad.drawing())

    def _encode(self, drawing: Drawing) -> None:
        self._serial += 1
        if drawing.empty or self._hand is None:
            self._set_seen(None)
            self._show(None)
            return
        config = self._hand.config
        if drawing.picture.shape != (config.image_height, config.image_width):
            return  # the pad is about to be told the new model's size
        pixels = self._seen(drawing)
        self._set_seen(pixels)
        hand, corruptor = self._hand, self._corruptor
        corrupted = None if corruptor is None else corruptor.corrupted(pixels, _CORRUPTION_SEED)
        if isinstance(hand, PixelHand) and hand.scores_directly:
            self._pad.set_score(hand.score(pixels))
        elif isinstance(hand, Hand) and hand.encodes_directly:
            self._show(hand.encode(pixels, corrupted))
        else:
            self._inference.ask(PictureRequest(self._serial, pixels, corrupted))

    def _set_seen(self, pixels: PixelRow | None) -> None:
        if pixels is not None or self.seen is not None:
            self.seen = pixels
            self.seen_changed.emit()

    def _seen(self, drawing: Drawing) -> PixelRow:
        """Return the x of what is on the pad: an image of the data is one draw of its own, as on the canvas."""
        taken, dataset = self._taken, self._dataset
        row = None if taken is None else np.array([taken])
        picture = None if row is None or dataset is None else self._latent.reading.taken(dataset.held_out.images, row)
        if picture is None or row is None or dataset is None:
            # One that cannot be read again is a drawing from here on: its picture is on the pad.
            self._taken = None
            seen = drawing_seen(drawing.picture, self._data_config)
        else:
            seen = seen_by_model(picture, row, data_for(dataset.config, self._config.model))
        found: PixelRow = seen[0]
        return found

    @Slot(PictureResult)
    def _on_picture_encoded(self, result: PictureResult) -> None:
        if result.serial == self._serial:  # an older answer is stale: the pen has moved on
            self._show(result.encoding)

    @Slot(int, PixelScore)
    def _on_picture_scored(self, serial: int, score: PixelScore) -> None:
        if serial == self._serial:
            self._pad.set_score(score)

    def _show(self, encoding: PictureEncoding | None) -> None:
        self._encoding = encoding
        self._pad.set_encoding(encoding)
        if encoding is None:
            self._canvas.clear_drawing_mark()
            return
        self._canvas.set_drawing_mark(encoding.mean, None if encoding.log_var is None else encoding.scale)

    def _on_send_to_canvas(self) -> None:
        if self._encoding is not None:
            self._latent.move_selected_to(self._encoding.mean)


def _some_of(images: Pictures) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the pictures, or some of them where they are many."""
    if len(images) <= _INK_PICTURES:
        return images[:]
    return images[np.linspace(0, len(images) - 1, _INK_PICTURES).astype(np.int64)]

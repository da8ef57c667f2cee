"""Encoding one image by the open model beside the GUI thread, for models that are too slow for it."""

from dataclasses import dataclass

import numpy as np

from core.findings import Finding
from core.inference.pictures import encode_picture, pictures_at
from core.shapes import Code, PixelRow
from core.snapshots import PictureEncoding
from explorer.workers.analysis import Analysis, OpenModel, Steps


@dataclass(frozen=True, slots=True, eq=False)
class EncodedImage(Finding):
    """How the open model encodes and reconstructs an image."""

    pixels: PixelRow
    encoding: PictureEncoding


@dataclass(frozen=True, slots=True, eq=False)
class EncodeAnalysis(Analysis):
    """Encode an image; or first decode a code, whose mean picture then is the image."""

    serial: int
    pixels: PixelRow | None
    code: Code | None = None

    def steps(self, model: OpenModel) -> Steps:
        """Yield the image's encoding."""
        pixels = self.pixels
        if pixels is None and self.code is not None:
            pixels = pixels_of(pictures_at(model.coder, self.code)[0])
        if pixels is not None:
            yield EncodedImage(pixels, encode_picture(model.coder, pixels[None]))


def pixels_of(picture: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> PixelRow:
    """Return a picture 0..255 as pixels in [0, 1]: what can be seen is what is encoded."""
    row: PixelRow = picture.reshape(-1).astype(np.float32) / np.float32(255.0)
    return row

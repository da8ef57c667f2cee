"""Numbers of any kind and range become grey levels 0..255; colours become their luma."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.dataset import DataError
from core.shapes import Picture

_TOLERANCE = 1e-3
_FEW_LEVELS = 32


@dataclass(frozen=True, slots=True)
class GreyRange:
    """Which numbers mean black and white, and what to tell the user of it."""

    black: float
    white: float
    note: str

    def greys(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return the values as grey levels 0..255; what rounding left outside the range is clipped."""
        if values.dtype == np.uint8 and (self.black, self.white) == (0.0, 255.0):
            return values
        wide: np.ndarray[Any, Any] = values.astype(np.float32 if values.dtype.itemsize <= 2 else np.float64)
        scaled = (wide - self.black) * (255.0 / (self.white - self.black))
        greys: np.ndarray[Any, np.dtype[np.uint8]] = np.rint(np.clip(scaled, 0.0, 255.0)).astype(np.uint8)
        return greys


def grey_range(kind: str, low: float, high: float) -> GreyRange:
    """Return what numbers of dtype kind b, u, i or f mean that lie between low and high.

    Raises DataError, its message without a file, for a range that is not that of grey levels.
    """
    floats = kind == "f"
    black, white, note = 0.0, 255.0, ""
    if floats and -1.0 - _TOLERANCE <= low < -_TOLERANCE and high <= 1.0 + _TOLERANCE:
        black, white, note = -1.0, 1.0, "Pixels between −1 and 1: −1 was read as black, 1 as white."
    elif low < -_TOLERANCE or high > (255.5 if floats else 65535):
        whole = "" if floats else ", and 0 to 65,535 for whole numbers"
        raise DataError(f"the pixels lie between {low:g} and {high:g}; allowed are 0 to 1, −1 to 1 and 0 to 255{whole}")
    elif kind == "b":
        white = 1.0
    elif high <= 0.0 and not floats:
        note = "All pixels are black."
    elif high <= 1.0 + _TOLERANCE:
        white, note = 1.0, "Pixels between 0 and 1: 1 was read as white."
    elif high <= _FEW_LEVELS:
        white, note = high, f"Grey levels 0 to {high:g}: {high:g} was read as white."
    elif high > 255.5:
        white, note = 65535.0, "16-bit grey levels: 65,535 was read as white."
    elif floats:
        note = "Pixels between 0 and 255: 255 was read as white."
    return GreyRange(black, white, note)


def luma(colours: np.ndarray[Any, np.dtype[np.uint8]], background: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the grey of (..., 1 | 3 | 4) colours: ITU-R BT.601 luma, as Pillow rounds it; alpha over `background`."""
    channels = colours.shape[-1]
    if channels == 1:
        return colours[..., 0]
    red, green, blue = (colours[..., channel].astype(np.uint32) for channel in range(3))
    grey = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16
    if channels == 4:
        alpha = colours[..., 3].astype(np.uint32)
        grey = (grey * alpha + background * (255 - alpha) + 127) // 255
    return grey.astype(np.uint8)


def transparent_ground(*, invert: bool) -> int:
    """Return the grey behind transparent pixels: the one that is black once `invert` is applied."""
    return 255 if invert else 0


def has_greys(picture: Picture) -> bool:
    """Return whether some pixel of a picture 0..255 is neither black nor white."""
    return bool(((picture > 0) & (picture < 255)).any())

"""One picture file or array becomes a grey picture of its own size, with bounded work."""

import contextlib
import io
import logging
from collections.abc import Iterator
from io import BufferedIOBase
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.dataset import DataError
from core.data.files import MAX_DEFLATE_RATIO
from core.data.greys import GreyRange, grey_range, luma
from core.shapes import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

# No EPS or PDF, which start other programs, and none of Pillow's rarely tried readers.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm")
)

_NOT_FINITE = "some of its pixels are NaN or infinite"

# Without a handler of its own, Pillow's complaints of a damaged file go to the standard error, beside the DataError.
logging.getLogger("PIL").addHandler(logging.NullHandler())

MAX_PIXELS = 80_000_000
MAX_FILE_BYTES = 256 * 1024**2
_MOST_PIXELS_PER_BYTE = 8 * MAX_DEFLATE_RATIO
"""Black and white, and deflated as far as that goes; LZW and JPEG do not reach it."""
# A row or more may take a single bit there; 1 and 2 are the runs of a BMP.
_UNBOUNDED = frozenset({"WEBP", "group3", "group4", "tiff_ccitt", "lzma", "zstd", "webp", "1", "2"})
_BAND_PIXELS = 2**20
"""Pixels that are made grey at a time, so that copies in other modes stay small beside the picture itself."""


def decode_picture(file: BufferedIOBase, *, background: int, longest: int | None = None) -> Picture:
    """Return the grey levels of a picture file, upright, alpha over `background`, the first frame of several.

    A JPEG is decoded at reduced size, still at least `longest` pixels a side, where that is quicker.  Raises DataError,
    its message without the file's name, or whatever Pillow raises on a malformed file.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415  half the time of importing core.data

    try:
        # Pillow asks only to read, seek and tell, whatever its annotation says.
        opened = Image.open(file, formats=FORMATS)  # type: ignore[arg-type]
    except UnidentifiedImageError:
        raise DataError(f"it is damaged or no picture of a kind that is read: {', '.join(FORMATS)}") from None
    with opened as image:
        width, height = image.size
        # Before any pixel is decoded: Pillow's own limit is far above, and a mere warning at first.
        if width * height > MAX_PIXELS:
            raise DataError(f"{width}×{height} pixels are too many; at most {MAX_PIXELS:,} are read")
        if width < 1 or height < 1:
            raise DataError(f"a picture of {width}×{height} pixels is empty")
        _check_length(image, file)
        if longest is not None:
            image.draft("L", (longest, longest))
        image.load()
        # A malformed orientation is no reason to refuse the picture it came with.
        with contextlib.suppress(Exception):
            ImageOps.exif_transpose(image, in_place=True)
        return _grey(image, background)


def _check_length(image: "Image", file: BufferedIOBase) -> None:
    """Refuse a picture of more pixels than the whole file can hold, before Pillow allocates them."""
    if {str(image.format), str(image.info.get("compression", ""))} & _UNBOUNDED:
        return
    at = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(at)
    width, height = image.size
    if width * height > size * _MOST_PIXELS_PER_BYTE:
        raise DataError(f"it is cut short: {size:,} bytes are too few for {width}×{height} pixels")


def _grey(image: "Image", background: int) -> Picture:
    width, height = image.size
    result: Picture = np.empty((height, width), np.uint8)
    greys = _range_of(image) if image.mode == "F" else None
    for top, band in _bands(image):
        result[top : top + band.height] = _grey_band(band, background, greys)
    return result


def _bands(image: "Image") -> Iterator[tuple[int, "Image"]]:
    width, height = image.size
    rows = max(_BAND_PIXELS // width, 1)
    for top in range(0, height, rows):
        yield top, image if rows >= height else image.crop((0, top, width, min(top + rows, height)))


def _range_of(image: "Image") -> GreyRange:
    lows, highs = [], []
    for _, band in _bands(image):
        values = np.asarray(band)
        if not np.isfinite(values).all():
            raise DataError(_NOT_FINITE)
        lows.append(float(values.min()))
        highs.append(float(values.max()))
    return grey_range("f", min(lows), max(highs))


def _grey_band(image: "Image", background: int, greys: GreyRange | None) -> Picture:
    mode = image.mode
    if greys is not None:
        return greys.greys(np.asarray(image))
    if mode in ("1", "L") and "transparency" not in image.info:
        return np.asarray(image if mode == "L" else image.convert("L"))
    if mode.startswith("I"):
        wide = np.clip(np.asarray(image.convert("I")), 0, 65535)
        grey: Picture = ((wide * 255 + 32767) // 65535).astype(np.uint8)
        return grey
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        from PIL import Image  # noqa: PLC0415  as above

        coloured = image.convert("RGBA")
        ground = Image.new("L", image.size, background)
        ground.paste(coloured.convert("L"), mask=coloured.getchannel("A"))
        return np.asarray(ground)
    return np.asarray(image.convert("RGB").convert("L"))


def grey_picture(picture: np.ndarray[Any, Any], *, background: int) -> Picture:
    """Return the grey levels of one array (h, w) or (h, w, 1 | 3 | 4).  Raises DataError, its message without a file.

    uint8 is taken as it is, however dark; other numbers by their range.
    """
    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] not in (1, 3, 4)) or picture.size == 0:
        raise DataError(f"a picture needs the shape (h, w) or (h, w, 1, 3 or 4), not {picture.shape}")
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        raise DataError(f"{picture.shape[1]}×{picture.shape[0]} pixels are too many; at most {MAX_PIXELS:,} are read")
    if picture.dtype.kind not in "buif":
        raise DataError(f"pixels of type {picture.dtype} are not grey levels")
    if not np.isfinite(picture).all():
        raise DataError(_NOT_FINITE)
    if picture.dtype != np.uint8:
        picture = grey_range(picture.dtype.kind, float(picture.min()), float(picture.max())).greys(picture)
    return np.ascontiguousarray(picture if picture.ndim == 2 else luma(picture, background))

"""A foreign picture becomes ink: light strokes on black, 280×280."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QSize, Qt
from PySide6.QtGui import QColor, QImage, QImageReader, QPainter

from core.config import DataConfig
from core.shapes import Picture
from core.snapshots import frozen
from explorer.views.draw_pad.strokes import INK_SIZE

LARGEST_FILE = 64 * 2**20
LARGEST_SIDE = 16_384
_WORKING_SIDE = 1024
_LIGHT = 128
_EMBEDDED_DATA = ("mnist", "shapes")

Grey = np.ndarray[Any, np.dtype[np.uint8]]


class PictureError(ValueError):
    """A file or the clipboard holds no picture that could be drawn; the message says which and why."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageInk:
    """Ink made of an image, and what was done to it, in words for the user."""

    pixels: Picture
    note: str


def ink_from_image(image: QImage, config: DataConfig | None = None) -> ImageInk:
    """Return an image as ink (280, 280).

    A model of imported pictures gets them as its data were imported (`fit`, `invert`).  Otherwise light or grey paper
    is recognised by the image's border and becomes black.  Raises PictureError for an image without pixels.
    """
    if image.isNull():
        raise PictureError("the picture is empty")
    grey = _grey(image)
    if config is not None and config.source not in _EMBEDDED_DATA:
        return _as_imported(grey, config)
    notes = []
    paper = _border_level(grey)
    if paper >= _LIGHT:
        grey, paper = 255 - grey, 255 - paper
        notes.append("Dark on light: inverted.")
    if paper > 0:
        grey = _without_paper(grey, paper)
    return ImageInk(frozen(_fitted(grey, 0)), " ".join(notes))


def _as_imported(grey: Grey, config: DataConfig) -> ImageInk:
    notes = []
    if config.invert:
        grey = 255 - grey
        notes.append("Inverted, as the model's data were.")
    background = _border_level(grey)
    height, width = grey.shape
    if config.fit == "crop" and height != width:
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        grey = grey[top : top + side, left : left + side]
        notes.append("Cropped to its middle square, as the model's data were.")
    return ImageInk(frozen(_fitted(grey, background)), " ".join(notes))


def _border_level(grey: Grey) -> int:
    return int(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))


def enlarged(picture: Picture) -> Picture:
    """Return a picture at model size as ink (280, 280), each of its pixels a block."""
    return frozen(_fitted(picture, 0, smooth=False))


def read_image(path: Path) -> QImage:
    """Return the image in a file.  Raises PictureError naming file and reason."""
    try:
        if not path.is_file():
            raise PictureError(f"{path.name} is not a file")
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise PictureError(f"{path.name} has {size / 2**20:.0f} MB; a picture may have {LARGEST_FILE >> 20}")
        contents = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path.name} cannot be read: {error.strerror}") from None
    data = QByteArray(contents)
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    if not reader.canRead():
        raise PictureError(f"{path.name} is no picture that can be read here")
    declared = reader.size()
    if max(declared.width(), declared.height()) > LARGEST_SIDE:
        raise PictureError(
            f"{path.name} is {declared.width()}×{declared.height()} pixels; at most {LARGEST_SIDE} a side are allowed"
        )
    image = reader.read()
    if image.isNull():
        raise PictureError(f"{path.name} cannot be read: {reader.errorString()}")
    return image


def offered_picture(mime: QMimeData) -> Path | QImage | None:
    """Return the one picture that a drop or the clipboard offers: a file or an image; None for anything else."""
    urls = mime.urls()
    if len(urls) == 1 and urls[0].isLocalFile():
        path = Path(urls[0].toLocalFile())
        known = {bytes(name.data()).decode() for name in QImageReader.supportedImageFormats()}
        return path if path.suffix.lower().removeprefix(".") in known else None
    if mime.hasImage():
        image = mime.imageData()
        return image if isinstance(image, QImage) else None
    return None


def _grey(image: QImage) -> Grey:
    """Return the grey levels, transparency put on whatever paper the opaque pixels stand out from."""
    if max(image.width(), image.height()) > _WORKING_SIDE:
        bounds = QSize(_WORKING_SIDE, _WORKING_SIDE)
        image = image.scaled(bounds, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    if image.hasAlphaChannel():
        pixels = _array(image.convertToFormat(QImage.Format.Format_RGBA8888), 4).astype(np.float32)
        opacity = pixels[..., 3].sum()
        mean = (pixels[..., :3].mean(axis=2) * pixels[..., 3]).sum() / max(opacity, 1.0)
        paper = QImage(image.size(), QImage.Format.Format_RGB32)
        paper.fill(QColor("white") if mean < _LIGHT else QColor("black"))
        painter = QPainter(paper)
        painter.drawImage(0, 0, image)
        painter.end()
        image = paper
    return _array(image.convertToFormat(QImage.Format.Format_Grayscale8), 1)[..., 0].copy()


def _array(image: QImage, channels: int) -> Grey:
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * channels].reshape(image.height(), image.width(), channels).copy()


def _without_paper(grey: Grey, paper: int) -> Grey:
    """Return grey levels stretched so that the paper, and its grain, is black and the strongest stroke white."""
    strongest = float(np.quantile(grey, 0.999))
    floor = paper + 0.2 * max(strongest - paper, 0.0)
    stretched = (grey.astype(np.float32) - floor) * (255.0 / max(strongest - floor, 1.0))
    levels: Grey = np.clip(np.rint(stretched), 0, 255).astype(np.uint8)
    return levels


def _fitted(grey: Grey, background: int, *, smooth: bool = True) -> Grey:
    """Return grey levels scaled to fit into (280, 280), the rest filled with the background."""
    grey = np.ascontiguousarray(grey)
    height, width = grey.shape
    image = QImage(grey.data, width, height, width, QImage.Format.Format_Grayscale8)
    mode = Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
    scaled = image.scaled(INK_SIZE, INK_SIZE, Qt.AspectRatioMode.KeepAspectRatio, mode)
    pixels = _array(scaled.convertToFormat(QImage.Format.Format_Grayscale8), 1)[..., 0]
    fitted = np.full((INK_SIZE, INK_SIZE), background, np.uint8)
    top, left = (INK_SIZE - pixels.shape[0]) // 2, (INK_SIZE - pixels.shape[1]) // 2
    fitted[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return fitted

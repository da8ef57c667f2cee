"""The curves as files: a picture, a drawing, a table.  A file is there whole or not at all."""

import contextlib
import csv
import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator

from explorer.theme import current_palette
from explorer.views.curves.legend import Entry, paint_swatch
from explorer.views.curves.plot import QuantityPlot
from explorer.views.curves.record import CurveRecord

PICTURE_SCALE = 2
_MARGIN = 10
_HEAD = 26


def write_whole(path: Path, data: bytes) -> None:
    """Write a file through a neighbour that takes its place at the end; a failure leaves what was there.

    Raises OSError, which names the file.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_usual_mode(path))
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _usual_mode(path: Path) -> int:
    """Return the mode of the file that is replaced, else what the user's mask leaves of 0666."""
    with contextlib.suppress(OSError):
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def figure_bytes(suffix: str, plots: Sequence[QuantityPlot], entries: Sequence[Entry], note: str) -> bytes:
    """Return the visible plots with their legend as PNG or SVG.  Raises ValueError for another suffix."""
    size = QSize(sum(plot.width() for plot in plots) + 2 * _MARGIN, plots[0].height() + _HEAD + 2 * _MARGIN)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if suffix == ".png":
        image = QImage(size * PICTURE_SCALE, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(PICTURE_SCALE)
        painter = QPainter(image)
        _paint_figure(painter, size, plots, entries, note)
        painter.end()
        QImageWriter(buffer, QByteArray(b"png")).write(image)
    elif suffix == ".svg":
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(size)
        generator.setViewBox(QRect(0, 0, size.width(), size.height()))
        generator.setTitle("Training curves, nats per image")
        painter = QPainter(generator)
        _paint_figure(painter, size, plots, entries, note)
        painter.end()
    else:
        raise ValueError(f"curves are saved as .png or .svg, not {suffix!r}")
    return bytes(buffer.data().data())


def _paint_figure(
    painter: QPainter, size: QSize, plots: Sequence[QuantityPlot], entries: Sequence[Entry], note: str
) -> None:
    colours = current_palette()
    painter.fillRect(QRect(0, 0, size.width(), size.height()), QColor(colours.canvas))
    metrics = painter.fontMetrics()
    x = float(_MARGIN)
    line = QRectF(0, _MARGIN, 0, _HEAD - 6)
    for entry in entries:
        paint_swatch(painter, entry, QPointF(x + 11, line.center().y()))
        painter.setPen(QColor(colours.text))
        line.moveLeft(x + 26)
        line.setWidth(metrics.horizontalAdvance(entry.text) + 4)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, entry.text)
        x = line.right() + 10
    if note:
        painter.setPen(QColor(colours.note))
        rest = QRectF(x, line.top(), size.width() - _MARGIN - x, line.height())
        painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, note)
    left = _MARGIN
    for plot in plots:
        target = QRectF(left, _MARGIN + _HEAD, plot.width(), plot.height())
        if plot.message:
            painter.setPen(QColor(colours.muted_text))
            painter.drawText(target, Qt.AlignmentFlag.AlignCenter, plot.message)
        else:
            plot.widget.render(painter, target, plot.widget.viewport().rect())
        left += plot.width()


def table_text(record: CurveRecord) -> Iterator[str]:
    """Yield the lines of the table: the steps, then the held-out reports, then the notes; no value is an empty cell."""
    dimensions = record.num_dimensions
    header = ["split", "step", "epoch", "num_images", "complete", "elbo", "nll", "kl"]
    header += [f"kl_{dimension + 1}" for dimension in range(dimensions)] + ["note"]
    yield _line(header)
    yield from _step_lines(record, dimensions)
    for report in record.held_out:
        means = report.means
        cells = ["held_out", report.step, repr(report.epoch), report.num_images, int(report.complete)]
        shares = list(means.kl_per_dimension)[:dimensions]
        shares += [float("nan")] * (dimensions - len(shares))
        values = [_cell(means.elbo), _cell(means.nll), _cell(means.kl), *map(_cell, shares)]
        yield _line([*cells, *values, ""])
    for note in record.notes:
        epoch = repr(float(record.epochs.to_epochs(note.step))) if record.epochs.known else ""
        yield _line(["note", note.step, epoch, "", "", "", "", "", *[""] * dimensions, f"{note.kind}: {note.text}"])


def _step_lines(record: CurveRecord, dimensions: int) -> Iterator[str]:
    """Yield a line for each step; a share of the KL that is a mean of several steps stands at the last of them."""
    steps = record.step.values
    epochs = record.epochs.to_epochs(steps)
    elbo = record.series["elbo"].values
    rows = dict(zip(record.kl_step.values.tolist(), range(len(record.kl_step)), strict=False))
    missing = "," * dimensions
    for index, step in enumerate(steps.tolist()):
        epoch = repr(float(epochs[index])) if record.epochs.known else ""
        values = f"{_cell(elbo[index])},{_cell(record.nll.values[index])},{_cell(record.kl.values[index])}"
        row = rows.get(step)
        shares = missing
        if row is not None and record.kl_rows is not None:
            shares = "".join("," + _cell(value) for value in record.kl_rows.values[row].tolist())
        yield f"train,{step},{epoch},,,{values}{shares},\r\n"


def _cell(value: float | None) -> str:
    return "" if value is None or np.isnan(value) else repr(float(value))


def _line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()

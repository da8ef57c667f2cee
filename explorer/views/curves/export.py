"""The curves as files: a picture, a drawing, a table.  A file is there whole or not at all."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator

from explorer.theme import current_palette
from explorer.views.curves.columns import Numbers
from explorer.views.curves.legend import Entry, paint_swatch
from explorer.views.curves.record import CurveRecord

if TYPE_CHECKING:
    from explorer.views.curves.plot import QuantityPlot

PICTURE_SCALE = 2
_MARGIN = 10
_ROW = 22
_SWATCH = 26
_LINES_AT_ONCE = 20_000


def figure_bytes(suffix: str, plots: Sequence["QuantityPlot"], entries: Sequence[Entry], note: str) -> bytes:
    """Return the visible plots with their legend as PNG or SVG.  Raises ValueError for another suffix."""
    width = sum(plot.width() for plot in plots) + 2 * _MARGIN
    head = _legend_places(plots[0].fontMetrics(), entries, note, width)
    top = _MARGIN + _ROW * (head[-1][0].y() + 1)
    size = QSize(width, top + plots[0].height() + _MARGIN)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if suffix == ".png":
        image = QImage(size * PICTURE_SCALE, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(PICTURE_SCALE)
        painter = QPainter(image)
        painter.setFont(plots[0].font())
        _paint_figure(painter, size, plots, head, top)
        painter.end()
        QImageWriter(buffer, QByteArray(b"png")).write(image)
    elif suffix == ".svg":
        # Tiny SVG, the default, knows no clipping: curves would run over their frames.
        generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
        generator.setOutputDevice(buffer)
        generator.setSize(size)
        generator.setViewBox(QRect(0, 0, size.width(), size.height()))
        # The axes are recorded pictures, replayed at the ratio of the resolutions.
        generator.setResolution(plots[0].logicalDpiX())
        generator.setTitle("Training curves, nats per image")
        painter = QPainter(generator)
        painter.setFont(plots[0].font())
        _paint_figure(painter, size, plots, head, top)
        painter.end()
    else:
        raise ValueError(f"curves are saved as .png or .svg, not {suffix!r}")
    return bytes(buffer.data().data())


def _legend_places(
    metrics: QFontMetrics, entries: Sequence[Entry], note: str, width: int
) -> list[tuple[QPoint, Entry | str]]:
    """Return the left edge and the row of each entry, and of the note after them, wrapped like words."""
    places: list[tuple[QPoint, Entry | str]] = []
    x, row = _MARGIN, 0
    items: list[Entry | str] = [*entries, *([note] if note else [])]
    for item in items:
        text = item if isinstance(item, str) else item.text
        needed = metrics.horizontalAdvance(text) + _SWATCH + 14
        if x > _MARGIN and x + needed > width - _MARGIN:
            x, row = _MARGIN, row + 1
        places.append((QPoint(x, row), item))
        x += needed
    return places or [(QPoint(0, 0), "")]


def _paint_figure(
    painter: QPainter,
    size: QSize,
    plots: Sequence["QuantityPlot"],
    head: Sequence[tuple[QPoint, Entry | str]],
    top: int,
) -> None:
    colours = current_palette()
    painter.fillRect(QRect(0, 0, size.width(), size.height()), QColor(colours.canvas))
    for place, item in head:
        line = QRectF(place.x(), _MARGIN + _ROW * place.y(), size.width(), _ROW)
        if isinstance(item, str):
            painter.setPen(QColor(colours.note))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, item)
            continue
        paint_swatch(painter, item, QPointF(line.left() + 11, line.center().y()))
        painter.setPen(QColor(colours.text))
        painter.drawText(line.translated(_SWATCH, 0), Qt.AlignmentFlag.AlignVCenter, item.text)
    left = _MARGIN
    for plot in plots:
        viewport = plot.widget.viewport().rect()
        target = QRectF(left, top, viewport.width(), viewport.height())
        if plot.message:
            painter.setPen(QColor(colours.muted_text))
            painter.drawText(target, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, plot.message)
        else:
            plot.widget.render(painter, target, viewport)
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
    """Yield the lines of the steps; a share of the KL that is a mean of several steps stands at the last of them."""
    steps = record.step.values
    shares = np.searchsorted(record.kl_step.values, steps)
    for start in range(0, len(steps), _LINES_AT_ONCE):
        part = slice(start, start + _LINES_AT_ONCE)
        count = len(steps[part])
        epochs = _cells(record.epochs.to_epochs(steps[part])) if record.epochs.known else [""] * count
        columns = [["train"] * count, list(map(str, steps[part].tolist())), epochs, [""] * count, [""] * count]
        columns += [
            _cells(column[part]) for column in (record.series["elbo"].values, record.nll.values, record.kl.values)
        ]
        columns += _share_columns(record, steps[part], shares[part], dimensions)
        columns.append([""] * count)
        yield "".join(",".join(cells) + "\r\n" for cells in zip(*columns, strict=True))


def _share_columns(record: CurveRecord, steps: Numbers, rows: Numbers, dimensions: int) -> list[list[str]]:
    if record.kl_rows is None:
        return [[""] * len(steps)] * dimensions
    held = np.minimum(rows, max(len(record.kl_step) - 1, 0))
    given = record.kl_step.values[held] == steps if len(record.kl_step) else np.zeros(len(steps), np.bool_)
    table = np.full((len(steps), dimensions), np.nan, np.float32)
    table[given] = record.kl_rows.values[held[given]]
    return [_cells(column) for column in table.T]


def _cells(column: Numbers) -> list[str]:
    return ["" if value != value else repr(value) for value in column.tolist()]  # noqa: PLR0124 - NaN, ten times faster


def _cell(value: float | None) -> str:
    return "" if value is None or np.isnan(value) else repr(float(value))


def _line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()

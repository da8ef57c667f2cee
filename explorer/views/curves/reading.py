"""What the crosshair reads: values on the curves, held-out reports and notes near a place."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF

from explorer.theme import current_palette
from explorer.views.curves.columns import Numbers
from explorer.views.curves.crosshair import Reading, ReadingLine
from explorer.views.curves.options import COMPLETE, RAW, SMOOTHED, SUBSET, CurveOptions
from explorer.views.curves.quantities import KL_PER_DIMENSION, Quantity
from explorer.views.curves.record import CurveRecord
from explorer.views.curves.scales import Scales
from explorer.views.notation import dimension_name

_NEAR_NOTE_PX = 5.0
_MOST_NOTES = 4


def read_at(
    record: CurveRecord,
    options: CurveOptions,
    quantity: Quantity,
    dimensions: tuple[int, ...],
    scales: Scales,
    x: float,
    pixel_of: Callable[[float, float], QPointF],
    *,
    compact: bool = False,
) -> Reading:
    """Return what the curves say at the place `x` of the x axis; `pixel_of` maps places to pixels."""
    step = scales.steps_at(x)
    many = quantity is KL_PER_DIMENSION
    steps = record.kl_step.values if many else record.step.values
    row = nearest_row(steps, step)
    lines: list[ReadingLine] = []
    marks: list[tuple[float, str]] = []
    at = step if row is None else float(steps[row])
    if row is None and len(record.held_step):
        near = nearest_row(record.held_step.values, step)
        at = float(record.held_step.values[near or 0])
    title = f"step {at:,.0f}"
    if record.epochs.known and not compact:
        title += f" · epoch {float(record.epochs.to_epochs(at)):.2f}"
    if many and options.smoothing > 0.0:
        title += " · smoothed"
    if many:
        lines, marks = _per_dimension(record, options, dimensions, row)
    else:
        lines, marks = _single(record, options, quantity, row, step, compact=compact)
    px = pixel_of(float(scales.x_of(at)), 0.0).x()
    placed = [(float(scales.y_of(np.array([value]))[0]), colour) for value, colour in marks if np.isfinite(value)]
    dots = tuple((pixel_of(x, place).y(), colour) for place, colour in placed if np.isfinite(place))
    notes = _notes_near(record, scales, pixel_of, pixel_of(x, 0.0).x())
    return Reading(px, (ReadingLine(title, emphasis=True), *notes, *lines), dots)


def nearest_row(steps: Numbers, step: float) -> int | None:
    """Return the row of the step nearest to `step`; None without steps."""
    if not len(steps):
        return None
    after = min(int(np.searchsorted(steps, np.int64(min(max(step, -1.0), 2.0**62)))), len(steps) - 1)
    before = max(after - 1, 0)
    return before if step - steps[before] <= steps[after] - step else after


def nats(value: float) -> str:
    """Return a value as the reading shows it; a gap is a skipped step."""
    if not np.isfinite(value):
        return "no value"
    size = abs(value)
    shown = f"{value:,.2f}" if 10.0 <= size < 1e6 else f"{value:.3f}" if 1e-2 <= size < 10.0 else f"{value:.3g}"
    return shown.replace("-", "−")


def _single(
    record: CurveRecord, options: CurveOptions, quantity: Quantity, row: int | None, step: float, *, compact: bool
) -> tuple[list[ReadingLine], list[tuple[float, str]]]:
    colours = current_palette()
    series = record.series[quantity.name]
    lines, marks = [], []
    if row is not None and RAW not in options.hidden:
        lines.append(ReadingLine(f"{nats(float(series.values[row]))}  train", colours.train))
    if row is not None and SMOOTHED not in options.hidden:
        smoothed = float(series.smoothed(options.smoothing)[row])
        lines.append(ReadingLine(f"{nats(smoothed)}  {'' if compact else 'train, '}smoothed", colours.train))
        marks.append((smoothed, colours.train))
    values = record.held_values(quantity.name)
    for part, wanted in ((SUBSET, False), (COMPLETE, True)):
        chosen = np.flatnonzero(record.held_complete.values == wanted)
        near = nearest_row(record.held_step.values[chosen], step)
        if near is None or part in options.hidden:
            continue
        report = record.held_out[int(chosen[near])]
        images = f"held-out, {'all ' if wanted else ''}{report.num_images:,} (step {report.step:,})"
        if compact:
            images = part if part == SUBSET else "all held out"
        value = nats(float(values[chosen[near]]))
        lines.append(ReadingLine(f"{value}  {images}", colours.held_out))
    return lines, marks


def _per_dimension(
    record: CurveRecord, options: CurveOptions, dimensions: tuple[int, ...], row: int | None
) -> tuple[list[ReadingLine], list[tuple[float, str]]]:
    colours = current_palette()
    lines, marks = [], []
    for index, dimension in enumerate(dimensions):
        if row is None or f"z{dimension}" in options.hidden:
            continue
        value = float(record.dimension_series(dimension).smoothed(options.smoothing)[row])
        lines.append(ReadingLine(f"{nats(value)}  {dimension_name(dimension)}", colours.label(index)))
        marks.append((value, colours.label(index)))
    return lines, marks


def _notes_near(
    record: CurveRecord, scales: Scales, pixel_of: Callable[[float, float], QPointF], x_px: float
) -> list[ReadingLine]:
    if not record.notes:
        return []
    places = scales.x_of([note.step for note in record.notes])
    origin = pixel_of(0.0, 0.0).x()
    pixels = origin + places * (pixel_of(1.0, 0.0).x() - origin)
    near = [record.notes[row] for row in np.flatnonzero(np.abs(pixels - x_px) <= _NEAR_NOTE_PX)]
    colours = {"start": "muted_text", "setting": "note"}
    palette = current_palette()
    lines = [ReadingLine(note.text, getattr(palette, colours.get(note.kind, "error"))) for note in near[:_MOST_NOTES]]
    if len(near) > _MOST_NOTES:
        lines.append(ReadingLine(f"and {len(near) - _MOST_NOTES} more notes here"))
    return lines

"""The words of the legend, as many as there is room for."""

from explorer.theme import Palette, current_palette
from explorer.views.curves.controls import ALL
from explorer.views.curves.legend import Entry
from explorer.views.curves.options import COMPLETE, RAW, SMOOTHED, SUBSET
from explorer.views.curves.quantities import KL_PER_DIMENSION
from explorer.views.curves.record import CurveRecord
from explorer.views.notation import dimension_name

WORDINGS = ("long", "short", "terse")


def legend_entries(record: CurveRecord, chosen: str, wording: str) -> tuple[Entry, ...]:
    """Return the entries for the quantity (or `all`) that is shown, in one of the WORDINGS."""
    colours = current_palette()
    if chosen == KL_PER_DIMENSION.name:
        return (*_dimensions(record, colours), *_held_out(record, colours, colours.muted_text, wording))
    train = (
        Entry(RAW, "train", "Each training step, the mean over its batch", colours.train, colours.canvas, "noisy"),
        Entry(
            SMOOTHED,
            "train, smoothed" if wording == "long" else "smoothed",
            "The training steps, exponentially smoothed",
            colours.train,
            colours.canvas,
            "line",
        ),
    )
    extra = _dimensions(record, colours) if chosen == ALL else ()
    return (*train, *_held_out(record, colours, colours.held_out, wording), *extra)


def _held_out(record: CurveRecord, colours: Palette, tint: str, wording: str) -> tuple[Entry, ...]:
    counts = {report.complete: report.num_images for report in record.held_out}
    subset = f"held-out, {counts[False]:,}" if False in counts else "held-out, subset"
    complete = f"all {counts[True]:,}" if True in counts else "all"
    if wording == "long":
        complete = f"held-out, {complete}"
    elif wording == "terse":
        subset, complete = "held-out", "all"
    return (
        Entry(
            SUBSET,
            subset,
            "A fixed subset of the held-out images, evaluated during an epoch",
            tint,
            colours.canvas,
            "hollow",
        ),
        Entry(COMPLETE, complete, "All held-out images, evaluated at an epoch's end", tint, colours.canvas, "full"),
    )


def _dimensions(record: CurveRecord, colours: Palette) -> tuple[Entry, ...]:
    if not record.has_kl:
        return ()
    return tuple(
        Entry(
            f"z{dimension}",
            dimension_name(dimension),
            f"KL of latent dimension {dimension + 1}, smoothed",
            colours.label(index),
            colours.canvas,
            "line",
        )
        for index, dimension in enumerate(record.top_dimensions())
    )

"""Which values a plot shows: ranges that outliers do not stretch, and logarithms where they exist."""

from collections.abc import Iterable

import numpy as np

from core.quantiles import quantiles
from explorer.views.curves.columns import Numbers
from explorer.views.curves.smoothing import LARGEST_NATS

_FAR_OUT = 3.0
_MARGIN = 0.06
_FEW = 4


def logarithm(values: Numbers) -> Numbers:
    """Return log10 of the values; NaN, a gap, where there is none."""
    positive = values > 0.0
    return np.where(positive, np.log10(np.where(positive, values, 1.0)), np.nan)


def usual_range(values: Numbers, *, without_outliers: bool) -> tuple[float, float] | None:
    """Return the least and the largest value, without what lies far out; None where nothing is finite.

    Far out is more than three interquartile ranges beyond the quartiles (Tukey 1977).
    """
    usable = values[np.abs(values) < LARGEST_NATS]
    if not len(usable):
        return None
    low, high = float(usable.min()), float(usable.max())
    if without_outliers and len(usable) >= _FEW:
        quartiles = quantiles(usable, (0.05, 0.25, 0.75, 0.95)).tolist()
        reach = _FAR_OUT * (quartiles[2] - quartiles[1])
        if reach > 0.0:
            low, high = max(low, quartiles[1] - reach), min(high, quartiles[2] + reach)
        else:
            # More than half of the values are the same: their neighbours decide.
            low, high = quartiles[0], quartiles[3]
    return low, high


def common_range(ranges: Iterable[tuple[float, float] | None], smallest: float = 1e-9) -> tuple[float, float] | None:
    """Return a range that holds all of `ranges`, with a margin; None where there is nothing to show."""
    known = [each for each in ranges if each is not None]
    if not known:
        return None
    low, high = min(each[0] for each in known), max(each[1] for each in known)
    span = high - low
    if span < max(smallest, 1e-6 * max(abs(low), abs(high))):
        span = max(smallest, 0.1 * max(abs(low), abs(high)), 1e-3)
        return low - span / 2, high + span / 2
    return low - _MARGIN * span, high + _MARGIN * span


def steady(shown: tuple[float, float], wanted: tuple[float, float], share: float) -> tuple[float, float]:
    """Return the range shown while neither end of the wanted one is off by more than a share of it.

    An axis that does not move at every step is calmer to read, and its ticks need no new painting.
    """
    leeway = share * (wanted[1] - wanted[0])
    near = all(abs(there - here) <= leeway for there, here in zip(shown, wanted, strict=True))
    return shown if near else wanted

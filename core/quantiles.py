"""Quantiles as numpy has them, without what numpy imports for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Values = np.ndarray[Any, Any]


def quantiles(values: Values, shares: Sequence[float]) -> Values:
    """Return below what so large shares of the rows lie, interpolated: shape (shares, ...), of the values' own type.

    Where there is a NaN among them, NaN.  Raises ValueError without any row.  `np.quantile` and `np.median` are the
    same, but import numpy.ma when they are first called, and a hand would wait 20 ms longer for its first digit.
    """
    last = len(values) - 1
    if last < 0:
        raise ValueError("of no values there are no quantiles")
    places = last * np.asarray(shares, np.float64)
    below = np.floor(places).astype(np.intp)
    above = np.minimum(below + 1, last)
    ordered = np.partition(values, np.concatenate((below, above, [last])), axis=0)
    part = (places - below).reshape(-1, *(1,) * (values.ndim - 1))
    low, high = ordered[below].astype(np.float64), ordered[above].astype(np.float64)
    with np.errstate(invalid="ignore"):
        # From the nearer side, as numpy does it; between two infinities of one sign lies that infinity.
        between = np.where(part < 0.5, low + part * (high - low), high - (1.0 - part) * (high - low))
    result = np.where((low == high) | (part == 0.0), low, between)
    result[:, np.isnan(ordered[last])] = np.nan
    return result.astype(np.result_type(values.dtype, np.float16), copy=False)

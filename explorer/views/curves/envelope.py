"""Extremes of a growing curve at falling resolutions, so that a million points are drawn by a few thousand."""

import numpy as np

from explorer.views.curves.columns import Column, Numbers

_FIRST_BLOCK = 4
_FACTOR = 4


class Envelope:
    """Minima and maxima over aligned blocks of 4, 16, 64, ... points; each point is looked at about once."""

    def __init__(self) -> None:
        self._levels: list[tuple[Column, Column]] = []

    def extend(self, values: Numbers) -> None:
        """Take in what `values`, the whole curve, has more than at the last call."""
        low, high, ratio = values, values, _FIRST_BLOCK
        for depth in range(64):
            if depth == len(self._levels):
                if len(low) < ratio:
                    return
                self._levels.append((Column(), Column()))
            lows, highs = self._levels[depth]
            done, whole = len(lows), len(low) // ratio
            if done == whole:
                return
            part = slice(done * ratio, whole * ratio)
            # fmin and fmax pass over NaN; a block of nothing but NaN stays NaN, which is a gap in the curve.
            lows.append(_over_blocks(np.fmin, low[part].reshape(-1, ratio)))
            highs.append(_over_blocks(np.fmax, high[part].reshape(-1, ratio)))
            low, high, ratio = lows.values, highs.values, _FACTOR

    def drawn(self, values: Numbers, start: int, stop: int, most: int) -> tuple[Numbers, Numbers]:
        """Return row numbers and values that draw `values[start:stop]` with about `most` points at the most.

        Short stretches come back as they are; long ones as alternating minimum and maximum of each block.
        """
        if stop - start <= most or not self._levels:
            return np.arange(start, stop), values[start:stop]
        depth, block = 0, _FIRST_BLOCK
        while depth + 1 < len(self._levels) and 2 * (stop - start) > block * most:
            depth, block = depth + 1, block * _FACTOR
        lows, highs = self._levels[depth]
        first, last = start // block, min(stop // block, len(lows))
        tail = values[last * block : stop]
        blocks = last - first
        pairs = blocks + (len(tail) > 0)
        rows = np.empty(2 * pairs, np.int64)
        drawn = np.empty(2 * pairs)
        rows[0::2] = np.arange(first, first + pairs) * block
        rows[1::2] = rows[0::2] + block // 2
        drawn[0 : 2 * blocks : 2] = lows.values[first:last]
        drawn[1 : 2 * blocks : 2] = highs.values[first:last]
        if len(tail):
            drawn[-2], drawn[-1] = np.fmin.reduce(tail), np.fmax.reduce(tail)
            rows[-1] = stop - 1
        return rows, drawn


def _over_blocks(extreme: np.ufunc, blocks: Numbers) -> Numbers:
    """Return the extreme of each row; `reduce` along so short an axis takes fifteen times as long."""
    result = blocks[:, 0]
    for column in range(1, blocks.shape[1]):
        result = extreme(result, blocks[:, column])
    return result

"""Random draws that depend on a seed and an index alone, and stay the same in every version of numpy."""

from typing import Any

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)

HELD_OUT_STREAM = 1
BINARISATION_STREAM = 2
SHAPES_STREAM = 3


def random_bits(
    seed: int, stream: int, indices: np.ndarray[Any, Any], count: int
) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return (len(indices), count) independent 64-bit words.

    SplitMix64 (Steele, Lea & Flood 2014), started for each index from a mix of seed, stream and index.
    """
    start = _mixed(np.array([seed], np.uint64) * _GAMMA + np.array([stream], np.uint64))
    keys = _mixed(start + (indices.astype(np.uint64) + np.uint64(1)) * _GAMMA)
    counter = np.arange(1, count + 1, dtype=np.uint64) * _GAMMA
    return _mixed(keys[:, None] + counter[None, :])


def uniforms(
    seed: int, stream: int, indices: np.ndarray[Any, Any], count: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return (len(indices), count) independent numbers, uniform in [0, 1)."""
    return (random_bits(seed, stream, indices, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(words: np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    # In place: the arrays are the largest of a program start, and a copy for each step would double their time.
    words ^= words >> np.uint64(30)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words

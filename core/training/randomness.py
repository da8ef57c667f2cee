"""Random streams that depend on the seed and a counter alone.

A step's randomness does not depend on what ran before it: chunks, pauses, evaluations and a stop in between leave no
trace, and a continued run draws what an unbroken one would have drawn.
"""

from enum import IntEnum

import torch

_MASK = (1 << 64) - 1


class Stream(IntEnum):
    """What the random numbers are for."""

    WEIGHTS = 1
    ORDER = 2
    STEP = 3
    HELD_OUT = 4


def stream_seed(seed: int, stream: Stream, counter: int = 0) -> int:
    """Return a 64-bit seed, well mixed (SplitMix64; Steele et al. 2014) of the three numbers."""
    state = 0
    for number in (seed, int(stream), counter):
        state = (state ^ number) + 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def reseed(generator: torch.Generator, seed: int, stream: Stream, counter: int = 0) -> torch.Generator:
    """Return the generator, set to the beginning of a stream."""
    return generator.manual_seed(stream_seed(seed, stream, counter))


def epoch_order(seed: int, epoch: int, num_images: int) -> torch.Tensor:
    """Return the permutation of the images in one epoch, int64, the same on every device."""
    return torch.randperm(num_images, generator=reseed(torch.Generator(), seed, Stream.ORDER, epoch))

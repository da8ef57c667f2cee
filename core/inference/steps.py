"""Work that is done piece by piece: a generator that yields the share done, 0..1, and returns what it found."""

from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")


def completed(steps: Generator[float, None, T], progress: Callable[[float], None] | None = None) -> T:
    """Return what some work finds, pulled to its end; `progress` is told the share done."""
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        if progress is not None:
            progress(share)


def within(steps: Generator[float, None, T], begin: float, end: float) -> Generator[float, None, T]:
    """Yield the shares of a part of some work as those of the whole, from `begin` to `end`; return what it finds."""
    while True:
        try:
            share = next(steps)
        except StopIteration as stop:
            result: T = stop.value
            return result
        yield begin + (end - begin) * share

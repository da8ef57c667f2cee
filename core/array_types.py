"""jaxtyping's types of arrays, where something executes them.

Tests do, and import jaxtyping first.  In the program annotations are for its readers: there each of these types is the
bare array, and jaxtyping, which brings asyncio and unittest.mock with it for 60 ms of a start, is not imported.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Float, Float32, Float64, Int64, UInt8
else:

    class _Bare:
        """`_Bare[np.ndarray, "rows columns"]` is `np.ndarray`."""

        def __class_getitem__(cls, array_and_shape: tuple[type, str]) -> type:
            return array_and_shape[0]

    Float = Float32 = Float64 = Int64 = UInt8 = _Bare

__all__ = ["Float", "Float32", "Float64", "Int64", "UInt8"]

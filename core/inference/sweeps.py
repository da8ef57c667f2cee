"""Pictures along lines and grids of codes."""

import numpy as np

from core.inference.coders import Coder
from core.inference.pictures import pictures_of
from core.shapes import Code, PictureStack
from core.snapshots import Mosaic, frozen


def mosaic(
    coder: Coder,
    low: tuple[float, float],
    high: tuple[float, float],
    axes: tuple[int, int],
    base_code: Code,
    *,
    columns: int,
    rows: int,
) -> Mosaic:
    """Return pictures decoded at the centres of a grid of tiles, the largest value of the second axis at the top.

    Tile (row, column) from the top left shows `base_code` with its entries on the two axes replaced by the tile's
    centre in the rectangle from `low` to `high`.  A model of one latent dimension has one axis: the second of `axes`
    is ignored, and every row of tiles is the same.  Raises ValueError.
    """
    config = coder.config
    if columns < 1 or rows < 1:
        raise ValueError(f"a mosaic needs at least one column and one row, not {columns}×{rows}")
    used = axes[: min(2, config.latent_dim)]
    if not all(0 <= axis < config.latent_dim for axis in used) or len(set(used)) != len(used):
        raise ValueError(f"axes must be two of the {config.latent_dim} latent dimensions, not {axes}")
    along = [_centres(low[0], high[0], columns), _centres(low[1], high[1], rows)[::-1]]
    codes = np.tile(np.asarray(base_code, np.float32), (rows, columns, 1))
    for axis, centres in zip(used, np.meshgrid(*along), strict=False):
        codes[:, :, axis] = centres
    tiles = pictures_of(coder.decode(codes.reshape(rows * columns, config.latent_dim)), config)
    height, width = config.image_height, config.image_width
    picture = tiles.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    return Mosaic(frozen(picture), low, high, axes, coder.version)


def filmstrip(coder: Coder, code: Code, dimension: int, low: float, high: float, *, count: int) -> PictureStack:
    """Return `count` pictures, 0..255, decoded along one dimension of `code` from `low` to `high`, both included.

    Raises ValueError.
    """
    config = coder.config
    if not 0 <= dimension < config.latent_dim:
        raise ValueError(f"dimension must lie in 0 to {config.latent_dim - 1}, not {dimension}")
    if count < 1:
        raise ValueError(f"a filmstrip needs at least one picture, not {count}")
    codes = np.tile(np.asarray(code, np.float32), (count, 1))
    codes[:, dimension] = np.linspace(low, high, count)
    return pictures_of(coder.decode(codes), config)


def _centres(low: float, high: float, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    centres: np.ndarray[tuple[int], np.dtype[np.float64]] = low + (high - low) * (np.arange(count) + 0.5) / count
    return centres

"""What the latent views should show, as pure functions of what is open."""

import numpy as np

from core.config import ModelConfig
from core.quantiles import quantiles
from core.shapes import Code
from core.snapshots import Codes, LatentStatistics
from explorer.messages import Extent, MosaicRequest, SliderSpec
from explorer.session.shown_data import SPLIT_NAMES

NO_CODES_NOTE = "no images to show: none are open that fit the model"
_MOSAIC_TILES = 18
_MOST_LOOKED_AT = 60_000
# Half the range of a slider whose codes say nothing: three standard deviations of the prior.
_PRIOR_REACH = 3.0
_COLLAPSED_RANGE = 1e-3


def slider_specs(
    config: ModelConfig, statistics: LatentStatistics | None, order: tuple[int, ...]
) -> tuple[SliderSpec, ...]:
    """Return one slider a dimension in `order` (empty: as numbered), ranged by the quantiles of the codes."""
    return tuple(_slider_spec(config, statistics, dimension) for dimension in order or range(config.latent_dim))


def _slider_spec(config: ModelConfig, statistics: LatentStatistics | None, dimension: int) -> SliderSpec:
    if statistics is None:
        return SliderSpec(dimension, -_PRIOR_REACH, _PRIOR_REACH, 0.0, 0.0, config.has_prior, active=True)
    low, high = float(statistics.low[dimension]), float(statistics.high[dimension])
    centre = 0.0 if config.has_prior else float(statistics.median[dimension])
    if high - low < _COLLAPSED_RANGE:
        # A collapsed dimension's codes are one point; what its decoder does is still worth a look.
        low, high = centre - _PRIOR_REACH, centre + _PRIOR_REACH
    weight = statistics.spread if statistics.kl is None else statistics.kl
    has_kl = statistics.kl is not None
    return SliderSpec(dimension, low, high, centre, float(weight[dimension]), has_kl, statistics.active[dimension])


def centre_of(specs: tuple[SliderSpec, ...]) -> Code:
    """Return the code in the middle of all sliders."""
    centre = np.zeros(len(specs), np.float32)
    for spec in specs:
        centre[spec.dimension] = spec.centre
    return centre


def mosaic_request(extent: Extent, config: ModelConfig, axes: tuple[int, int], base_code: Code) -> MosaicRequest | None:
    """Return the tiles that cover the extent; None when it is too small or too large to divide."""
    step = extent.width / _MOSAIC_TILES
    if not np.isfinite(step) or step <= 0:
        return None
    # Tiles stand on a lattice through the origin, so that panning does not make the pictures swim.
    left, columns = _lattice(extent.left, extent.right, step)
    bottom, rows = (-step / 2, 1) if config.latent_dim == 1 else _lattice(extent.bottom, extent.top, step)
    high = (left + columns * step, bottom + rows * step)
    return MosaicRequest((left, bottom), high, axes, base_code, columns, rows)


def _lattice(low: float, high: float, step: float) -> tuple[float, int]:
    """Return the start and the number of tiles of size `step`, centred on multiples of it, that cover [low, high]."""
    first = np.floor(low / step + 0.5)
    last = np.floor(high / step + 0.5)
    return float((first - 0.5) * step), int(last - first) + 1


def codes_note(codes: Codes) -> str:
    """Return how many of which images the canvas shows."""
    count = f"{len(codes):,} of {codes.total:,}" if len(codes) < codes.total else f"all {codes.total:,}"
    return f"{count} {SPLIT_NAMES[codes.split]} images"


def thick_of(codes: Codes) -> Code:
    """Return the code nearest to the median code: amid the data, so that it decodes to something."""
    # Of millions some are enough, and the window waits for it.
    mean = codes.mean[:: -(-len(codes) // _MOST_LOOKED_AT)]
    middle = quantiles(mean, (0.5,))[0]
    nearest: Code = mean[int(np.argmin(((mean - middle) ** 2).sum(axis=1)))]
    return nearest

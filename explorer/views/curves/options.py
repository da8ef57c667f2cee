"""How the curves are drawn: what the panel's controls say."""

from dataclasses import dataclass

RAW, SMOOTHED, SUBSET, COMPLETE = "train", "smoothed", "subset", "complete"
"""The parts of a curve, each with an entry of its own in the legend."""


@dataclass(frozen=True, slots=True)
class CurveOptions:
    """The axes, the smoothing and what is hidden."""

    in_epochs: bool = False
    log_x: bool = False
    log_y: bool = False
    smoothing: float = 0.937
    without_outliers: bool = True
    hidden: frozenset[str] = frozenset()
    """Names of legend entries that are switched off: `train`, `smoothed`, `subset`, `complete`, or `z0`, `z1`, ..."""

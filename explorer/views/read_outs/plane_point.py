"""One model on the plane of rate and distortion."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanePoint:
    """What a model costs: nats to tell the code, and nats that the decoder still needs."""

    name: str
    rate: float
    distortion: float
    key: tuple[str, ...]
    """What must be the same of two models for their nats to be compared."""

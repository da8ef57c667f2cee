"""The range of a slider: a latent value as a position along it and back, and the sweep through it."""

import math
from dataclasses import dataclass

from explorer.messages import SliderSpec

_NARROWEST = 1e-6
SWEEP_SECONDS = 4.0
"""A sweep from low to high and back to low."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `low` to `high`, in latent units; never empty."""

    low: float
    high: float

    @classmethod
    def of(cls, spec: SliderSpec) -> "Span":
        """Return a slider's range; one around its centre where all codes are the same.  Raises ValueError."""
        for name in ("low", "high", "centre", "weight"):
            value = getattr(spec, name)
            if not math.isfinite(value):
                raise ValueError(f"{name} of the slider of dimension {spec.dimension} must be finite, not {value}")
        if spec.high - spec.low < _NARROWEST:
            return cls(spec.centre - 1.0, spec.centre + 1.0)
        return cls(spec.low, spec.high)

    def fraction_of(self, value: float) -> float:
        """Return where a value stands along the range: 0 at `low`, 1 at `high`, beyond it outside."""
        return (value - self.low) / (self.high - self.low)

    def value_at(self, fraction: float) -> float:
        """Return the value at a fraction of the range; the inverse of `fraction_of`."""
        return self.low + fraction * (self.high - self.low)

    def holds(self, value: float) -> bool:
        """Whether a value lies in the range."""
        return self.low <= value <= self.high

    def phase_of(self, value: float) -> float:
        """Return the phase in [0, 1/2] at which a rising sweep passes a value, or the nearer end of the range."""
        return math.acos(1.0 - 2.0 * min(max(self.fraction_of(value), 0.0), 1.0)) / (2.0 * math.pi)

    def sweep(self, phase: float) -> float:
        """Return the value at a phase of the sweep: low at 0, high at 1/2, low again at 1, without a jerk."""
        return self.value_at(0.5 - 0.5 * math.cos(2.0 * math.pi * phase))

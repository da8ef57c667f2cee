"""Where nats lie on the bars: log p(x) stands still while everything else moves against it."""

import math
from dataclasses import dataclass

from core.findings.ledger import Ledger
from explorer.views.canvas.scales import nice_step

ANCHOR = 0.5
"""Share of the width at which log p(x) stands."""
LEAST_BAR_PX = 54.0
RIGHT_MARGIN_PX = 12.0
TICK_SPACING_PX = 56.0
MOST_PX_A_NAT = 200.0
"""Closer up, the digits below say more than the bars."""
# A scale is kept while what is shown fits and fills this share of the room: bars then grow and shrink, not the axis.
_FILLED = 0.3


@dataclass(frozen=True, slots=True)
class BarScale:
    """Pixels of nats."""

    anchor_px: float
    anchor_nats: float
    pixels_per_nat: float

    def x(self, nats: float) -> float:
        """Return the pixel at which so many nats lie; larger is further right."""
        return self.anchor_px + (nats - self.anchor_nats) * self.pixels_per_nat

    def ticks(self, width: float) -> tuple[tuple[float, str], ...]:
        """Return pixels and texts of round numbers of nats between the edges."""
        step = nice_step(TICK_SPACING_PX / self.pixels_per_nat)
        low = self.anchor_nats - self.anchor_px / self.pixels_per_nat
        high = low + width / self.pixels_per_nat
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(low / step), math.floor(high / step)
        return tuple((self.x(k * step), f"{k * step:.{decimals}f}".replace("-", "−")) for k in range(first, last + 1))


def bar_scale(ledger: Ledger, width: float, before: BarScale | None = None) -> BarScale | None:
    """Return the scale for a ledger; that of the bars before, moved along, while it still serves."""
    if ledger.log_px is None or not math.isfinite(ledger.log_px):
        return None
    anchor = ANCHOR * width
    others = [value for value in (ledger.elbo, ledger.expected_log_likelihood) if value is not None]
    apart = [value - ledger.log_px for value in others if math.isfinite(value)]
    below, above = max(0.0, -min(apart, default=0.0)), max(0.0, *apart, 0.0)
    room_below, room_above = max(anchor - LEAST_BAR_PX, 1.0), max(width - anchor - RIGHT_MARGIN_PX, 1.0)
    # The share of its room that the more crowded side would fill at one pixel a nat.
    crowded = max(below / room_below, above / room_above, 1.0 / MOST_PX_A_NAT)
    largest = 1.0 / crowded
    if before is not None and _FILLED * largest <= before.pixels_per_nat <= largest:
        return BarScale(anchor, ledger.log_px, before.pixels_per_nat)
    return BarScale(anchor, ledger.log_px, 1.0 / nice_step(crowded))

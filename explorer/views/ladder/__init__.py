"""The ladder of bounds: ELBO with L samples, IWAE-k and log p(x) on one plot."""

from explorer.views.ladder.panel import LadderPanel

__all__ = ["LadderPanel"]

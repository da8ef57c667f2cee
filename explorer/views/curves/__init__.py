"""Live training curves."""

from explorer.views.curves.panel import CurvesPanel

__all__ = ["CurvesPanel"]

"""Approximation and amortisation gaps over held-out images, and the images they are worst for."""

from explorer.views.gaps.gallery import COLUMNS, ROWS, Worst
from explorer.views.gaps.panel import GapsPanel

__all__ = ["COLUMNS", "ROWS", "GapsPanel", "Worst"]

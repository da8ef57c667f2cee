"""Two models side by side: one cursor, one drawing, two canvases.

The panel alone is of the window's start; the rest is imported when two models are first compared.
"""

from explorer.views.compare.panel import ComparePanel

__all__ = ["ComparePanel"]

"""Two models side by side: one cursor, one drawing, two canvases."""

from explorer.views.compare.panel import ComparePanel
from explorer.views.compare.pictures import ComparedImage, ModelView

__all__ = ["ComparePanel", "ComparedImage", "ModelView"]

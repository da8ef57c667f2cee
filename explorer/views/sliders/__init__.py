"""Sliders: one for each latent dimension."""

from explorer.views.sliders.panel import SlidersPanel

__all__ = ["SlidersPanel"]

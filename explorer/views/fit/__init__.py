"""Variational inference by hand: fit q to one image, and the reparameterisation it stands on."""

from explorer.views.fit.inference_page import Known
from explorer.views.fit.panel import FitPanel

__all__ = ["FitPanel", "Known"]

"""The latent canvas: codes, mosaic, prior and handles, painted by the program itself."""

from explorer.views.canvas.canvas import LatentCanvas

__all__ = ["LatentCanvas"]

"""The view of an autoregressive model, where others have the latent canvas: a picture drawn pixel by pixel."""

from explorer.views.sampling.controls import StartOfSample
from explorer.views.sampling.view import SamplingView

__all__ = ["SamplingView", "StartOfSample"]

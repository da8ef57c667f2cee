"""Shapes of numpy arrays, named once; tests execute them (jaxtyping, beartype).  Free of torch."""

import numpy as np

from core.array_types import Float32, Int64, UInt8

PictureStack = UInt8[np.ndarray, "num_images height width"]
Picture = UInt8[np.ndarray, "height width"]
Pixels = Float32[np.ndarray, "batch pixels"]
CodeArray = Float32[np.ndarray, "batch latent_dim"]
Code = Float32[np.ndarray, "latent_dim"]
Scale = Float32[np.ndarray, "latent_dim latent_dim"]
PerDimension = Float32[np.ndarray, "latent_dim"]
PerImage = Float32[np.ndarray, "batch"]
Labels = Int64[np.ndarray, "num_images"]
PixelRow = Float32[np.ndarray, "pixels"]
"""Pixels of one picture, in [0, 1]."""
Density = Float32[np.ndarray, "rows columns"]
"""A density over a plane of codes, first row at the top; over a line, its single row."""

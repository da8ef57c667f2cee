"""Images kept on the training device as bytes, and how a batch of them becomes the x of a step."""

import ctypes
from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from core.available_memory import memory_to_plan_with
from core.config import DataConfig
from core.data.binarisation import seen_by_model
from core.data.dataset import ProgressCallback
from core.stored_pictures import Pictures
from core.tensors import Images

RESIDENT_SHARE: Final = 0.5
"""Of a device's free memory: the images of one half of a data set lie on it where they take no more."""

PIECE: Final = 4096
"""Images that are made ready at once."""
_PIXELS_PER_DRAW = 4
_LEAST_INT64 = -(2**63)


def fits_on(device: torch.device, num_bytes: int) -> bool:
    """Return whether so many bytes of images leave the device enough memory for all else."""
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else memory_to_plan_with()
    return num_bytes <= RESIDENT_SHARE * free


def fill_as_seen(
    target: UInt8[Tensor, "n pixels"], images: Pictures, indices: Int64[np.ndarray, "n"], config: DataConfig
) -> None:
    """Write what the model sees of the images at these indices, grey levels 0..255, into the rows of `target`."""
    for start in range(0, len(indices), PIECE):
        piece = indices[start : start + PIECE]
        target[start : start + len(piece)].copy_(torch.from_numpy(_as_seen(images, piece, config)))


def greys_of(images: Pictures, indices: Int64[np.ndarray, "n"], config: DataConfig) -> UInt8[np.ndarray, "n pixels"]:
    """Return the bytes that the x of a step is made of, of the images at these indices: at most `PIECE` of them."""
    if _seen_as_stored(config):
        return images[indices].reshape(len(indices), -1)
    return _as_seen(images, indices, config)


def _as_seen(images: Pictures, indices: Int64[np.ndarray, "n"], config: DataConfig) -> UInt8[np.ndarray, "n pixels"]:
    return np.rint(seen_by_model(images[indices], indices, config) * 255.0).astype(np.uint8)


def _seen_as_stored(config: DataConfig) -> bool:
    """Whether the bytes that the x of a step is made of are the images' own."""
    return config.binarisation == "dynamic" or (config.binarisation == "none" and config.num_levels == 256)


def _only_read(pixels: UInt8[np.ndarray, "n pixels"]) -> UInt8[Tensor, "n pixels"]:
    """Return the array itself as a tensor that must not be written to: 47 MB of MNIST are not there twice.

    torch warns of read-only arrays, which data sets are; of one whose memory is named by its address it does not know.
    """
    whole = np.ascontiguousarray(pixels)
    memory = (ctypes.c_uint8 * whole.size).from_address(whole.ctypes.data)
    # What is made of the address does not keep the array alive; what is made of it does keep `memory`.
    memory.array = whole  # type: ignore[attr-defined]
    return torch.from_numpy(np.frombuffer(memoryview(memory), np.uint8).reshape(whole.shape))


class ResidentImages:
    """All training images on the device, one byte a pixel."""

    place = "resident"
    """As the run's plan says it."""

    def __init__(
        self, images: Pictures, config: DataConfig, device: torch.device, progress: ProgressCallback | None = None
    ) -> None:
        self.dynamic = config.binarisation == "dynamic"
        self.indices_on = device
        """Where the indices of planned steps are to be."""
        if _seen_as_stored(config) and isinstance(images, np.ndarray):
            self._bytes = _only_read(images.reshape(len(images), -1)).to(device)
        else:
            self._bytes = torch.empty((len(images), images[0].size), dtype=torch.uint8, device=device)
            for start in range(0, len(images), PIECE):
                piece = np.arange(start, min(start + PIECE, len(images)), dtype=np.int64)
                self._bytes[start : start + len(piece)].copy_(torch.from_numpy(greys_of(images, piece, config)))
                if progress is not None:
                    progress((start + len(piece)) / len(images), "reading the training images")

    def __len__(self) -> int:
        return len(self._bytes)

    def batch(self, indices: Int64[Tensor, "batch"], generator: torch.Generator) -> Images:
        """Return the x of these images: a new draw of each pixel if the binarisation is dynamic."""
        # A sixteenth of what indexing with [] takes.
        grey = self._bytes.index_select(0, indices)
        if not self.dynamic:
            return torch.div(grey, 255.0)
        if grey.device.type == "cuda":
            return torch.bernoulli(torch.div(grey, 255.0), generator=generator)
        # P(pixel = 1) is 257 g / 65,536, which is g / 255 to 1.5e-5.  Sixteen bits a pixel, four pixels a draw, take a
        # third of the time of as many floats.
        draws = torch.empty(-(-grey.numel() // _PIXELS_PER_DRAW), dtype=torch.int64, device=grey.device)
        # A copy, and not a view, for which TorchScript has no word.
        bits = torch.view_copy(draws.random_(_LEAST_INT64, None, generator=generator), torch.int16)[: grey.numel()]
        # Black is below no draw; white is above all but the largest, which is therefore taken for the next.
        level = grey.to(torch.int16).mul_(257).sub_(32_768)
        return bits.clamp_(max=32_766).view(grey.shape).lt(level).float()

    def mean_picture(self, progress: ProgressCallback | None = None) -> Float[Tensor, "1 pixels"]:
        """Return the images' mean, in [0, 1], for which all are read.  Raises whatever `progress` raises."""
        total, done = torch.zeros(self._bytes.shape[1], dtype=torch.float64, device=self._bytes.device), 0
        # Whole numbers below 2^53: their sum is the same whatever the pieces are.
        for piece in self._pieces():
            total += piece.sum(dim=0, dtype=torch.int64)
            done += len(piece)
            if progress is not None:
                progress(done / len(self), "reading the training images for their mean")
        return (total / (255.0 * len(self))).float().unsqueeze(0)

    def _pieces(self) -> Iterator[UInt8[Tensor, "n pixels"]]:
        return iter(torch.split(self._bytes, PIECE))

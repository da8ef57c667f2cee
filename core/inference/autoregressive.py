"""An autoregressive model (MADE) in numpy: its exact log p(x), its conditionals, and samples pixel by pixel."""

from itertools import pairwise
from typing import Any

import numpy as np

from core.array_types import Float32
from core.config import ModelConfig
from core.findings.pixel_sampling import NextPixel, PartialSample
from core.inference.array_likelihoods import ARRAY_LIKELIHOODS, ArrayLikelihood, Parameters
from core.inference.network_coder import PIECE_FLOATS, Outputs, check_shapes, shared_log_var, with_shared_log_var
from core.inference.numpy_coder import ARRAY_ACTIVATIONS
from core.inference.pictures import pictures_of
from core.models.layout import made_degrees, made_widths, outputs_per_pixel, parameters_per_pixel
from core.shapes import PerImage, PixelRow, Pixels
from core.snapshots import Weights, frozen

Order = np.ndarray[Any, np.dtype[np.int64]]
Row = Float32[np.ndarray, "_"]
Rows = Float32[np.ndarray, "batch _"]


class AutoregressiveCoder:
    """Frozen masked layers of one version of a model: p(x) = Π p(x_i | x_<i).  Any thread may call it.

    Raises ValueError for weights that do not fit the configuration, or a model of another kind.
    """

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        if config.has_codes:
            raise ValueError(f"a {config.model} model has codes: it is no autoregressive one")
        check_shapes(config, weights)
        self.config = config
        self.version = weights.version
        self.likelihood: ArrayLikelihood = ARRAY_LIKELIHOODS[config.likelihood](config)
        self.layers = SortedLayers(config, weights)
        self._log_var = shared_log_var(config, weights)
        self._rows = max(1, PIECE_FLOATS // max(made_widths(config)))

    @property
    def ordering(self) -> Order:
        """Index of each pixel, in the order in which the model takes them."""
        return self.layers.ordering

    def parameters(self, pixels: Pixels) -> Parameters:
        """Return what describes p(x_i | x_<i) of every pixel i, in the picture's own order."""
        pieces = [self._parameters(pixels[start : start + self._rows]) for start in range(0, len(pixels), self._rows)]
        return np.concatenate(pieces) if pieces else self._parameters(pixels)

    def conditionals(self, pixels: Pixels) -> Pixels:
        """Return E[x_i | x_<i] of every pixel i of whole images."""
        return self.likelihood.mean(self.parameters(pixels))

    def log_prob(self, pixels: Pixels) -> PerImage:
        """Return log p(x), exact, in nats per image."""
        result: PerImage = np.empty(len(pixels), np.float32)
        for start in range(0, len(pixels), self._rows):
            rows = slice(start, start + self._rows)
            result[rows] = -self.likelihood.nll(self._parameters(pixels[rows]), pixels[rows])
        return result

    def log_prob_by_pixel(self, pixels: Pixels) -> Pixels:
        """Return log p(x_i | x_<i) of every pixel i of whole images, in nats."""
        by_pixel = self.parameters(pixels).reshape(pixels.size, -1)
        nats: Pixels = -self.likelihood.nll(by_pixel, pixels.reshape(-1, 1)).reshape(pixels.shape)
        return nats

    def sampler(self, seed: int, given: PixelRow | None = None, num_given: int = 0) -> "PixelSampler":
        """Return a picture to be drawn pixel by pixel, its first pixels in the ordering taken from `given`.

        Raises ValueError where more are asked for than there are.
        """
        sampler = PixelSampler(self, seed)
        if num_given:
            if given is None or not 0 <= num_given <= len(given) or len(given) != self.config.num_pixels:
                available = 0 if given is None else len(given)
                raise ValueError(f"num_given must lie in [0, {available}], the pixels that are given, not {num_given}")
            sampler.give(given, num_given)
        return sampler

    def sample(self, num_images: int, seed: int) -> Pixels:
        """Return images x ~ p(x), drawn pixel by pixel."""
        pixels: Pixels = np.empty((num_images, self.config.num_pixels), np.float32)
        for index in range(num_images):
            sampler = self.sampler(seed + index)
            sampler.finish()
            pixels[index] = sampler.pixels
        return pixels

    def parameters_of(self, outputs: Outputs) -> Parameters:
        """Return a likelihood's parameters of the network's outputs."""
        return with_shared_log_var(outputs, self._log_var)

    def _parameters(self, pixels: Pixels) -> Parameters:
        return self.parameters_of(self.layers.outputs(pixels))


class SortedLayers:
    """Masked layers whose units are sorted by degree, so that what a unit may depend on is what stands before it."""

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        degrees = made_degrees(config)
        orders = [np.argsort(degree, kind="stable") for degree in degrees]
        self.ordering: Order = frozen(orders[0], np.int64)
        self.activation = ARRAY_ACTIVATIONS[config.activation]
        self.num_outputs = outputs_per_pixel(config)
        self._output_order = frozen(orders[-1])
        steps = np.arange(config.num_pixels + 1)
        # How many units of a layer have at most a degree: what is settled when so many pixels are there.
        self.settled = [np.searchsorted(np.sort(degree), steps, side="right") for degree in degrees]
        self.weights: list[Row] = []
        self.biases: list[Row] = []
        for index, (before, after) in enumerate(pairwise(range(len(degrees)))):
            weight = weights.arrays[f"network.layers.{index}.weight"][orders[after]][:, orders[before]]
            rows, columns = degrees[after][orders[after]][:, None], degrees[before][orders[before]][None, :]
            allowed = rows > columns if after == len(degrees) - 1 else rows >= columns
            self.weights.append(frozen(np.where(allowed, weight, 0.0), np.float32))
            self.biases.append(frozen(weights.arrays[f"network.layers.{index}.bias"][orders[after]], np.float32))

    def outputs(self, pixels: Pixels) -> Outputs:
        """Return the outputs for whole images, pixel after pixel in the picture's own order."""
        rows = self.values(pixels)[-1]
        result: Outputs = np.empty_like(rows)
        result[:, self._output_order] = rows
        return result

    def values(self, pixels: Pixels) -> list[Rows]:
        """Return the values of every layer, pixels and outputs included, its units sorted by degree."""
        rows: Rows = np.ascontiguousarray(pixels[:, self.ordering], np.float32)
        values = [rows]
        # Weights of a file may be finite and yet so large that a product is not; the likelihood copes with that.
        with np.errstate(over="ignore", invalid="ignore"):
            for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
                rows = rows @ weight.T
                rows += bias
                self.activation(rows, np.empty_like(rows))
                values.append(rows)
            rows = rows @ self.weights[-1].T
            rows += self.biases[-1]
        return [*values, rows]


class PixelSampler:
    """One picture in the making; for one thread.

    Every hidden unit is worked out once, when the last pixel it depends on is there: a whole picture costs about what
    one pass through the network does, where computing all of it anew for each pixel costs as many passes as pixels.
    """

    def __init__(self, coder: AutoregressiveCoder, seed: int) -> None:
        self.coder = coder
        num_pixels = coder.config.num_pixels
        self.pixels: PixelRow = np.zeros(num_pixels, np.float32)
        """The picture so far, in its own order."""
        self.means: PixelRow = np.zeros(num_pixels, np.float32)
        """E[x_i | x_<i] of the pixels that are there and of the next one."""
        self.num_known = 0
        self.num_given = 0
        self.log_prob = 0.0
        self.log_prob_given = 0.0
        self._generator = np.random.default_rng(seed)
        layers = coder.layers
        self._values: list[Row] = [np.zeros(num_pixels, np.float32)]
        self._values += [np.zeros(len(bias), np.float32) for bias in layers.biases[:-1]]
        self._next = self._describe_next()

    @property
    def is_done(self) -> bool:
        """Whether every pixel is there."""
        return self.num_known == len(self.pixels)

    def step(self) -> None:
        """Draw the next pixel; does nothing when the picture is whole."""
        if self._next is not None:
            self._put(float(self.coder.likelihood.sample(self._next, self._generator)[0, 0]))

    def finish(self) -> None:
        """Draw all pixels that are missing."""
        while not self.is_done:
            self.step()

    def give(self, pixels: PixelRow, count: int) -> None:
        """Take the next `count` pixels in the ordering from a picture instead of drawing them."""
        coder, layers = self.coder, self.coder.layers
        first, stop = self.num_known, self.num_known + count
        places = coder.ordering[first:stop]
        self.pixels[places] = pixels[places]
        # In one pass, whatever is still black behind them: nothing that is settled depends on it.
        values = layers.values(self.pixels[None])
        for own, fresh, settled in zip(self._values, values, layers.settled, strict=False):
            own[: settled[stop]] = fresh[0, : settled[stop]]
        outputs = values[-1][:, first * layers.num_outputs : stop * layers.num_outputs]
        parameters = coder.parameters_of(outputs).reshape(count, -1)
        self.means[places] = coder.likelihood.mean(parameters)[:, 0]
        self.log_prob -= float(coder.likelihood.nll(parameters, self.pixels[places][:, None]).sum(dtype=np.float64))
        self.num_known = self.num_given = stop
        self.log_prob_given = self.log_prob
        self._next = self._describe_next()

    def state(self) -> PartialSample:
        """Return a frozen copy of how far the picture is."""
        config = self.coder.config
        size = (config.image_height, config.image_width)
        known = np.zeros(len(self.pixels), np.bool_)
        known[self.coder.ordering[: self.num_known]] = True
        pictures = pictures_of(np.stack([self.pixels, self.means]), config)
        return PartialSample(
            picture=frozen(pictures[0]),
            known=frozen(known.reshape(size)),
            means=frozen(pictures[1]),
            num_known=self.num_known,
            num_given=self.num_given,
            log_prob=self.log_prob,
            log_prob_given=self.log_prob_given,
            next_pixel=self._next_pixel(),
            version=self.coder.version,
        )

    def _put(self, value: float) -> None:
        if self._next is None:
            raise ValueError(f"the picture has all of its {len(self.pixels)} pixels")
        pixel = self.coder.ordering[self.num_known]
        self.log_prob -= float(self.coder.likelihood.nll(self._next, np.full((1, 1), value, np.float32))[0])
        self.pixels[pixel] = self._values[0][self.num_known] = value
        self.num_known += 1
        self._next = self._describe_next()

    def _describe_next(self) -> Parameters | None:
        """Settle the units that depend on the newest pixel; return what describes the next one, shape (1, ...)."""
        layers, known = self.coder.layers, self.num_known
        if self.is_done:
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            if known:
                for index, (values, settled) in enumerate(zip(self._values[1:], layers.settled[1:], strict=False)):
                    units = slice(settled[known - 1], settled[known])
                    fresh = values[units]
                    before = layers.settled[index][known]
                    np.matmul(layers.weights[index][units, :before], self._values[index][:before], out=fresh)
                    fresh += layers.biases[index][units]
                    layers.activation(fresh, np.empty_like(fresh))
            outputs = slice(known * layers.num_outputs, (known + 1) * layers.num_outputs)
            before = layers.settled[-2][known]
            row = layers.weights[-1][outputs, :before] @ self._values[-1][:before] + layers.biases[-1][outputs]
        parameters = self.coder.parameters_of(row[None])
        self.means[self.coder.ordering[known]] = self.coder.likelihood.mean(parameters)[0, 0]
        return parameters

    def _next_pixel(self) -> NextPixel | None:
        if self._next is None:
            return None
        config = self.coder.config
        pixel = int(self.coder.ordering[self.num_known])
        row, column = divmod(pixel, config.image_width)
        return NextPixel(row, column, float(self.means[pixel]), self._probabilities(self._next))

    def _probabilities(self, parameters: Parameters) -> tuple[float, ...]:
        config = self.coder.config
        if not config.is_mass:
            return ()
        levels = max(2, parameters_per_pixel(config))
        values = np.linspace(0.0, 1.0, levels, dtype=np.float32)[:, None]
        nats = self.coder.likelihood.nll(np.repeat(parameters, levels, axis=0), values)
        return tuple(float(probability) for probability in np.exp(-nats))

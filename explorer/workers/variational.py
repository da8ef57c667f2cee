"""Variational inference as work for the analysis thread: fits, draws, gradients, the ladder and the gaps."""

from dataclasses import dataclass
from typing import ClassVar

from core.config import DataConfig, ModelConfig
from core.shapes import PixelRow
from core.snapshots import Split
from explorer.workers.analysis import Analysis, OpenModel, Steps


@dataclass(frozen=True, slots=True, eq=False)
class FitQ(Analysis):
    """Fit q to one image, from a start, in a family."""

    config: ModelConfig
    """The model it is about; another one is left alone."""
    pixels: PixelRow
    family: str
    start: str

    def steps(self, model: OpenModel) -> Steps:
        """Yield q iteration by iteration."""
        from core.inference.fixed_decoder import frozen_vae
        from core.inference.variational import fit_steps

        if model.config == self.config:
            vae = frozen_vae(model.config, model.weights)
            yield from fit_steps(vae, self.pixels[None], self.family, self.start, version=model.weights.version)


@dataclass(frozen=True, slots=True, eq=False)
class DrawNoise(Analysis):
    """Draw ε and carry it to z under the encoder's q of one image."""

    config: ModelConfig
    pixels: PixelRow
    count: int
    seed: int

    def steps(self, model: OpenModel) -> Steps:
        """Yield the draws."""
        from core.inference.gradients import reparameterised

        if model.config == self.config:
            yield reparameterised(model.coder.encode(self.pixels[None]), self.count, self.seed)


@dataclass(frozen=True, slots=True, eq=False)
class MeasureGradients(Analysis):
    """Measure the noise of both gradient estimators for one image."""

    config: ModelConfig
    pixels: PixelRow

    def steps(self, model: OpenModel) -> Steps:
        """Yield the variances as the samples grow."""
        from core.inference.fixed_decoder import frozen_vae
        from core.inference.gradients import gradient_noise_steps

        if model.config == self.config:
            vae = frozen_vae(model.config, model.weights)
            yield from gradient_noise_steps(vae, self.pixels[None], version=model.weights.version)


@dataclass(frozen=True, slots=True, eq=False)
class ClimbLadder(Analysis):
    """Find the bounds on log p(x) of one image by their number of samples."""

    config: ModelConfig
    pixels: PixelRow

    def steps(self, model: OpenModel) -> Steps:
        """Yield the ladder as its pool grows."""
        from core.inference.fixed_decoder import frozen_vae
        from core.inference.ladder import ladder_steps

        if model.config == self.config:
            vae = frozen_vae(model.config, model.weights)
            yield from ladder_steps(vae, self.pixels[None], version=model.weights.version)


@dataclass(frozen=True, slots=True, eq=False)
class MeasureGaps(Analysis):
    """Measure both gaps of held-out images."""

    patient: ClassVar[bool] = True

    config: ModelConfig
    split: Split
    data: DataConfig
    num_images: int

    def steps(self, model: OpenModel) -> Steps:
        """Yield the gaps measured so far."""
        from core.inference.gaps import gap_steps

        if model.config == self.config:
            yield from gap_steps(model.config, model.weights, self.split, self.data, self.num_images)

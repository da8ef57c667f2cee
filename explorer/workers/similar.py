"""Analyses of similar images: clouds of codes under noise, maps to see them on, and nearest neighbours."""

from dataclasses import dataclass

from core.config import DataConfig
from core.data.noises import noisy_copies
from core.data.seen import SeenImages
from core.findings.clouds import MapCodes, NoisyExamples
from core.inference.clouds import codes_under_noise, map_codes
from core.inference.neighbours import find_neighbours
from core.inference.pictures import pictures_of
from core.shapes import PixelRow
from core.snapshots import Codes, Split
from explorer.workers.analysis import Analysis, OpenModel, Steps

NUM_EXAMPLES = 5


@dataclass(frozen=True, slots=True, eq=False)
class NoiseChoice:
    """A kind and size of noise, and how many copies get it."""

    kind: str
    level: float
    num_copies: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class MapModel:
    """A model beside the open one, with the codes that its map shows once they are there."""

    model: OpenModel
    codes: Codes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CloudAnalysis(Analysis):
    """Codes of one image under noise: the same copies for the open model, slot 0, and for those beside it."""

    pixels: PixelRow
    noise: NoiseChoice
    data: Codes | None
    """Codes of the open model; those of older weights say nothing of its cloud."""
    others: tuple[MapModel, ...]
    image: int | None
    label: int | None

    def steps(self, model: OpenModel) -> Steps:
        """Yield the examples, then a cloud for each model whose data codes are there."""
        config, noise = model.config, self.noise
        size = (config.image_height, config.image_width)
        copies = noisy_copies(self.pixels, noise.kind, noise.level, noise.num_copies, noise.seed, size)
        yield NoisyExamples(pictures_of(copies[:NUM_EXAMPLES], config))
        for slot, beside in enumerate((MapModel(model, self.data), *self.others)):
            if beside.codes is not None and beside.codes.version == beside.model.weights.version:
                yield (
                    yield from codes_under_noise(
                        beside.model.coder,
                        self.pixels,
                        copies,
                        beside.codes,
                        slot=slot,
                        image=self.image,
                        label=self.label,
                    )
                )


@dataclass(frozen=True, slots=True, eq=False)
class MapAnalysis(Analysis):
    """Codes of a subset of the data under the models beside the open one, slots 1, 2 and so on."""

    models: tuple[OpenModel, ...]
    split: Split
    split_name: str
    data_config: DataConfig
    limit: int

    def steps(self, model: OpenModel) -> Steps:  # noqa: ARG002 - it is about the others
        """Yield the codes of each model."""
        for slot, beside in enumerate(self.models, 1):
            codes = yield from map_codes(beside.coder, self.split, self.split_name, self.data_config, self.limit)
            yield MapCodes(slot, codes)


@dataclass(frozen=True, slots=True, eq=False)
class NeighboursAnalysis(Analysis):
    """The nearest images to one, in pixels and in codes."""

    pixels: PixelRow
    seen: SeenImages
    """Used by this thread alone."""
    codes: Codes
    image: int | None
    label: int | None
    num: int = 8

    def steps(self, model: OpenModel) -> Steps:
        """Yield both lists; nothing for codes of other weights than the model's."""
        if self.codes.version == model.weights.version:
            code = model.coder.encode(self.pixels[None]).mean[0]
            yield (
                yield from find_neighbours(
                    self.pixels, code, self.seen, self.codes, self.num, image=self.image, label=self.label
                )
            )

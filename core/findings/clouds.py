"""Similar input, similar code: what became of the codes of one image under noise."""

from dataclasses import dataclass

from core.findings import Finding
from core.shapes import Code, CodeArray, PictureStack
from core.snapshots import Codes


@dataclass(frozen=True, slots=True, eq=False)
class Cloud(Finding):
    """Codes of noisy copies of one image, beside the codes of the data."""

    slot: int
    """Which of the models that are compared: 0 is the open one."""
    clean: Code
    """Code of the image without noise: the mean of q(z|x)."""
    codes: CodeArray
    """Code of each noisy copy, its mean."""
    spread: float
    """Trace of the copies' covariance, in units of that of the data codes; NaN where those do not differ."""
    offset: float
    """Distance of the copies' mean from the clean code, in units of the root of the data codes' spread; or NaN."""
    same_label: float | None
    """Share of copies whose nearest data code has the image's label; None where the data has no labels."""
    label: int | None
    """That label: the image's own, or that of the data code nearest to the clean code."""
    label_is_own: bool
    num_data: int
    """How many data codes they are compared with."""
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class NoisyExamples(Finding):
    """A few of the noisy copies, 0..255, after the clean picture."""

    pictures: PictureStack


@dataclass(frozen=True, slots=True, eq=False)
class MapCodes(Finding):
    """Codes of a subset of the data under one of the models that are compared."""

    slot: int
    codes: Codes

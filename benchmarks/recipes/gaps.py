"""Both gaps between log p(x) and the encoder's ELBO, by the core's own fit of q to each image.  Cremer et al. 2018."""

from collections.abc import Iterator

from benchmarks.recipes.row import Mean
from core.compatibility import data_for
from core.data.binarisation import seen_by_model
from core.findings.fitting import Gaps, PerImage
from core.inference.coders import make_coder
from core.inference.codes import subset_indices
from core.inference.evidence.table import EvidenceTable
from core.inference.gaps import NUM_IMPORTANCE_SAMPLES, gap_steps
from core.inference.scan import CodeScan
from core.saved_model import SavedModel
from core.shapes import Pixels
from core.snapshots import Split

MOST_EXACT_DIMENSIONS = 2
_CODES_SHOWN = 2000
"""Images whose codes say where in the plane something may lie."""


def gap_means(
    saved: SavedModel, split: Split, split_name: str, num_images: int, seed: int
) -> tuple[dict[str, Mean], str]:
    """Return the means of both gaps, log p(x) and the ELBO over a seeded draw of images, and how they were found.

    Exact up to two latent dimensions, estimated with more.
    """
    if saved.config.model.latent_dim > MOST_EXACT_DIMENSIONS:
        weights = saved.as_weights(version=1)
        model, data = saved.config.model, saved.config.data
        found = _last(gap_steps(model, weights, split, data, num_images=num_images, split_name=split_name, seed=seed))
        told = (
            f"log p(x) estimated by {NUM_IMPORTANCE_SAMPLES:,} samples from the mixture of the encoder's q and the "
            "best one, too small in expectation and the approximation gap with it; the best q of the family is fitted "
            "to each image by natural-gradient ascent"
        )
    else:
        found = _last(_exact_steps(saved, split, split_name, num_images, seed))
        told = (
            f"log p(x) integrated over the plane, two resolutions differing by at most {found.log_px_error.max():.1g} "
            "nats; the best q of the family is fitted to each image by natural-gradient ascent from the encoder's, "
            "from the prior and from the highest modes, and evaluated by another quadrature"
        )
    return {
        "approximation gap": Mean.of(found.approximation),
        "amortisation gap": Mean.of(found.amortisation),
        "log p(x)": Mean.of(found.log_px),
        "ELBO": Mean.of(found.elbo),
    }, told


def _exact_steps(saved: SavedModel, split: Split, split_name: str, num_images: int, seed: int) -> Iterator[Gaps | None]:
    """Yield the gaps of a model of a plane of codes, whose log p(x) is an integral."""
    model, weights = saved.config.model, saved.as_weights(version=1)
    coder = make_coder(model, weights)
    rows = subset_indices(len(split), _CODES_SHOWN, seed)
    codes = coder.encode(seen_by_model(split.images[rows], rows, data_for(saved.config.data, model))).mean
    table = EvidenceTable.build(model, weights, codes)
    if table is None:
        raise RuntimeError("a table that nobody stopped was not built")
    scan = CodeScan.build(coder, codes)

    def evidence(pixels: Pixels) -> tuple[PerImage, PerImage]:
        integrals, _ = table.integrals(pixels)
        return integrals.log_z, integrals.error_bar

    yield from gap_steps(
        model,
        weights,
        split,
        saved.config.data,
        evidence=evidence,
        modes=scan.starts,
        num_images=num_images,
        split_name=split_name,
        seed=seed,
    )


def _last(steps: Iterator[Gaps | None]) -> Gaps:
    """Return the gaps of all images, which come last."""
    found = None
    for gaps in steps:
        found = gaps or found
    if found is None:
        raise ValueError("there are no images whose gaps could be measured")
    return found

"""Both gaps between log p(x) and the encoder's ELBO, by the core's own fit of q to each image.  Cremer et al. 2018."""

from collections.abc import Iterator

from benchmarks.recipes.row import Mean
from core.findings.fitting import Gaps
from core.inference.gaps import NUM_IMPORTANCE_SAMPLES, gap_steps
from core.saved_model import SavedModel
from core.snapshots import Split


def gap_means(
    saved: SavedModel, split: Split, split_name: str, num_images: int, seed: int
) -> tuple[dict[str, Mean], str]:
    """Return the means of both gaps, log p(x) and the ELBO over a seeded draw of images, and how they were found.

    Exact up to two latent dimensions, estimated with more.
    """
    model, weights = saved.config.model, saved.as_weights(version=1)
    found = _last(gap_steps(model, weights, split, saved.config.data, num_images, split_name=split_name, seed=seed))
    if found.exact:
        told = (
            f"log p(x) integrated over the plane, two resolutions differing by at most {found.log_px_error.max():.1g} "
            "nats; the best q of the family is fitted to each image by natural-gradient ascent from the encoder's, "
            "from the prior and from the highest modes, and evaluated by another quadrature"
        )
    else:
        told = (
            f"log p(x) estimated by {NUM_IMPORTANCE_SAMPLES:,} samples from the mixture of the encoder's q and the "
            "best one, too small in expectation and the approximation gap with it; the best q of the family is fitted "
            "to each image by natural-gradient ascent"
        )
    return {
        "approximation gap": Mean.of(found.approximation),
        "amortisation gap": Mean.of(found.amortisation),
        "log p(x)": Mean.of(found.log_px),
        "ELBO": Mean.of(found.elbo),
    }, told


def _last(steps: Iterator[Gaps | None]) -> Gaps:
    """Return the gaps of all images, which come last."""
    found = None
    for gaps in steps:
        found = gaps or found
    if found is None:
        raise ValueError("there are no images whose gaps could be measured")
    return found

"""The four terms of ELBO surgery over all images of a split, by the core's own read-outs.  Hoffman & Johnson 2016."""

import math

import numpy as np

from benchmarks.recipes.row import Mean
from core.compatibility import data_for
from core.data.binarisation import seen_by_model
from core.inference.coders import make_coder
from core.inference.evaluation import evaluate
from core.inference.steps import completed
from core.inference.surgery import surgery
from core.saved_model import SavedModel
from core.snapshots import Split


def surgical_terms(saved: SavedModel, split: Split, seed: int) -> tuple[dict[str, Mean], str]:
    """Return ELBO, mean KL, mutual information and marginal KL in nats, and how they were found.

    The last two are over exactly these images, so that there is no standard error over images to give.
    """
    config = data_for(saved.config.data, saved.config.model)
    coder = make_coder(saved.config.model, saved.as_weights(version=1))
    posterior = coder.encode(seen_by_model(split.images, np.arange(len(split), dtype=np.int64), config))
    shares = posterior.kl_per_dimension()
    if shares is None:
        raise ValueError("a model without a prior has no KL to take apart")
    found = completed(surgery(posterior, seed))
    means = evaluate(coder, split, config, seed)
    if means.means.elbo is None:
        raise ValueError("a model without a prior has no ELBO")
    told = (
        f"ELBO by {means.method}; mutual information and marginal KL by "
        f"{found.method} ({found.error:.1g} nats); mutual information is capped at ln N = {math.log(len(split)):.2f}"
    )
    return {
        "ELBO": Mean(means.means.elbo, means.standard_error),
        "mean KL": Mean.of(shares.sum(axis=1, dtype=np.float64)),
        "mutual information": Mean(found.mutual_information, None),
        "marginal KL": Mean(found.marginal_kl, None),
    }, told

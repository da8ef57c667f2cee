"""Read-outs over images of a data set: bound, activity, collapse, information, rate and distortion."""

from collections.abc import Generator

import numpy as np

from core.config import DataConfig, ModelConfig
from core.findings.read_outs import ReadOuts
from core.findings.surgery import Surgery
from core.inference.coders import Coder
from core.inference.codes import subset_indices
from core.inference.encoding import encoded
from core.inference.evaluation import QUADRATURE_NODES, evaluation
from core.inference.nll import held_out_nll
from core.inference.steps import within
from core.inference.surgery import surgery
from core.snapshots import ElboMeans, Split, Weights

NO_PRIOR = (
    "An autoencoder has no prior p(z): KL, ELBO, mutual information and marginal KL are not defined for it, and its "
    "NLL is only the cost of reconstruction."
)
NO_CODES = (
    "An autoregressive model has no codes: its −log p(x) is exact, and there is no KL, no bound and nothing that could "
    "collapse."
)
GONE_WILD = "The codes of some images are not finite: mutual information and marginal KL cannot be found."


def read_outs(
    coder: Coder,
    split: Split,
    data_config: DataConfig,
    split_name: str = "held_out",
    *,
    limit: int | None = None,
    seed: int = 0,
    num_nodes: int = QUADRATURE_NODES,
) -> Generator[float, None, ReadOuts]:
    """Yield the share done and return the figures of a model with codes over at most `limit` images, a seeded subset.

    `num_nodes` codes of each image stand behind the NLL of up to two dimensions, one behind all others.  Raises
    ValueError where there are no images.
    """
    indices = subset_indices(len(split), limit, seed)
    costs = evaluation(coder, split, data_config, seed, indices=indices, num_nodes=num_nodes)
    found = yield from within(costs, 0.0, 0.5)
    steps = surgery_of(coder, split, data_config, limit=limit, seed=seed)
    spread, parts, reason = yield from within(steps, 0.5, 1.0)
    return ReadOuts(
        means=found.means,
        standard_error=found.standard_error,
        method=found.method,
        spread=spread,
        surgery=parts,
        num_images=len(indices),
        of_images=len(split),
        split=split_name,
        likelihood_normalised=found.likelihood_normalised,
        undefined_reason=reason,
        version=coder.version,
    )


def surgery_of(
    coder: Coder, split: Split, data_config: DataConfig, *, limit: int | None = None, seed: int = 0
) -> Generator[float, None, tuple[tuple[float, ...], Surgery | None, str]]:
    """Yield the share done and return Var_x E_q[z_j] of each dimension and the surgery, or why there is none."""
    indices = subset_indices(len(split), limit, seed)
    posterior = yield from within(encoded(coder, split, indices, data_config), 0.0, 0.1)
    with np.errstate(invalid="ignore", over="ignore"):
        spread = tuple(float(variance) for variance in posterior.mean.var(axis=0, dtype=np.float64))
    if posterior.log_var is None:
        return spread, None, NO_PRIOR
    if not (np.isfinite(posterior.mean).all() and np.isfinite(posterior.scale).all()):
        return spread, None, GONE_WILD
    found = yield from within(surgery(posterior, seed, coder.version), 0.1, 1.0)
    return spread, found, ""


def exact_read_outs(
    config: ModelConfig,
    weights: Weights,
    split: Split,
    data_config: DataConfig,
    split_name: str = "held_out",
    *,
    limit: int | None = None,
    seed: int = 0,
) -> Generator[float, None, ReadOuts]:
    """Yield the share done and return the one figure that an autoregressive model has: its exact mean -log p(x)."""
    found = yield from held_out_nll(config, weights, split, data_config, split_name, limit=limit, seed=seed)
    return ReadOuts(
        means=ElboMeans(found.nll, None, ()),
        standard_error=found.standard_error,
        method=found.how,
        spread=(),
        surgery=None,
        num_images=found.num_images,
        of_images=found.of_images,
        split=split_name,
        likelihood_normalised=found.likelihood_normalised,
        undefined_reason=NO_CODES,
        version=weights.version,
    )

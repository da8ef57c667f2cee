"""Findings as the analysis thread would tell them."""

import numpy as np

from core.config import DataConfig, ModelConfig
from core.findings.nll import HeldOutNll
from core.findings.read_outs import ReadOuts
from core.findings.scoreboard import ScoreboardEntry, scoreboard_entry
from core.findings.surgery import Surgery
from core.snapshots import ElboMeans, frozen


def figures(kl: tuple[float, ...] = (3.8, 3.7), num_images: int = 2000, **changes: object) -> ReadOuts:
    """Return the read-outs of a VAE with these KLs."""
    total = sum(kl)
    values: dict[str, object] = {
        "means": ElboMeans(123.5, total, kl),
        "standard_error": 1.04,
        "method": "quadrature of 4 codes over q(z|x) of each image",
        "spread": tuple(1.0 if value > 0.01 else 0.0 for value in kl),
        "surgery": Surgery(total - 0.25, 0.25, total, num_images, 0.0012, False, 25, 1),
        "num_images": num_images,
        "of_images": 10_000,
        "split": "held_out",
        "likelihood_normalised": True,
        "undefined_reason": "",
        "version": 1,
        **changes,
    }
    return ReadOuts(**values)  # type: ignore[arg-type]


def entry(
    name: str, nats: float, method: str = "quadrature", binarisation: str = "dynamic", **model: object
) -> ScoreboardEntry:
    """Return a row of the scoreboard over MNIST."""
    estimated = method == "importance"
    found = HeldOutNll(
        nll=nats,
        standard_error=0.47,
        per_image=frozen(np.full(5, nats)),
        num_images=1000 if estimated else 10_000,
        of_images=10_000,
        split="held_out",
        method=method,
        error_bar=1e-3 if method == "quadrature" else None,
        num_samples=1000 if estimated else None,
        effective_samples=30.0 if estimated else None,
        likelihood_normalised=binarisation != "none" or model.get("likelihood", "bernoulli") != "bernoulli",
        version=1,
    )
    data = DataConfig(binarisation=binarisation)
    return scoreboard_entry(name, ModelConfig.from_mapping(model), data, "MNIST", "abc", found)

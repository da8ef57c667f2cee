"""Two modes of known mass, far narrower than the table's step: none may be missed, and none doubted by chance."""

import numpy as np
import pytest
import torch

from core.config import ModelConfig
from core.inference.evidence.table import EvidenceTable
from core.models.layout import expected_shapes
from core.snapshots import Weights

NUM_PIXELS = 16
PIXEL_STD = 0.01


def folded_model(latent_dim: int, columns: np.ndarray, fold: float) -> tuple[ModelConfig, Weights]:
    """Return a model whose mean picture is linear in z, but for z1 < 0: there −fold · z1 takes the place of z1."""
    config = ModelConfig(
        latent_dim=latent_dim,
        hidden=(2 * latent_dim,),
        activation="relu",
        likelihood="gaussian",
        pixel_std=PIXEL_STD,
        image_height=4,
        image_width=4,
    )
    arrays = {name: np.zeros(shape, np.float32) for name, shape in expected_shapes(config).items()}
    for axis in range(latent_dim):
        arrays["decoder.layers.0.weight"][2 * axis : 2 * axis + 2, axis] = 1.0, -1.0
        arrays["decoder.layers.1.weight"][:, 2 * axis] = columns[:, axis]
        arrays["decoder.layers.1.weight"][:, 2 * axis + 1] = fold * columns[:, 0] if axis == 0 else -columns[:, axis]
    return config, Weights(1, 0, arrays)


@pytest.mark.parametrize(("latent_dim", "norm", "fold"), [(1, 20.0, 1.0), (2, 5.0, 1.0), (2, 5.0, 0.4), (2, 20.0, 1.0)])
def test_neither_of_two_narrow_modes_is_missed(latent_dim: int, norm: float, fold: float) -> None:
    generator = np.random.default_rng(0)
    columns = norm * np.linalg.qr(generator.standard_normal((NUM_PIXELS, latent_dim)))[0].astype(np.float32)
    codes = generator.standard_normal((12, latent_dim)).astype(np.float32)
    codes[:, 0] = np.abs(codes[:, 0]) + 0.4
    pixels = (codes @ columns.T + PIXEL_STD * generator.standard_normal((12, NUM_PIXELS))).astype(np.float32)
    config, weights = folded_model(latent_dim, columns, fold)
    # Each half of the codes is that of a linear-Gaussian model, whose posterior it holds whole.
    of_modes = []
    for factor in (1.0, fold):
        half = torch.from_numpy(columns.astype(np.float64))
        half[:, 0] *= factor
        covariance = half @ half.T + PIXEL_STD**2 * torch.eye(NUM_PIXELS, dtype=torch.float64)
        normal = torch.distributions.MultivariateNormal(torch.zeros(NUM_PIXELS, dtype=torch.float64), covariance)
        of_modes.append(normal.log_prob(torch.from_numpy(pixels).double()).numpy())  # type: ignore[no-untyped-call]
    expected = np.logaddexp(*of_modes)

    table = EvidenceTable.build(config, weights, codes)

    assert table is not None
    together, _ = table.integrals(pixels)
    np.testing.assert_allclose(together.log_z, expected, atol=1e-3)
    for index in range(3):
        alone, _ = table.integrals(pixels[index : index + 1])
        np.testing.assert_allclose(alone.log_z[0], expected[index], atol=1e-3)

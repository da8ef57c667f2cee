"""What the latent views should show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import ModelConfig
from core.snapshots import Codes, LatentStatistics
from explorer.messages import Extent
from explorer.session import scene


def statistics(*, kl: bool = True) -> LatentStatistics:
    return LatentStatistics(
        kl=np.array([0.5, 3.0, 0.0], np.float32) if kl else None,
        spread=np.array([2.0, 0.5, 1e-9], np.float32),
        low=np.array([-1.0, -2.0, 0.1], np.float32),
        high=np.array([1.0, 4.0, 0.1], np.float32),
        median=np.array([0.25, 1.0, 0.1], np.float32),
        active=(True, True, False),
    )


def test_sliders_stand_in_the_order_given_with_the_range_of_the_codes() -> None:
    found = statistics()
    specs = scene.slider_specs(ModelConfig(latent_dim=3), found, found.order)
    assert [spec.dimension for spec in specs] == [1, 0, 2]
    assert (specs[0].low, specs[0].high) == (-2.0, 4.0)
    assert specs[0].weight == 3.0
    assert specs[0].weight_is_kl


def test_a_collapsed_dimension_still_has_a_range_to_slide_in() -> None:
    spec = scene.slider_specs(ModelConfig(latent_dim=3), statistics(), (2,))[0]
    assert spec.high - spec.low == pytest.approx(6.0)
    assert not spec.active


def test_without_a_prior_order_and_centre_come_from_the_codes() -> None:
    found = statistics(kl=False)
    specs = scene.slider_specs(ModelConfig(model="autoencoder", latent_dim=3), found, found.order)
    assert [spec.dimension for spec in specs] == [0, 1, 2]
    assert not specs[0].weight_is_kl
    np.testing.assert_allclose(scene.centre_of(specs), [0.25, 1.0, 0.1])


@given(
    st.floats(-50, 50), st.floats(0.01, 100), st.floats(-50, 50), st.floats(0.01, 100),
)  # fmt: skip
def test_the_mosaic_covers_the_view_and_its_tiles_stand_on_a_lattice(
    left: float, width: float, bottom: float, height: float
) -> None:
    height = min(max(height, width / 4), width * 4)
    extent = Extent(left, left + width, bottom, bottom + height)
    request = scene.mosaic_request(extent, ModelConfig(), (0, 1), np.zeros(2, np.float32))
    assert request is not None
    step = (request.high[0] - request.low[0]) / request.columns
    assert step == pytest.approx((request.high[1] - request.low[1]) / request.rows)
    assert request.low[0] <= extent.left + 1e-6
    assert request.high[0] >= extent.right - 1e-6
    assert request.low[1] <= extent.bottom + 1e-6
    assert request.high[1] >= extent.top - 1e-6
    centre = request.low[0] / step + 0.5
    assert centre == pytest.approx(round(centre), abs=1e-4)


def test_a_view_without_width_asks_for_no_mosaic() -> None:
    assert scene.mosaic_request(Extent(1, 1, 0, 1), ModelConfig(), (0, 1), np.zeros(2, np.float32)) is None


def test_one_latent_dimension_asks_for_one_row() -> None:
    request = scene.mosaic_request(Extent(-3, 3, -1, 1), ModelConfig(latent_dim=1), (0, 0), np.zeros(1, np.float32))
    assert request is not None
    assert request.rows == 1


def test_a_subset_is_never_silent() -> None:
    mean = np.zeros((2, 2), np.float32)
    subset = Codes(mean, None, None, np.arange(2), None, "train", 60_000, 1)
    assert scene.codes_note(subset) == "2 of 60,000 training images"


def test_amid_the_data_is_a_code_of_the_data() -> None:
    mean = np.array([[0, 0], [1, 1], [1.1, 1], [9, 9], [1, 0.9]], np.float32)
    codes = Codes(mean, None, None, np.arange(5), None, "held_out", 5, 1)
    np.testing.assert_array_equal(scene.thick_of(codes), [1, 1])

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.quantiles import quantiles

SHARES = (0.0, 0.005, 0.25, 0.5, 0.75, 0.995, 1.0)


@given(
    arrays.arrays(
        st.sampled_from([np.float32, np.float64]),
        arrays.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=40),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_they_are_those_of_numpy(values: np.ndarray) -> None:
    ours = quantiles(values, SHARES)
    assert ours.dtype == values.dtype
    np.testing.assert_allclose(ours, np.quantile(values.astype(np.float64), SHARES, axis=0), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ours[3], np.median(values, axis=0), rtol=1e-6, atol=1e-6)


def test_a_column_with_a_nan_has_none_and_the_others_have_theirs() -> None:
    values = np.array([[1.0, 5.0], [np.nan, 6.0], [3.0, 7.0]])
    found = quantiles(values, (0.1, 0.5))
    assert np.isnan(found[:, 0]).all()
    np.testing.assert_allclose(found[:, 1], [5.2, 6.0])


def test_between_equal_infinities_lies_no_nan() -> None:
    np.testing.assert_array_equal(quantiles(np.array([np.inf, np.inf, 1.0]), (0.0, 0.75, 1.0)), [1.0, np.inf, np.inf])


def test_of_nothing_there_is_none() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantiles(np.zeros(0), (0.5,))


def test_they_bring_no_masked_arrays_with_them() -> None:
    code = (
        "import sys, numpy as np; from core.quantiles import quantiles; quantiles(np.arange(9.0), (0.1, 0.5)); "
        "sys.exit('numpy.ma' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - our own interpreter
    assert done.returncode == 0

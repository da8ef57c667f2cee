"""Products in bfloat16: what is rounded, and what is not."""

from typing import Any

import pytest
import torch
from torch import nn

from core.objectives.terms import ElboTerms
from tests.core.training.runs import a_run, finished, some_data

ROUNDED = 2.0**-8
"""Half a unit in the last of bfloat16's 8 bits, relative."""
MODELS: list[dict[str, Any]] = [
    {},
    {"network": "conv"},
    {"posterior": "full"},
    {"model.model": "made"},
    {"model.model": "sparse_autoencoder"},
    {"likelihood": "gaussian", "binarisation": "none", "variance": "global"},
]


@pytest.mark.parametrize("values", MODELS, ids=str)
def test_gradients_are_those_of_single_precision_but_for_the_rounding_of_what_is_multiplied(
    values: dict[str, Any],
) -> None:
    data = some_data(num_train=64, side=12, binarisation=values.get("binarisation", "dynamic"))
    gradients = {}
    for precision in ("float32", "bfloat16"):
        run = a_run(data, batch_size=64, epochs=1, precision=precision, capture=False, **values)
        finished(run)
        gradients[precision] = run._place.stepper.adam.gradient.clone()
        assert run.plan.precision == precision
    single, rounded = gradients["float32"], gradients["bfloat16"]
    assert not torch.equal(single, rounded)
    # Some roundings in a row, each of numbers that vary in sign.
    assert (single - rounded).norm() < 8.0 * ROUNDED * single.norm()


def test_only_products_are_rounded() -> None:
    run = a_run(precision="bfloat16", capture=False)
    model, objective = run._model, run._objective
    terms: list[ElboTerms] = []
    inner: list[torch.dtype] = []
    layer = next(part for part in model.modules() if isinstance(part, nn.Linear))
    layer.register_forward_hook(lambda _layer, _given, result: inner.append(result.dtype))
    whole = objective.terms

    def noted(*values: Any) -> ElboTerms:
        terms.append(whole(*values))
        return terms[-1]

    objective.terms = noted  # type: ignore[method-assign, assignment]
    finished(run)
    assert torch.bfloat16 in inner
    assert torch.float32 in inner, "held-out images are evaluated in single precision"
    assert {(one.nll.dtype, one.kl_per_dimension.dtype) for one in terms if one.kl_per_dimension is not None} == {
        (torch.float32, torch.float32)
    }
    assert all(parameter.dtype is torch.float32 for parameter in model.parameters())

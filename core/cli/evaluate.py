"""`evaluate`: a model's held-out means as JSON."""

import argparse
import json
import math
import os
import sys
from dataclasses import replace
from pathlib import Path

from core.cli.arguments import UsageError
from core.cli.progress_bar import ProgressBar
from core.cli.train import source_of
from core.config import ModelConfig
from core.data.dataset import DataError, Dataset
from core.data.sources import load_dataset
from core.inference.coders import make_coder
from core.inference.evaluation import Evaluation, evaluate
from core.saved_model import SavedModel
from core.storage.atomic import write_atomically
from core.storage.model_file import ModelFileError, load_model

NO_PRIOR = "an autoencoder defines no p(x): it has no prior, hence no KL and no ELBO"
NOT_NORMALISED = "Bernoulli nats of grey pixels are not those of a normalised likelihood"


def evaluate_file(options: argparse.Namespace) -> int:
    """Evaluate the model as the arguments say and write the JSON; return the exit status."""
    if options.seed < 0:
        raise UsageError(f"--seed must be 0 or more, not {options.seed}")
    target = None if options.json == "-" else Path(options.json)
    if target is not None and (target.is_dir() or not target.parent.is_dir()):
        raise UsageError(f"--json must name a file in a folder that exists, not {str(target)!r}")
    saved = load_model(options.model)
    if target is not None and target.exists() and target.samefile(options.model):
        raise UsageError(f"--json would overwrite the model {options.model!r}; name another file")
    data_config = saved.config.data
    if options.data is not None:
        data_config = replace(data_config, source=source_of(options.data))
    bar = ProgressBar("reading data", quiet=options.quiet)
    dataset = load_dataset(data_config, bar.update)
    bar.clear()
    _check_size(saved.config.model, dataset)
    if not len(dataset.held_out):
        raise DataError(f"{dataset.name} has no held-out images to evaluate on")
    bar = ProgressBar("evaluating", quiet=options.quiet)
    coder = make_coder(saved.config.model, saved.as_weights(version=1))
    evaluation = evaluate(coder, dataset.held_out, dataset.config, options.seed, bar.update)
    bar.clear()
    text = json.dumps(summary(saved, dataset, evaluation, options.model), indent=2, allow_nan=False) + "\n"
    if target is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return 0
    try:
        write_atomically(target, text.encode())
    except OSError as error:
        raise ModelFileError(target, f"could not be written: {error.strerror or error}") from None
    return 0


def summary(saved: SavedModel, dataset: Dataset, evaluation: Evaluation, path: str) -> dict[str, object]:
    """Return the evaluation as JSON holds it: nats per image; null with `..._reason` for what is undefined."""
    model = saved.config.model
    means = evaluation.means
    result: dict[str, object] = {
        "model": os.fsencode(path).decode("utf-8", "replace"),
        "data": dataset.name,
        "data_fingerprint": dataset.fingerprint,
        "split": "held_out",
        "num_images": evaluation.num_images,
        "binarisation": evaluation.binarisation,
        "seed": evaluation.seed,
        "likelihood": model.likelihood,
        "likelihood_normalised": evaluation.likelihood_normalised,
        "unit": "nats per image",
    }
    undefined = None if model.has_prior else NO_PRIOR
    _put(result, "elbo", means.elbo, undefined)
    _put(result, "nll", means.nll, None)
    _put(result, "kl", means.kl, undefined)
    _put(result, "standard_error", evaluation.standard_error, "a single image has no standard error")
    if not evaluation.likelihood_normalised:
        result["likelihood_reason"] = undefined = NOT_NORMALISED
    bits = None if undefined or means.elbo is None else -means.elbo / (model.num_pixels * math.log(2.0))
    _put(result, "bits_per_dim", bits, undefined)
    result["kl_per_dimension"] = [value if math.isfinite(value) else None for value in means.kl_per_dimension]
    result["epochs"] = saved.epochs
    return result


def _put(result: dict[str, object], key: str, value: float | None, why_undefined: str | None) -> None:
    finite = value is not None and math.isfinite(value)
    result[key] = value if finite else None
    if not finite:
        result[f"{key}_reason"] = why_undefined if value is None else f"it is not finite, but {value}"


def _check_size(model: ModelConfig, dataset: Dataset) -> None:
    if (model.image_height, model.image_width) != (dataset.height, dataset.width):
        raise DataError(
            f"the model takes pictures of {model.image_height}×{model.image_width} pixels, and those of "
            f"{dataset.name} have {dataset.height}×{dataset.width}"
        )

"""`evaluate`: a model's held-out means as JSON."""

import argparse
import json
import math
import os
import sys
from dataclasses import replace
from pathlib import Path

from core.cli.arguments import UsageError
from core.cli.figures import (
    GAPS_LEFT_OUT,
    GAPS_NOT_ASKED,
    LEFT_OUT,
    NO_CODES,
    NO_PRIOR,
    SINGLE,
    Json,
    Undefined,
    code_figures,
    evidence_figures,
    gap_figures,
    put,
)
from core.cli.progress_bar import ProgressBar
from core.cli.train import source_of
from core.config import MOST_EXACT_DIMENSIONS, ModelConfig
from core.data.dataset import DataError, Dataset
from core.data.sources import load_dataset
from core.findings.fitting import Gaps
from core.findings.nll import HeldOutNll
from core.inference.coders import make_coder
from core.inference.evaluation import Evaluation, evaluate
from core.inference.nll import held_out_nll
from core.inference.read_outs import surgery_of
from core.inference.steps import completed
from core.saved_model import SavedModel
from core.snapshots import ElboMeans
from core.storage.atomic import write_atomically
from core.storage.model_file import ModelFileError, load_model

NOT_NORMALISED = "Bernoulli nats of grey pixels are not those of a normalised likelihood"
NO_MASS = "the nats of a density are no number of bits"
ESTIMATE_IMAGES = 500
"""Held-out images over which log p(x) is estimated unless told otherwise: about half a minute of a small model."""
GAP_IMAGES = 500
"""Held-out images whose gaps are found unless told otherwise."""


def evaluate_file(options: argparse.Namespace) -> int:
    """Evaluate the model as the arguments say and write the JSON; return the exit status."""
    for name, least in (("seed", 0), ("samples", 1), ("log_px_images", 0), ("gap_images", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise UsageError(f"--{name.replace('_', '-')} must be {least} or more, not {value}")
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
    result = _measured(saved, dataset, options)
    text = json.dumps(result, indent=2, allow_nan=False) + "\n"
    if target is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return 0
    try:
        write_atomically(target, text.encode())
    except OSError as error:
        raise ModelFileError(target, f"could not be written: {error.strerror or error}") from None
    return 0


def _measured(saved: SavedModel, dataset: Dataset, options: argparse.Namespace) -> Json:
    """Return every figure of the model over the held-out images."""
    model, held_out = saved.config.model, dataset.held_out
    nll = _log_px(saved, dataset, options)
    if not model.has_codes:
        if isinstance(nll, Undefined):
            raise UsageError("--log-px-images must be 1 or more for an autoregressive model, which has no other figure")
        evaluation = _of_product(nll, dataset, options.seed)
        codes = code_figures(Undefined(NO_CODES), ())
    else:
        coder = make_coder(model, saved.as_weights(version=1))
        bar = ProgressBar("evaluating", quiet=options.quiet)
        evaluation = evaluate(coder, held_out, dataset.config, options.seed, bar.update)
        bar.clear()
        bar = ProgressBar("information of the codes", quiet=options.quiet)
        spread, surgery, reason = completed(surgery_of(coder, held_out, dataset.config, seed=options.seed), bar.update)
        bar.clear()
        codes = code_figures(
            Undefined(NO_PRIOR if not model.has_prior else reason) if surgery is None else surgery, spread
        )
    gaps = gap_figures(_gaps(saved, dataset, options))
    return {**summary(saved, dataset, evaluation, options.model), **evidence_figures(nll), **gaps, **codes}


def _log_px(saved: SavedModel, dataset: Dataset, options: argparse.Namespace) -> HeldOutNll | Undefined:
    model = saved.config.model
    if model.has_codes and not model.has_prior:
        return Undefined(NO_PRIOR)
    estimated = model.has_codes and model.latent_dim > MOST_EXACT_DIMENSIONS
    limit = options.log_px_images if options.log_px_images is not None or not estimated else ESTIMATE_IMAGES
    if limit == 0:
        return Undefined(LEFT_OUT)
    bar = ProgressBar("log p(x)", quiet=options.quiet)
    steps = held_out_nll(
        model,
        saved.as_weights(version=1),
        dataset.held_out,
        dataset.config,
        limit=limit,
        num_samples=options.samples,
        seed=options.seed,
    )
    found = completed(steps, bar.update)
    bar.clear()
    return found


def _gaps(saved: SavedModel, dataset: Dataset, options: argparse.Namespace) -> Gaps | Undefined:
    model = saved.config.model
    if not model.has_prior:
        return Undefined(NO_PRIOR if model.has_codes else NO_CODES)
    if options.gap_images is None and model.latent_dim > MOST_EXACT_DIMENSIONS:
        return Undefined(GAPS_NOT_ASKED)
    wanted = GAP_IMAGES if options.gap_images is None else options.gap_images
    if wanted == 0:
        return Undefined(GAPS_LEFT_OUT)
    from core.inference.gaps import gap_steps  # noqa: PLC0415 - it imports torch, which all other figures may do without

    bar = ProgressBar("gaps", quiet=options.quiet)
    found: Gaps | None = None
    weights = saved.as_weights(version=1)
    for gaps in gap_steps(model, weights, dataset.held_out, dataset.config, wanted, seed=options.seed):
        if gaps is not None:
            found = gaps
            bar.update(len(gaps) / gaps.wanted)
    bar.clear()
    return Undefined("there are no images") if found is None else found


def _of_product(nll: HeldOutNll, dataset: Dataset, seed: int) -> Evaluation:
    return Evaluation(
        means=ElboMeans(nll.nll, None, ()),
        num_images=nll.num_images,
        binarisation=dataset.config.binarisation,
        seed=seed,
        standard_error=nll.standard_error,
        num_nodes=0,
        likelihood_normalised=nll.likelihood_normalised,
    )


def summary(saved: SavedModel, dataset: Dataset, evaluation: Evaluation, path: str) -> Json:
    """Return the evaluation as JSON holds it: nats per image; null with `..._reason` for what is undefined."""
    model = saved.config.model
    means = evaluation.means
    result: Json = {
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
    undefined = Undefined(NO_PRIOR if model.has_codes else NO_CODES)
    put(result, "elbo", undefined if means.elbo is None else means.elbo)
    put(result, "nll", means.nll)
    result["elbo_method"] = evaluation.method
    put(result, "kl", undefined if means.kl is None else means.kl)
    put(result, "standard_error", Undefined(SINGLE) if evaluation.standard_error is None else evaluation.standard_error)
    if not evaluation.likelihood_normalised:
        result["likelihood_reason"] = NOT_NORMALISED
    put(result, "bits_per_dim", _bits_per_dim(model, evaluation))
    result["kl_per_dimension"] = [value if math.isfinite(value) else None for value in means.kl_per_dimension]
    result["epochs"] = saved.epochs
    return result


def _bits_per_dim(model: ModelConfig, evaluation: Evaluation) -> float | Undefined:
    """Return −ELBO, or −log p(x) of an autoregressive model, over D ln 2."""
    if not evaluation.likelihood_normalised:
        return Undefined(NOT_NORMALISED)
    if not model.is_mass:
        return Undefined(NO_MASS)
    if model.has_codes and evaluation.means.elbo is None:
        return Undefined(NO_PRIOR)
    cost = evaluation.means.nll if evaluation.means.elbo is None else -evaluation.means.elbo
    return cost / (model.num_pixels * math.log(2.0))


def _check_size(model: ModelConfig, dataset: Dataset) -> None:
    if (model.image_height, model.image_width) != (dataset.height, dataset.width):
        raise DataError(
            f"the model takes pictures of {model.image_height}×{model.image_width} pixels, and those of "
            f"{dataset.name} have {dataset.height}×{dataset.width}"
        )

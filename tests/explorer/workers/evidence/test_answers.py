"""The evidence thread's answers: quick at once, exact at rest, and a reason where there are none."""

import math
import time

import numpy as np
import pytest
import torch
from pytestqt.qtbot import QtBot

from core.config import ModelConfig
from core.models.build import build_model, load_weights
from core.shapes import PixelRow
from explorer.messages import LedgerAnswer, LedgerRequest
from explorer.workers.evidence import EvidenceThread
from explorer.workers.ledgers import MANY_SAMPLES, NO_CODE, NO_PRIOR, QUICK_SAMPLES
from tests.core.tiny_models import random_weights, tiny_config
from tests.explorer.workers.evidence.conftest import END_S, Listener, drawing
from tests.open_program import bars_data, trained


def log_px_by_brute_force(x: PixelRow) -> float:
    """Return log p(x) in nats on an even grid of 301² codes, by torch's own distributions."""
    model = build_model(trained().config.model, None)
    load_weights(model, trained().weights)
    axis = torch.linspace(-5.5, 5.5, 301, dtype=torch.float64)
    total = []
    with torch.no_grad():
        for first in axis:
            z = torch.stack((first.expand(len(axis)), axis), dim=1)
            logits = model.generative(z.float()).double()  # type: ignore[operator]
            pixels = torch.distributions.Bernoulli(logits=logits)
            prior = torch.distributions.Normal(0.0, 1.0)
            nats = pixels.log_prob(torch.tensor(x).double()).sum(dim=1)  # type: ignore[no-untyped-call]
            total.append(nats + prior.log_prob(z).sum(dim=1))  # type: ignore[no-untyped-call]
    step = float(axis[1] - axis[0])
    return float(torch.logsumexp(torch.cat(total), dim=0)) + 2.0 * math.log(step)


def test_a_quick_answer_comes_first_and_an_exact_one_follows_under_the_same_serial(
    thread: EvidenceThread, heard: Listener, qtbot: QtBot
) -> None:
    thread.set_data(bars_data())
    thread.set_model(trained().config.model, trained().as_weights(5))
    qtbot.waitUntil(lambda: bool(heard.tables or heard.failures), timeout=20_000)
    assert not heard.failures, heard.failures[0].details
    assert heard.tables[0].version == 5
    assert heard.tables[0].memory_bytes > 1_000_000
    assert not heard.failures, heard.failures
    thread.ask(LedgerRequest(7, drawing()))
    qtbot.waitUntil(lambda: len(heard.of(7)) == 2 or bool(heard.failures), timeout=20_000)
    assert not heard.failures, heard.failures[0].details
    quick, exact = heard.of(7)
    assert (quick.refined, exact.refined) == (False, True)
    assert quick.ledger.log_px is not None
    assert exact.ledger.log_px is not None
    assert exact.ledger.error_bar is not None
    assert exact.ledger.error_bar <= 1e-3
    assert exact.ledger.log_px == pytest.approx(log_px_by_brute_force(drawing()), abs=1e-3)
    assert quick.ledger.error_bar is not None
    assert quick.ledger.log_px == pytest.approx(exact.ledger.log_px, abs=quick.ledger.error_bar + 1e-3)
    assert exact.ledger.version == 5
    assert exact.posterior is not None
    cell = exact.posterior.step**2
    assert float(exact.posterior.density.sum()) * cell == pytest.approx(1.0, abs=1e-3)
    assert not heard.failures


def test_more_latent_dimensions_are_estimated_and_more_samples_follow(
    thread: EvidenceThread, heard: Listener, qtbot: QtBot
) -> None:
    saved = trained(latent_dim=3)
    thread.set_model(saved.config.model, saved.as_weights(5))
    thread.ask(LedgerRequest(1, drawing()))
    qtbot.waitUntil(lambda: len(heard.of(1)) == 2, timeout=20_000)
    quick, refined = heard.of(1)
    assert (quick.ledger.num_samples, refined.ledger.num_samples) == (QUICK_SAMPLES, MANY_SAMPLES)
    assert all(answer.ledger.is_estimate for answer in (quick, refined))
    assert all(answer.ledger.standard_error is not None for answer in (quick, refined))
    assert quick.posterior is refined.posterior is None


def test_an_autoencoder_is_answered_with_the_reason_and_needs_no_torch(qtbot: QtBot) -> None:
    answer = answered_without_torch(qtbot, tiny_config(model="autoencoder"))
    assert answer.ledger.undefined_reason == NO_PRIOR
    assert answer.ledger.log_px is None
    assert answer.refined


def test_an_autoregressive_model_has_its_exact_log_px_and_a_reason_for_the_rest(qtbot: QtBot) -> None:
    config = tiny_config(model="made")
    answer = answered_without_torch(qtbot, config)
    weights = random_weights(config)
    model = build_model(config, None)
    load_weights(model, weights.arrays)
    x = torch.ones(1, config.num_pixels)
    with torch.no_grad():
        logits = model(x).double()
        by_torch = torch.distributions.Bernoulli(logits=logits).log_prob(x.double()).sum()  # type: ignore[no-untyped-call]
    assert answer.ledger.log_px == pytest.approx(float(by_torch), abs=1e-3)
    assert answer.ledger.undefined_reason == NO_CODE
    assert answer.ledger.elbo is None
    assert answer.ledger.version == weights.version
    assert answer.refined


def answered_without_torch(qtbot: QtBot, config: ModelConfig) -> LedgerAnswer:
    """Return the one answer of a thread that was never told that torch is there."""
    thread = EvidenceThread()
    heard = Listener(thread)
    thread.start()
    thread.set_model(config, random_weights(config))
    thread.ask(LedgerRequest(1, np.ones(config.num_pixels, np.float32)))
    qtbot.waitUntil(lambda: bool(heard.answers or heard.failures))
    thread.shut_down()
    assert thread.wait(2_000)
    assert not heard.failures, heard.failures[0].details
    (answer,) = heard.answers
    return answer


def test_a_failed_import_of_torch_is_the_reason(qtbot: QtBot) -> None:
    thread = EvidenceThread()
    heard = Listener(thread)
    thread.start()
    thread.set_model(trained().config.model, trained().as_weights(5))
    thread.ask(LedgerRequest(1, drawing()))
    qtbot.wait(50)
    assert not heard.started, "nothing is begun before torch is there"
    thread.set_torch("failed: no module named torch")
    qtbot.waitUntil(lambda: bool(heard.answers))
    assert "no module named torch" in heard.answers[0].ledger.undefined_reason
    thread.shut_down()
    assert thread.wait(2_000)


def test_the_thread_ends_while_a_real_table_is_being_built(
    thread: EvidenceThread, heard: Listener, qtbot: QtBot
) -> None:
    config = ModelConfig.from_mapping({"hidden": (512, 512, 512)})
    thread.set_model(config, random_weights(config))
    qtbot.waitUntil(lambda: bool(heard.started), timeout=20_000)
    qtbot.wait(20)
    start = time.monotonic()
    thread.shut_down()
    assert thread.wait(round(1e3 * END_S))
    assert time.monotonic() - start < END_S


def test_tiny_models_of_every_likelihood_are_answered(thread: EvidenceThread, heard: Listener, qtbot: QtBot) -> None:
    for serial, likelihood in enumerate(("bernoulli", "categorical", "gaussian", "continuous_bernoulli")):
        config = tiny_config(likelihood=likelihood, latent_dim=1 + serial % 2)
        thread.set_model(config, random_weights(config))
        thread.ask(LedgerRequest(serial, np.full(config.num_pixels, 1.0, np.float32)))
        qtbot.waitUntil(lambda serial=serial: len(heard.of(serial)) == 2, timeout=20_000)  # type: ignore[misc]
        exact = heard.of(serial)[1].ledger
        assert exact.residual is not None
        assert abs(exact.residual) <= 2e-3
    assert not heard.failures


def test_an_image_of_another_size_than_the_model_s_is_left_for_the_next_model(
    thread: EvidenceThread, heard: Listener, qtbot: QtBot
) -> None:
    saved = trained(latent_dim=3)
    thread.set_model(saved.config.model, saved.as_weights(5))
    qtbot.waitUntil(lambda: bool(heard.tables), timeout=20_000)
    thread.ask(LedgerRequest(1, np.zeros(784, np.float32)))
    thread.ask(LedgerRequest(2, np.zeros(784, np.float32)))
    thread.ask(LedgerRequest(3, drawing()))
    qtbot.waitUntil(lambda: bool(heard.of(3)), timeout=20_000)
    assert not heard.failures

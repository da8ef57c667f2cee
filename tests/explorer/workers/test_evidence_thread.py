"""The evidence thread: quick answers at once, exact ones at rest, tables that never stand in the way."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from pytestqt.qtbot import QtBot

from core.config import ModelConfig
from core.data.dataset import Dataset
from core.findings.ledger import Ledger
from core.models.build import build_model, load_weights
from core.shapes import PixelRow, Pixels
from core.snapshots import Weights
from explorer.messages import Failed, LedgerAnswer, LedgerRequest, TableReady
from explorer.workers import evidence as module
from explorer.workers.evidence import EvidenceThread
from explorer.workers.ledgers import MANY_SAMPLES, NO_CODE, NO_PRIOR, QUICK_SAMPLES
from tests.core.tiny_models import random_weights, tiny_config
from tests.open_program import bars_data, trained

END_S = 2.0
"""What the program promises of every thread."""


class Listener:
    """Keeps what the thread said."""

    def __init__(self, thread: EvidenceThread) -> None:
        self.started: list[int] = []
        self.tables: list[TableReady] = []
        self.answers: list[LedgerAnswer] = []
        self.failures: list[Failed] = []
        thread.building.connect(self.started.append)
        thread.table_ready.connect(self.tables.append)
        thread.answered.connect(self.answers.append)
        thread.failed.connect(self.failures.append)

    def of(self, serial: int) -> list[LedgerAnswer]:
        return [answer for answer in self.answers if answer.serial == serial]


@pytest.fixture
def thread(qtbot: QtBot) -> Iterator[EvidenceThread]:
    thread = EvidenceThread()
    thread.set_torch(str(torch.__version__))
    thread.start()
    yield thread
    start = time.monotonic()
    thread.shut_down()
    assert thread.wait(round(1e3 * END_S))
    assert time.monotonic() - start < END_S
    qtbot.wait(1)


@pytest.fixture
def heard(thread: EvidenceThread) -> Listener:
    return Listener(thread)


def drawing() -> PixelRow:
    """Return an image of the bars as the model sees it."""
    pixels: PixelRow = (bars_data().held_out.images[3].ravel() >= 128).astype(np.float32)
    return pixels


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


# Planted builders from here on: what the thread does with time, not what the numbers are.


@dataclass
class Planted:
    """Ledgers whose numbers are their version; each answer waits for the gate."""

    version: int
    memory_bytes: int = 1
    refines: bool = True
    covered: bool = True
    refined_calls: list[float] = field(default_factory=list)

    def covers(self, dataset: Dataset) -> bool:
        return self.covered and len(dataset.train) > 0

    def quick(self, pixels: Pixels) -> tuple[Ledger, None]:
        assert pixels.shape[0] == 1
        return Ledger.undefined("quick", self.version), None

    def refined(self, pixels: Pixels, should_stop: Callable[[], bool]) -> tuple[Ledger, None] | None:
        self.refined_calls.append(time.monotonic())
        return None if should_stop() else (Ledger.undefined(f"refined {pixels.shape}", self.version), None)


class Builder:
    """Stands in for make_ledgers: builds for as long as its gate is closed, polling as a real table does."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.calls: list[tuple[int, bool]] = []
        self.given_up: list[int] = []
        self.made: list[Planted] = []
        self.covered = True

    def __call__(
        self,
        config: ModelConfig,
        weights: Weights,
        dataset: Dataset | None,
        should_stop: Callable[[], bool],
        *,
        coarse: bool,
    ) -> Planted | None:
        assert config.latent_dim > 0
        assert dataset is None or len(dataset.train) > 0
        self.calls.append((weights.version, coarse))
        while not self.gate.wait(0.005):
            if should_stop():
                self.given_up.append(weights.version)
                return None
        self.made.append(Planted(weights.version, covered=self.covered))
        return self.made[-1]


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Builder:
    planted = Builder()
    monkeypatch.setattr(module, "make_ledgers", planted)
    return planted


def weights(version: int) -> Weights:
    return Weights(version, 0, {})


SOME, OTHER = ModelConfig(), ModelConfig.from_mapping({"latent_dim": 1})


def test_only_the_newest_image_is_answered(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    builder.gate.clear()
    thread.set_model(SOME, weights(1))
    for serial in range(50):
        thread.ask(LedgerRequest(serial, drawing()))
    builder.gate.set()
    qtbot.waitUntil(lambda: len(heard.of(49)) == 2)
    assert {answer.serial for answer in heard.answers} == {49}


def test_an_image_that_a_newer_one_replaces_is_not_refined(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    for serial in range(20):
        thread.ask(LedgerRequest(serial, drawing()))
        qtbot.waitUntil(lambda serial=serial: bool(heard.of(serial)))  # type: ignore[misc]
        qtbot.wait(2)
    qtbot.waitUntil(lambda: len(heard.of(19)) == 2)
    moving = [answer for answer in heard.answers if answer.serial < 19]
    assert sum(answer.refined for answer in moving) <= 2, "but for a pause of this test itself"
    assert heard.of(19)[1].refined
    assert builder.made[0].refined_calls


def test_another_model_ends_a_table_in_the_making_and_is_not_answered_by_the_former(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    builder.gate.clear()
    thread.set_model(OTHER, weights(2))
    qtbot.waitUntil(lambda: len(builder.calls) == 2)
    thread.ask(LedgerRequest(5, drawing()))
    thread.set_model(SOME, weights(3))
    qtbot.waitUntil(lambda: builder.given_up == [2])
    assert not heard.answers
    builder.gate.set()
    qtbot.waitUntil(lambda: bool(heard.of(5)))
    assert heard.of(5)[0].ledger.version == 3
    assert [table.version for table in heard.tables] == [1, 3]


def test_while_a_run_goes_on_the_former_table_answers_and_says_of_which_weights(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    thread.set_live(True)
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    builder.gate.clear()
    thread.set_model(SOME, weights(2))
    qtbot.waitUntil(lambda: len(builder.calls) == 2)
    thread.set_model(SOME, weights(3))
    thread.ask(LedgerRequest(5, drawing()))
    qtbot.waitUntil(lambda: bool(heard.of(5)))
    assert heard.of(5)[0].ledger.version == 1
    assert not builder.given_up, "newer weights of the same run do not throw away what is nearly there"
    builder.gate.set()
    qtbot.waitUntil(lambda: heard.tables[-1].version >= 2)
    assert all(coarse for _, coarse in builder.calls)


def test_tables_of_a_run_take_at_most_a_tenth_of_the_time(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    thread.set_live(True)
    builder.gate.clear()
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: len(builder.calls) == 1)
    qtbot.wait(30)
    builder.gate.set()
    qtbot.waitUntil(lambda: len(heard.tables) == 1)
    built_s = heard.tables[0].milliseconds / 1e3
    start = time.monotonic()
    thread.set_model(SOME, weights(2))
    qtbot.waitUntil(lambda: len(heard.tables) == 2)
    assert time.monotonic() - start >= 8.0 * built_s
    thread.set_live(False)
    thread.set_model(SOME, weights(3))
    qtbot.waitUntil(lambda: len(heard.tables) == 3)
    assert builder.calls[-1] == (3, False), "the end of the run is worth a whole table at once"


def test_a_table_that_the_data_leave_is_built_again(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    builder.covered = False
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    builder.covered = True
    thread.set_data(bars_data())
    qtbot.waitUntil(lambda: len(heard.tables) == 2)
    assert [version for version, _ in builder.calls] == [1, 1]
    thread.set_data(bars_data())
    thread.ask(LedgerRequest(1, drawing()))
    qtbot.waitUntil(lambda: len(heard.of(1)) == 2)
    assert len(builder.calls) == 2, "a table that covers them stays"


def test_the_thread_ends_while_a_table_is_being_built(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    builder.gate.clear()
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: heard.started == [1])
    start = time.monotonic()
    thread.shut_down()
    assert thread.wait(round(1e3 * END_S))
    assert time.monotonic() - start < END_S
    assert builder.given_up == [1]


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


def test_an_error_is_told_and_the_next_image_is_answered(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    quick = builder.made[0].quick

    def fail(_pixels: Pixels) -> Any:
        raise RuntimeError("shape mismatch")

    builder.made[0].quick = fail  # type: ignore[method-assign, assignment]
    thread.ask(LedgerRequest(1, drawing()))
    qtbot.waitUntil(lambda: bool(heard.failures))
    assert heard.failures[0].reason == "shape mismatch"
    builder.made[0].quick = quick  # type: ignore[method-assign]
    thread.ask(LedgerRequest(2, drawing()))
    qtbot.waitUntil(lambda: bool(heard.of(2)))


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

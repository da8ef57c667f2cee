"""A run: what it yields, what it depends on, and what it does not."""

import itertools
import threading

import numpy as np
import pytest
import torch

from core.config import DataConfig
from core.data.binarisation import seen_by_model
from core.settings import ConfigError
from core.snapshots import HeldOutReport, Progress, StepReports
from core.training import held_out
from core.training.errors import TrainingError
from core.training.loop import Event
from tests.core.training.runs import (
    MODELS_AND_NETWORKS,
    a_run,
    a_run_to_end,
    finished,
    held_out_of,
    notes_of,
    same_weights,
    some_data,
    steps_of,
    watch_steps,
)


def test_a_run_reports_every_step_once_and_then_ends() -> None:
    run = a_run()
    events = finished(run)
    assert steps_of(events) == list(range(1, 9))  # 30 images in batches of 8, the last of 6, twice
    assert run.step == run.total_steps == 8
    assert finished(run) == []


def test_progress_rises_to_the_end() -> None:
    progress = [event for event in finished(a_run()) if isinstance(event, Progress)]
    assert [report.step for report in progress] == sorted(report.step for report in progress)
    assert progress[-1].epoch == progress[-1].total_epochs == 2.0
    assert progress[-1].seconds_left == 0.0
    assert all(report.images_per_second > 0.0 for report in progress)


def test_training_lowers_the_cost() -> None:
    run = a_run(model="autoencoder", epochs=20, learning_rate=0.03)
    finished(run)
    complete = [report for report in run.history.held_out if report.complete]
    assert complete[-1].means.nll < complete[0].means.nll - 1.0


@pytest.mark.parametrize(("model", "network"), MODELS_AND_NETWORKS)
@pytest.mark.parametrize("latent_dim", [1, 3])
def test_every_model_is_trained_by_the_same_loop(model: str, network: str, latent_dim: int) -> None:
    run = a_run(model=model, network=network, latent_dim=latent_dim)
    before = run.weights()
    events = finished(run)
    columns = latent_dim if run.config.model.has_prior else 0
    for event in events:
        if isinstance(event, StepReports):
            assert event.kl_per_dimension.shape == (len(event), columns)
            assert np.isfinite(event.nll).all()
            assert np.isfinite(event.kl).all() == run.config.model.has_prior
        if isinstance(event, HeldOutReport):
            assert (event.means.elbo is not None) == run.config.model.has_prior
            assert len(event.means.kl_per_dimension) == columns
    after = run.weights()
    assert all(not np.array_equal(before.arrays[name], after.arrays[name]) for name in before.arrays)


def test_the_kl_is_the_sum_over_dimensions() -> None:
    steps = a_run_to_end(latent_dim=3).history.steps()
    np.testing.assert_allclose(steps.kl, steps.kl_per_dimension.sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("chunk", [1, 3, 256, None])
def test_the_chunk_changes_no_weight(chunk: int | None) -> None:
    one, other = a_run(steps_per_chunk=4), a_run(steps_per_chunk=chunk)
    finished(one)
    finished(other)
    assert same_weights(one.weights(), other.weights())
    assert np.array_equal(one.history.steps().nll, other.history.steps().nll)
    assert one.history.held_out == other.history.held_out


def test_the_seed_decides_everything() -> None:
    first, second, other = a_run_to_end(), a_run_to_end(), a_run_to_end(**{"training.seed": 4})
    assert same_weights(first.weights(), second.weights())
    assert not same_weights(first.weights(), other.weights())


def test_the_global_generator_is_neither_used_nor_touched() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = a_run_to_end()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert same_weights(first.weights(), a_run_to_end().weights())


def test_a_pause_leaves_no_trace() -> None:
    unbroken = a_run_to_end()
    paused = a_run()
    events = []
    while paused.step < paused.total_steps:
        # The generator is dropped after each event, and the model looked at and saved.
        iterator = paused.events()
        events.append(next(iterator))
        iterator.close()
        paused.weights()
        paused.saved()
    events.extend(paused.events())
    assert same_weights(unbroken.weights(), paused.weights())
    assert steps_of(events) == list(range(1, 9))
    assert unbroken.history.held_out == paused.history.held_out


def test_a_stop_between_two_reports_of_an_evaluation_loses_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "PIECE", 5)
    monkeypatch.setattr(held_out, "NUM_SUBSET", 5)
    unbroken, paused = a_run(epochs=1), a_run(epochs=1)
    expected = [event for event in finished(unbroken) if isinstance(event, HeldOutReport)]
    told: list[Event] = []
    while paused.step < paused.total_steps or len(told) < len(expected):
        iterator = paused.events()
        # StopIteration here would be a report that was never told.
        told.append(next(event for event in iterator if isinstance(event, HeldOutReport)))
        iterator.close()
    assert {report.num_images for report in expected} == {5, 10}
    assert told == paused.history.held_out == unbroken.history.held_out == expected


def test_a_run_that_computes_longer_between_two_yields_computes_the_same() -> None:
    data = some_data(60, 10)
    usual, stretched = (a_run(data, batch_size=2, epochs=2, steps_per_chunk=3) for _ in range(2))
    lengths: list[int] = []
    for event in stretched.events():
        stretched.stretch = 3 if 20 <= stretched.step < 40 else 1
        lengths += [len(event)] if isinstance(event, StepReports) else []
    finished(usual)
    assert max(lengths) > 3
    assert same_weights(usual.weights(), stretched.weights())
    assert usual.history.held_out == stretched.history.held_out


def test_evaluations_do_not_perturb_training() -> None:
    with_held_out = a_run(some_data(30, 10))
    without = a_run(some_data(30, 0))
    assert held_out_of(finished(with_held_out), complete=True)
    assert not held_out_of(finished(without), complete=True)
    assert same_weights(with_held_out.weights(), without.weights())


def test_what_torch_keeps_for_all_is_set_only_while_the_run_computes() -> None:
    def kept() -> tuple[bool, bool, bool, bool]:
        cudnn = torch.backends.cudnn
        flushes = float(torch.tensor([1e-40]).mul(1.0)) == 0.0
        return cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, flushes

    before, run, within = kept(), a_run(network="conv"), set()
    watch_steps(run, lambda _planned: within.add(kept()))
    for _ in run.events():
        assert kept() == before
    assert within == {(True, False, False, True)} != {before}


def test_a_run_takes_the_threads_of_its_plan() -> None:
    before, run, within = torch.get_num_threads(), a_run(threads=2), set()
    watch_steps(run, lambda _planned: within.add(torch.get_num_threads()))
    try:
        finished(run)
    finally:
        torch.set_num_threads(before)
    assert within == {run.plan.threads} == {2}


def test_no_two_steps_draw_the_same_noise() -> None:
    run, seeds = a_run(epochs=3), list[int]()
    watch_steps(run, lambda planned: seeds.extend(planned.seeds))
    finished(run)
    # A generator of the processor takes no more of a seed than this.
    assert len({seed % 2**32 for seed in seeds}) == len(seeds) == 12


def test_the_thread_that_pulls_may_change() -> None:
    unbroken, run = a_run_to_end(), a_run()

    def pull_some() -> None:
        list(itertools.islice(run.events(), 3))

    for _ in range(20):
        thread = threading.Thread(target=pull_some)
        thread.start()
        thread.join()
    assert run.step == run.total_steps
    assert same_weights(unbroken.weights(), run.weights())


def test_held_out_images_are_evaluated_within_and_at_the_end_of_an_epoch() -> None:
    events = finished(a_run(some_data(80, 2100), epochs=1))
    assert [(report.epoch, report.num_images) for report in held_out_of(events, complete=False)] == [
        (0.2, 2000),
        (0.5, 2000),
        (0.8, 2000),
        (1.0, 2000),
    ]
    assert [(report.epoch, report.num_images) for report in held_out_of(events, complete=True)] == [(1.0, 2100)]


def test_the_same_weights_have_the_same_held_out_cost_every_time() -> None:
    run = a_run_to_end(learning_rate=1e-30)
    assert len({report.means for report in run.history.held_out if report.complete}) == 1


def test_the_held_out_cost_is_that_of_what_the_model_sees() -> None:
    run = a_run_to_end(model="autoencoder")
    images = some_data().held_out.images
    seen = seen_by_model(images, np.arange(len(images)), run.config.data)
    model, x = run._model, torch.from_numpy(seen)
    with torch.no_grad():
        expected = float(-model.likelihood.log_prob(x, model(x)).mean())
    assert run.history.held_out[-1].means.nll == pytest.approx(expected, rel=1e-5)


def test_the_held_out_elbo_is_at_beta_one_whatever_beta() -> None:
    run = a_run_to_end(beta=20.0, epochs=1)
    same_weights_at_beta_one = a_run(start=run.saved(), learning_rate=1e-30, epochs=1)
    finished(same_weights_at_beta_one)
    last, again = run.history.held_out[-1], same_weights_at_beta_one.history.held_out[-1]
    assert last.means == again.means
    assert last.means.elbo == pytest.approx(-(last.means.nll + sum(last.means.kl_per_dimension)))


def test_a_larger_beta_lowers_the_kl() -> None:
    plain, strong = a_run_to_end(epochs=12), a_run_to_end(epochs=12, beta=20.0)
    assert strong.history.steps().kl[-1] < 0.5 * plain.history.steps().kl[-1]


@pytest.mark.parametrize("binarisation", ["dynamic", "fixed", "threshold", "none"])
def test_each_binarisation_shows_the_model_what_it_says(binarisation: str) -> None:
    data = some_data()
    run = a_run(data, binarisation=binarisation)
    indices = torch.arange(30)
    one = run._place.images.batch(indices, torch.Generator().manual_seed(1)).numpy()
    other = run._place.images.batch(indices, torch.Generator().manual_seed(2)).numpy()
    if binarisation == "dynamic":
        assert set(np.unique(one)) == {0.0, 1.0}
        assert not np.array_equal(one, other)
        draws = np.mean(
            [run._place.images.batch(indices, torch.Generator().manual_seed(seed)).numpy() for seed in range(500)],
            axis=0,
        )
        probability = data.train.images[:].reshape(30, -1) / 255.0
        error = 5.0 * np.sqrt(probability * (1.0 - probability) / 500) + 0.003
        assert (np.abs(draws - probability) <= error).all()
        assert (draws[probability == 0.0] == 0.0).all()
    else:
        expected = seen_by_model(data.train.images, np.arange(30), DataConfig(binarisation=binarisation))
        np.testing.assert_allclose(one, expected, atol=1e-6)
        assert np.array_equal(one, other)


def test_white_stays_white_and_black_stays_black() -> None:
    for grey, value in ((0, 0.0), (255, 1.0)):
        run = a_run(some_data(grey=grey))
        draws = [run._place.images.batch(torch.arange(30), torch.Generator().manual_seed(seed)) for seed in range(50)]
        assert all(bool((draw == value).all()) for draw in draws)


@pytest.mark.parametrize(("num_train", "num_held_out"), [(1, 1), (1, 0), (2, 1), (5, 3)])
def test_fewer_images_than_a_batch_are_enough(num_train: int, num_held_out: int) -> None:
    run = a_run(some_data(num_train, num_held_out), epochs=3)
    assert steps_of(finished(run)) == [1, 2, 3]
    assert np.isfinite(run.history.steps().nll).all()


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_constant_pictures_are_learned_without_a_fault(grey: int) -> None:
    run = a_run(some_data(grey=grey), epochs=5)
    events = finished(run)
    assert not notes_of(events, "non_finite")
    assert all(np.isfinite(array).all() for array in run.weights().arrays.values())


def test_the_order_of_images_is_new_in_each_epoch_and_leaves_none_out() -> None:
    run, seen = a_run(), list[torch.Tensor]()
    watch_steps(run, lambda planned: seen.extend(planned.indices))
    finished(run)
    epochs = [torch.cat(seen[:4]).tolist(), torch.cat(seen[4:]).tolist()]
    assert [sorted(epoch) for epoch in epochs] == [list(range(30))] * 2
    assert epochs[0] != epochs[1]


def test_versions_of_weights_are_numbered_and_cloned() -> None:
    run = a_run()
    first, second = run.weights(), run.weights()
    assert (first.version, second.version) == (1, 2)
    assert (first.step, second.step) == (0, 0)
    finished(run)
    assert run.weights().step == 8
    assert same_weights(first, second)
    assert not any(array.flags.writeable for array in first.arrays.values())


def test_the_learning_rate_and_beta_change_at_the_next_step_and_are_noted() -> None:
    run = a_run()
    iterator = run.events()
    while run.step < 2:
        next(iterator)
    at = run.step
    run.set_learning_rate(0.004)
    run.set_beta(2.0)
    settings = notes_of(list(iterator), "setting")
    assert {(note.step, note.text) for note in settings} == {(at, "learning_rate 0.01 → 0.004"), (at, "beta 1 → 2")}
    assert run.config.training.learning_rate == 0.004
    assert run.config.objective.beta == 2.0
    assert run._place.stepper.adam.rate == 0.004
    assert settings[0] in run.history.notes


def test_a_learning_rate_set_before_the_first_step_is_as_if_configured() -> None:
    configured, set_later = a_run_to_end(learning_rate=0.002), a_run()
    set_later.set_learning_rate(0.002)
    finished(set_later)
    assert same_weights(configured.weights(), set_later.weights())


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), 1e9])
def test_a_learning_rate_that_makes_no_sense_is_refused_and_changes_nothing(value: float) -> None:
    run = a_run()
    with pytest.raises(ConfigError, match="learning_rate must lie in"):
        run.set_learning_rate(value)
    with pytest.raises(ConfigError, match="beta must lie in"):
        run.set_beta(-abs(value) - 1.0)
    assert not notes_of(finished(run), "setting")


def test_cosine_ends_at_a_learning_rate_of_almost_nothing() -> None:
    run = a_run(schedule="cosine", epochs=10)
    rates = list[float]()
    watch_steps(run, lambda planned: rates.extend(planned.rates))
    finished(run)
    assert rates[0] == 0.01
    assert rates == sorted(rates, reverse=True)
    assert rates[20] == pytest.approx(0.005)
    assert rates[-1] < 1e-4


@pytest.mark.parametrize("epochs", [1, 12])
def test_the_plan_is_chosen_noted_and_kept(epochs: int) -> None:
    run = a_run(steps_per_chunk=None, epochs=epochs)
    notes = notes_of(finished(run), "start")
    assert len(notes) == 1
    assert run.plan.text in notes[0].text
    assert run.plan.threads == 1
    assert run.saved().provenance["plan"] == run.plan.text


def test_a_saved_run_says_where_it_comes_from() -> None:
    provenance = a_run_to_end().saved().provenance
    assert provenance["seed"] == "3"
    assert provenance["data"] == "blobs"
    assert provenance["data_fingerprint"] == "fingerprint"
    assert provenance["torch"] == torch.__version__
    assert provenance["date"].endswith("+00:00")


def test_the_model_takes_its_size_from_the_data() -> None:
    run = a_run(some_data(side=7))
    assert (run.config.model.image_height, run.config.model.image_width) == (7, 7)


def test_what_does_not_fit_the_data_is_refused_with_the_reason() -> None:
    saved = a_run_to_end().saved()
    with pytest.raises(TrainingError, match="6×6 pixels and blobs has 7×7: train a new model"):
        a_run(some_data(side=7), start=saved)
    with pytest.raises(TrainingError, match="latent dimensions is 2, not 5"):
        a_run(start=saved, latent_dim=5)
    with pytest.raises(TrainingError, match="blobs has no training images"):
        a_run(some_data(0, 3))
    with pytest.raises(TrainingError, match="at least 16 pixels a side"):
        a_run(network="conv", channels=(2, 2, 2, 2))


def test_a_network_that_is_too_large_is_refused_before_it_is_built() -> None:
    with pytest.raises(TrainingError, match="weights could not be saved"):
        a_run(some_data(2, 0, side=256), hidden=(8192,) * 8, latent_dim=256)

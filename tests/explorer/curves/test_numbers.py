"""The numbers behind the curves, against straightforward computations."""

import math

import numpy as np
import pyqtgraph
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QFontMetricsF

from core.history import History
from core.snapshots import ElboMeans, HeldOutReport, RunNote, StepReports, frozen
from explorer.views.curves.axis import PlainAxis, logarithmic_ticks, nice_step, plain_number
from explorer.views.curves.columns import Column
from explorer.views.curves.controls import position_of, smoothing_at
from explorer.views.curves.envelope import Envelope
from explorer.views.curves.epochs import EpochScale
from explorer.views.curves.ranges import common_range, logarithm, steady, usual_range
from explorer.views.curves.record import CurveRecord
from explorer.views.curves.scales import Scales
from explorer.views.curves.series import Series
from explorer.views.curves.smoothing import ExponentialAverage
from explorer.views.curves.trace import Line


def reports(nll: np.ndarray, kl: np.ndarray, first: int = 1) -> StepReports:
    step = np.arange(first, first + len(nll))
    return StepReports(frozen(step, np.int64), frozen(nll), frozen(kl.sum(axis=1)), frozen(kl))


def plain_average(values: list[float], weight: float) -> list[float]:
    """The recurrence, one value after another, its memory cut to a tenth of the values so far."""
    mean, count, result = 0.0, 0, []
    for value in values:
        if not math.isfinite(value):
            result.append(math.nan)
            continue
        count += 1
        factor = min(weight, max(0.0, 1.0 - 10.0 / count))
        mean = factor * mean + (1.0 - factor) * value
        result.append(mean)
    return result


@given(
    st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(math.nan), st.just(math.inf)), min_size=1, max_size=300),
    st.floats(0.0, 0.999),
    st.integers(1, 50),
)
def test_smoothing_is_the_running_mean_of_a_tenth_of_the_run_however_it_comes_in(
    values: list[float], weight: float, piece: int
) -> None:
    average = ExponentialAverage(weight)
    array = np.array(values)
    pieces = [average.extend(array[start : start + piece]) for start in range(0, len(array), piece)]
    np.testing.assert_allclose(np.concatenate(pieces), plain_average(values, weight), rtol=1e-7, atol=1e-7)


def test_an_absurd_value_does_not_drown_what_follows() -> None:
    smoothed = ExponentialAverage(0.9).extend(np.array([1.0, 1e308, 1.0, 1.0]))
    assert np.isnan(smoothed[1])
    np.testing.assert_allclose(smoothed[[0, 2, 3]], 1.0)


def test_a_steep_start_does_not_drag_the_smoothed_curve_behind() -> None:
    step = np.arange(1.0, 301.0)
    values = -120.0 - 400.0 * np.exp(-step / 30.0)
    smoothed = ExponentialAverage(0.99).extend(values)
    behind = np.searchsorted(values, smoothed)
    assert (step - behind <= 2 + 0.2 * step).all(), "never farther behind than a fifth of the run"
    assert (step - np.searchsorted(values, np.array(_debiased(values, 0.99))) > 0.3 * step).any()


def _debiased(values: np.ndarray, weight: float) -> list[float]:
    total, result = 0.0, []
    for count, value in enumerate(values.tolist(), 1):
        total = weight * total + (1.0 - weight) * value
        result.append(total / (1.0 - weight**count))
    return result


@given(st.integers(0, 100))
def test_a_stored_weight_of_smoothing_comes_back_to_its_place(position: int) -> None:
    assert smoothing_at(position_of(smoothing_at(position))) == smoothing_at(position)


def test_a_weight_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\), not 1"):
        ExponentialAverage(1.0)


@given(st.integers(0, 5000), st.integers(1, 700), st.integers(8, 400), st.data())
def test_the_envelope_keeps_every_extreme_and_draws_few_points(
    count: int, piece: int, most: int, data: st.DataObject
) -> None:
    values = np.random.default_rng(count).normal(size=count)
    values[::7] = np.nan
    envelope, column = Envelope(), Column()
    for start in range(0, count, piece):
        column.append(values[start : start + piece])
        envelope.extend(column.values)
    start = data.draw(st.integers(0, count))
    stop = data.draw(st.integers(start, count))
    rows, drawn = envelope.drawn(column.values, start, stop, most)
    assert len(rows) == len(drawn)
    assert np.all(np.diff(rows) >= 0)
    shown = values[start:stop]
    if np.isfinite(shown).any():
        # Blocks are aligned, so that nothing flickers: some points before the start may come along.
        assert np.nanmax(drawn) >= np.nanmax(shown)
        assert np.nanmin(drawn) <= np.nanmin(shown)
        assert np.isin(drawn[np.isfinite(drawn)], values).all()
    assert len(drawn) <= max(most, 16) + 4


def test_a_million_points_are_drawn_by_a_few_thousand() -> None:
    values = np.random.default_rng(0).normal(size=1_000_000)
    envelope = Envelope()
    envelope.extend(values)
    rows, drawn = envelope.drawn(values, 0, len(values), 4000)
    assert 800 <= len(drawn) <= 4004
    assert drawn.max() == values.max()
    assert drawn.min() == values.min()
    assert rows[-1] < len(values)


def test_a_wide_gap_stays_a_gap_in_the_envelope() -> None:
    values = np.ones(4096)
    values[1024:2048] = np.nan
    series = Series()
    series.extend(values)
    rows, drawn = series.drawn(0, 4096, 300)
    inside = (rows >= 1100) & (rows < 1900)
    assert inside.any()
    assert np.isnan(drawn[inside]).all()


def test_columns_grow_and_refuse_other_widths() -> None:
    column = Column(np.float32, width=3)
    for number in range(3000):
        column.append(np.full((1, 3), number))
    np.testing.assert_array_equal(column.values[:, 2], np.arange(3000))
    with pytest.raises(ValueError, match=r"\(n, 3\), not \(1, 2\)"):
        column.append(np.zeros((1, 2)))


@given(st.lists(st.tuples(st.integers(1, 1000), st.floats(0.01, 10)), min_size=1, max_size=8), st.floats(0, 1e5))
def test_steps_and_epochs_are_each_others_inverse(pieces: list[tuple[int, float]], step: float) -> None:
    scale = EpochScale()
    at_step, at_epoch = 0, 0.0
    for steps, epochs in pieces:
        at_step, at_epoch = at_step + steps, at_epoch + epochs
        scale.add(at_step, at_epoch)
        assert float(scale.to_epochs(at_step)) == pytest.approx(at_epoch)
    assert float(scale.to_steps(scale.to_epochs(step))) == pytest.approx(step, rel=1e-6, abs=1e-6)


def test_epochs_go_on_at_the_last_pace_and_pass_over_what_does_not_rise() -> None:
    scale = EpochScale()
    assert not scale.known
    scale.add(100, 1.0)
    scale.add(300, 2.0)
    scale.add(300, 9.0)
    scale.add(400, 1.5)
    assert float(scale.to_epochs(500)) == pytest.approx(3.0)
    assert float(scale.to_epochs(50)) == pytest.approx(0.5)


def test_one_far_value_does_not_stretch_the_range() -> None:
    values = np.concatenate([np.linspace(100, 110, 99), [1e6]])
    without = usual_range(values, without_outliers=True)
    assert without is not None
    assert without[1] < 140.0
    assert usual_range(values, without_outliers=False) == (100.0, 1e6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308, -1e308])
def test_no_value_makes_the_range_absurd(bad: float) -> None:
    for clip in (True, False):
        known = usual_range(np.array([1.0, 2.0, 3.0, 4.0, 5.0, bad]), without_outliers=clip)
        assert known is not None
        assert 0.0 < known[0] <= known[1] < 6.0
    assert usual_range(np.array([bad]), without_outliers=False) is None


def test_ranges_are_never_empty() -> None:
    for value in (0.0, 5.0, -1e9, 1e-12):
        found = common_range([(value, value), None])
        assert found is not None
        low, high = found
        assert low < value < high
    assert common_range([None]) is None


def test_an_axis_holds_still_for_little() -> None:
    assert steady((0.0, 100.0), (0.5, 100.5), 0.01) == (0.0, 100.0)
    assert steady((0.0, 100.0), (0.0, 103.0), 0.01) == (0.0, 103.0)


def test_logarithms_of_what_has_none_are_gaps() -> None:
    np.testing.assert_array_equal(
        logarithm(np.array([100.0, 0.0, -1.0, np.nan])), np.array([2.0, np.nan, np.nan, np.nan])
    )


@given(st.floats(-3, 6), st.floats(0.001, 6))
def test_logarithmic_axes_have_readable_ticks(low: float, decades: float) -> None:
    ticks = logarithmic_ticks(low, low + decades)
    assert ticks == sorted(ticks)
    assert all(low - 1e-9 <= tick <= low + decades + 1e-9 for tick in ticks)
    assert 2 <= len(ticks) <= 12


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [(1_200_000, 200_000, "1,200,000"), (-140, 20, "−140"), (0.25, 0.05, "0.25"), (0, 1, "0"), (2e10, 1e10, "2e+10")],
)
def test_ticks_are_plain_numbers(value: float, step: float, text: str) -> None:
    assert plain_number(value, step) == text


def test_a_nice_step_is_one_two_or_five() -> None:
    assert [nice_step(span, 5) for span in (5.0, 11.0, 26.0, 0.049)] == [1.0, 2.0, 5.0, 0.01]


@given(st.booleans(), st.booleans(), st.floats(1, 5000))
def test_places_and_steps_are_each_others_inverse(in_epochs: bool, log_x: bool, step: float) -> None:  # noqa: FBT001
    record = CurveRecord()
    record.add_held_out(HeldOutReport(469, 1.0, ElboMeans(100.0, 5.0, (5.0,)), 10_000, complete=True))
    scales = Scales(record, in_epochs, log_x, log_y=False, quantity="nll")
    assert scales.steps_at(float(scales.x_of(step))) == pytest.approx(step, rel=1e-9)


def test_a_logarithmic_axis_shares_its_points_evenly() -> None:
    record = CurveRecord()
    steps = np.arange(1, 100_001)
    scales = Scales(record, in_epochs=False, log_x=True, log_y=False, quantity="nll")
    pieces = scales.pieces(steps, 0, len(steps), (0.0, 5.0), 3000)
    assert [before for before, _, _ in pieces[1:]] == [after for _, after, _ in pieces[:-1]]
    assert pieces[0][0] == 0
    assert pieces[-1][1] == len(steps)
    assert {most for _, _, most in pieces} == {pieces[0][2]}


def test_the_elbo_is_minus_the_two_costs_whatever_beta() -> None:
    record = CurveRecord()
    generator = np.random.default_rng(1)
    nll, kl = generator.uniform(90, 110, 50), generator.uniform(0, 4, (50, 3))
    record.add_steps(reports(nll, kl))
    np.testing.assert_allclose(record.series["elbo"].values, -(nll + kl.sum(axis=1)))
    record.add_held_out(HeldOutReport(50, 1.0, ElboMeans(95.0, 6.0, (3.0, 2.0, 1.0)), 2000, complete=False))
    assert record.held_values("elbo").tolist() == [-101.0]
    assert record.held_values("kl_per_dimension", 1).tolist() == [2.0]


def test_a_record_of_a_history_is_that_of_its_parts() -> None:
    generator = np.random.default_rng(2)
    history, record = History(4), CurveRecord()
    for start in range(1, 200, 20):
        part = reports(generator.uniform(90, 110, 20), generator.uniform(0, 4, (20, 4)), start)
        report = HeldOutReport(start + 19, start / 20, ElboMeans(90.0, 4.0, (1.0,) * 4), 2000, complete=False)
        history.add_steps(part)
        history.add_held_out(report)
        record.add_steps(part)
        record.add_held_out(report)
    history.add_note(RunNote(3, "setting", "β: 1 → 4"))
    record.add_note(RunNote(3, "setting", "β: 1 → 4"))
    loaded = CurveRecord()
    loaded.load(history)
    for name, series in record.series.items():
        np.testing.assert_array_equal(series.values, loaded.series[name].values)
    np.testing.assert_array_equal(record.dimension_series(2).values, loaded.dimension_series(2).values)
    assert loaded.held_out == record.held_out
    assert loaded.notes == record.notes
    assert loaded.last_step == record.last_step == 200


def test_the_ten_largest_dimensions_are_drawn_largest_first() -> None:
    record = CurveRecord()
    sizes = np.random.default_rng(3).permutation(32).astype(float)
    record.add_steps(reports(np.ones(10), np.tile(sizes, (10, 1))))
    assert record.top_dimensions() == tuple(int(d) for d in np.argsort(-sizes)[:10])
    record.add_held_out(HeldOutReport(10, 1.0, ElboMeans(1.0, 1.0, tuple(-sizes)), 10, complete=True))
    assert record.top_dimensions() == tuple(int(d) for d in np.argsort(sizes)[:10])


def test_few_dimensions_keep_their_own_order() -> None:
    record = CurveRecord()
    record.add_steps(reports(np.ones(5), np.tile([1.0, 9.0, 3.0], (5, 1))))
    assert record.top_dimensions() == (0, 1, 2)


def test_kl_per_dimension_keeps_within_its_memory_as_means_of_steps() -> None:
    record = CurveRecord(most_kl_values=400)
    kl = np.random.default_rng(4).uniform(0, 4, (1003, 4)).astype(np.float32).astype(np.float64)
    for start in range(0, 1003, 17):
        part = kl[start : start + 17]
        record.add_steps(reports(np.ones(len(part)), part, start + 1))
    assert record.kl_rows is not None
    size = record.kl_steps_per_row
    assert size == 16
    assert record.kl_rows.values.size <= 400
    rows = len(record.kl_rows)
    assert rows == 1003 // size
    np.testing.assert_allclose(record.kl_rows.values, kl[: rows * size].reshape(rows, size, 4).mean(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(record.kl_step.values, np.arange(1, rows + 1) * size)
    assert len(record.series["kl"]) == 1003
    np.testing.assert_allclose(record.dimension_series(1).values, record.kl_rows.values[:, 1])


def test_a_model_without_kl_has_none() -> None:
    record = CurveRecord()
    step = np.arange(1, 6)
    nothing = np.full(5, np.nan)
    record.add_steps(StepReports(frozen(step, np.int64), frozen(np.ones(5)), frozen(nothing), frozen(np.zeros((5, 0)))))
    assert not record.has_kl
    record.add_held_out(HeldOutReport(5, 1.0, ElboMeans(1.0, None, ()), 10, complete=True))
    assert not record.has_kl
    assert np.isnan(record.held_values("elbo")).all()


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("size", [80.0, 100.0, 140.0, 320.0, 900.0])
@pytest.mark.parametrize("last", [9.0, 340.0, 3_400.0, 27_000.0, 1_000_000.0])
def test_numbers_below_a_plot_do_not_touch_however_narrow_it_is(size: float, last: float) -> None:
    axis = PlainAxis("bottom")
    ((step, places),) = axis.tickValues(0.0, last, size)
    metrics = QFontMetricsF(axis.font())
    widest = max(metrics.horizontalAdvance(text) for text in axis.tickStrings(places, 1.0, step))
    assert len(places) == 1 or step / last * size > widest
    assert places


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize(
    "y", [[3.0], [2.0, -7.5, 4.0], [1.0, math.nan, -2.0], [math.nan, math.nan], [], [1.0, math.inf, -3.0], [-math.inf]]
)
def test_a_line_has_the_bounds_that_pyqtgraph_finds(y: list[float]) -> None:
    x = np.arange(len(y)) * 0.5
    ours, theirs = (made(x, np.array(y)) for made in (Line, pyqtgraph.PlotCurveItem))
    for axis in (0, 1):
        expected = [None if value is None or math.isnan(value) else value for value in theirs.dataBounds(axis)]
        assert list(ours.dataBounds(axis)) == expected

"""The analysis thread: analyses side by side, replaced, held, given up and ended."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from pytestqt.qtbot import QtBot

from core.findings import Finding
from explorer.workers.analysis import Analysis, AnalysisEnded, AnalysisThread, Found, OpenModel, Steps
from tests.open_program import trained


@dataclass(frozen=True, slots=True, eq=False)
class Count(Finding):
    number: int
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class Counting(Analysis):
    """Counts up; waits at its gate before each number."""

    last: int = 3
    gate: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def steps(self, model: OpenModel) -> Steps:
        try:
            for number in range(1, self.last + 1):
                yield Count(number, model.weights.version) if self.gate.is_set() else None
        finally:
            self.closed.set()


@dataclass(frozen=True, slots=True, eq=False)
class OtherCounting(Counting):
    pass


@dataclass(frozen=True, slots=True, eq=False)
class Failing(Analysis):
    def steps(self, model: OpenModel) -> Steps:
        yield Count(1, model.weights.version)
        raise RuntimeError("the lattice is empty")


class Listener:
    def __init__(self, thread: AnalysisThread) -> None:
        self.found: list[Found] = []
        self.ended: list[AnalysisEnded] = []
        thread.found.connect(self.found.append)
        thread.ended.connect(self.ended.append)

    def numbers(self, analysis: Analysis) -> list[int]:
        findings = [found.finding for found in self.found if found.analysis is analysis]
        return [finding.number for finding in findings if isinstance(finding, Count)]


@pytest.fixture
def thread() -> Iterator[AnalysisThread]:
    thread = AnalysisThread()
    saved = trained()
    thread.set_model(saved.config.model, saved.as_weights(7))
    thread.start()
    yield thread
    thread.shut_down()
    assert thread.wait(2000)


def opened(analysis: Counting) -> Counting:
    analysis.gate.set()
    return analysis


def test_everything_found_is_told_in_order_and_then_the_end(thread: AnalysisThread, qtbot: QtBot) -> None:
    listener, analysis = Listener(thread), opened(Counting(last=5))
    thread.ask(analysis)
    qtbot.waitUntil(lambda: bool(listener.ended))
    assert listener.numbers(analysis) == [1, 2, 3, 4, 5]
    assert listener.ended[0].analysis is analysis
    assert listener.ended[0].failure is None
    assert {found.finding.version for found in listener.found if isinstance(found.finding, Count)} == {7}


def test_a_newer_analysis_of_a_kind_takes_the_place_of_the_older(thread: AnalysisThread, qtbot: QtBot) -> None:
    listener = Listener(thread)
    endless, newer = Counting(last=10**9), opened(Counting(last=2))
    thread.ask(endless)
    thread.ask(newer)
    qtbot.waitUntil(lambda: bool(listener.ended))
    assert [ended.analysis for ended in listener.ended] == [newer]
    assert listener.numbers(endless) == []


def test_an_analysis_that_is_replaced_while_it_runs_is_closed(thread: AnalysisThread, qtbot: QtBot) -> None:
    listener, endless = Listener(thread), opened(Counting(last=10**9))
    thread.ask(endless)
    qtbot.waitUntil(lambda: bool(listener.numbers(endless)))
    thread.ask(opened(Counting(last=1)))
    qtbot.waitUntil(endless.closed.is_set)
    qtbot.waitUntil(lambda: bool(listener.ended))
    assert [ended.analysis is endless for ended in listener.ended] == [False]


def test_two_kinds_run_side_by_side(thread: AnalysisThread, qtbot: QtBot) -> None:
    listener, endless, short = Listener(thread), opened(Counting(last=10**9)), opened(OtherCounting(last=3))
    thread.ask(endless)
    qtbot.waitUntil(lambda: bool(listener.numbers(endless)))
    thread.ask(short)
    qtbot.waitUntil(lambda: bool(listener.ended))
    assert listener.ended[0].analysis is short
    assert not endless.closed.is_set()


def test_a_held_analysis_moves_only_as_often_as_it_is_pulled(thread: AnalysisThread, qtbot: QtBot) -> None:
    listener, analysis = Listener(thread), opened(Counting(last=10**9))
    thread.ask(analysis)
    qtbot.waitUntil(lambda: bool(listener.numbers(analysis)))
    thread.hold(Counting)
    other = opened(OtherCounting(last=3))
    thread.ask(other)
    qtbot.waitUntil(lambda: bool(listener.ended))
    count = len(listener.numbers(analysis))
    thread.ask(opened(OtherCounting(last=3)))
    qtbot.waitUntil(lambda: len(listener.ended) == 2)
    assert len(listener.numbers(analysis)) == count
    for more in (1, 2):
        thread.pull_once(Counting)
        qtbot.waitUntil(lambda: len(listener.numbers(analysis)) == count + more)  # noqa: B023 - called in this round
    assert listener.numbers(analysis) == list(range(1, count + 3))


def test_what_is_given_up_says_nothing_more(thread: AnalysisThread, qtbot: QtBot) -> None:
    listener, analysis = Listener(thread), opened(Counting(last=10**9))
    thread.ask(analysis)
    qtbot.waitUntil(lambda: bool(listener.numbers(analysis)))
    thread.give_up(Counting)
    qtbot.waitUntil(analysis.closed.is_set)
    assert listener.ended == []


def test_all_are_given_up_when_another_model_comes(thread: AnalysisThread, qtbot: QtBot) -> None:
    listener, first, second = Listener(thread), opened(Counting(last=10**9)), opened(OtherCounting(last=10**9))
    for analysis in (first, second):
        thread.ask(analysis)
    qtbot.waitUntil(lambda: bool(listener.numbers(first)) and bool(listener.numbers(second)))
    thread.give_up_all()
    qtbot.waitUntil(lambda: first.closed.is_set() and second.closed.is_set())
    assert listener.ended == []


def test_a_failure_is_told_and_the_thread_goes_on(thread: AnalysisThread, qtbot: QtBot) -> None:
    listener = Listener(thread)
    thread.ask(Failing())
    qtbot.waitUntil(lambda: bool(listener.ended))
    failure = listener.ended[0].failure
    assert failure is not None
    assert failure.reason == "the lattice is empty"
    assert "RuntimeError" in failure.details
    thread.ask(opened(Counting(last=1)))
    qtbot.waitUntil(lambda: len(listener.ended) == 2)


def test_an_analysis_waits_for_a_model(qtbot: QtBot) -> None:
    thread = AnalysisThread()
    listener, analysis = Listener(thread), opened(Counting(last=1))
    thread.start()
    thread.ask(analysis)
    saved = trained()
    thread.set_model(saved.config.model, saved.as_weights(9))
    qtbot.waitUntil(lambda: bool(listener.ended))
    assert listener.numbers(analysis) == [1]
    thread.shut_down()
    assert thread.wait(2000)


def test_it_ends_in_the_middle_of_an_analysis() -> None:
    thread, analysis = AnalysisThread(), Counting(last=10**9)
    saved = trained()
    thread.set_model(saved.config.model, saved.as_weights(1))
    thread.start()
    thread.ask(analysis)
    thread.shut_down()
    assert thread.wait(2000)


@dataclass(frozen=True, slots=True, eq=False)
class Patient(Counting):
    patient: ClassVar[bool] = True


def test_only_patient_analyses_rest_while_the_hand_moves(thread: AnalysisThread, qtbot: QtBot) -> None:
    listener, patient, other = Listener(thread), opened(Patient(last=40)), opened(Counting(last=40))
    thread.set_hand_moving(True)
    thread.ask(patient)
    thread.ask(other)
    qtbot.waitUntil(lambda: bool(listener.ended))
    assert [ended.analysis for ended in listener.ended] == [other]
    assert listener.numbers(patient) == []
    thread.set_hand_moving(False)
    qtbot.waitUntil(lambda: len(listener.ended) == 2)
    assert listener.numbers(patient) == list(range(1, 41))

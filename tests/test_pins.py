"""The versions that ./run installs fit what the project asks for, and none of them is the one that loses None."""

import ctypes
import re
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.house_rules import ROOT

# Since Python 3.12 None is immortal: its count does not move, and nothing can lose it.
counts_none = pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal since Python 3.12")
SLACK = 50
"""References to None that unrelated code may drop meanwhile; the faulty Qt binding lost one at each call."""


def constraints() -> dict[str, Version]:
    """Return the pinned version of each package by its normalised name."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").split()
    return {normalised(name): Version(pin) for name, _, pin in (line.partition("==") for line in lines)}


def requirements() -> list[Requirement]:
    """Return what pyproject.toml asks for on this Python, for use and for development."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    wanted = [Requirement(line) for line in lines]
    return [each for each in wanted if each.marker is None or each.marker.evaluate()]


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def references_lost(action: Callable[[], object]) -> int:
    """Return how many references to None are gone after the action."""
    before = sys.getrefcount(None)
    action()
    return before - sys.getrefcount(None)


class Emitter(QObject):
    """A signal with a slot of its own."""

    happened = Signal(int, float)

    def __init__(self) -> None:
        super().__init__()
        self.received = 0
        self.happened.connect(self.receive)

    def receive(self, _number: int, _value: float) -> None:
        """Count an emit."""
        self.received += 1

    def emit_often(self) -> None:
        """Emit 5,000 times."""
        for number in range(5_000):
            self.happened.emit(number, 0.5)


def test_every_requirement_has_a_pin_that_fits() -> None:
    pins = constraints()
    unpinned = [each.name for each in requirements() if normalised(each.name) not in pins]
    assert not unpinned
    unfit = [str(each) for each in requirements() if pins[normalised(each.name)] not in each.specifier]
    assert not unfit


def test_qt_is_older_than_the_version_that_aborts_on_this_python() -> None:
    installed = Version(version("PySide6-Essentials"))
    assert sys.version_info >= (3, 12) or installed < Version("6.12")
    assert constraints()["pyside6-essentials"] < Version("6.12")


@pytest.mark.parametrize(("python", "allowed"), [("3.11", False), ("3.12", True), ("3.13", True)])
def test_the_project_itself_keeps_that_version_out(python: str, *, allowed: bool) -> None:
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    asked = [Requirement(line) for line in lines if line.startswith("PySide6-Essentials")]
    here = [each for each in asked if each.marker is None or each.marker.evaluate({"python_version": python})]
    assert len(here) == 1
    assert here[0].specifier.contains("6.12.0") is allowed


@counts_none
def test_five_thousand_emits_lose_no_reference_to_none(qtbot: QtBot) -> None:  # noqa: ARG001 - Qt's application
    emitter = Emitter()
    assert references_lost(emitter.emit_often) < SLACK
    assert emitter.received == 5_000


@counts_none
def test_a_thousand_void_calls_lose_no_reference_to_none(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)

    def call_often() -> None:
        for number in range(1_000):
            widget.setToolTip(str(number))

    assert references_lost(call_often) < SLACK


@counts_none
def test_a_lost_reference_to_none_is_noticed() -> None:
    none = ctypes.py_object(None)

    def lose() -> None:
        for _ in range(1_000):
            ctypes.pythonapi.Py_DecRef(none)

    try:
        assert references_lost(lose) > SLACK
    finally:
        for _ in range(1_000):
            ctypes.pythonapi.Py_IncRef(none)

"""A canvas with known codes, and a record of every intent it says."""

from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from core.findings.evidence import PosteriorMap
from core.snapshots import Codes, Mosaic, frozen
from explorer.messages import Handle
from explorer.views.canvas import LatentCanvas

INTENTS = (
    "handle_dragged",
    "handle_drag_ended",
    "handle_selected",
    "handle_add_requested",
    "handle_remove_requested",
    "handle_pin_toggled",
    "point_grabbed",
    "point_chosen",
    "point_hovered",
    "axes_chosen",
    "labels_shown_changed",
)


def make_codes(mean: Any, labels: Any = None, version: int = 1) -> Codes:
    mean = frozen(np.atleast_2d(np.asarray(mean)), np.float32)
    return Codes(
        mean=mean,
        log_var=None,
        kl=None,
        indices=frozen(np.arange(len(mean)), np.int64),
        labels=None if labels is None else frozen(labels, np.int64),
        split="train",
        total=len(mean),
        version=version,
    )


def make_handle(handle_id: int, *code: float, anchor: int | None = None, pinned: bool = False) -> Handle:
    return Handle(handle_id, frozen(np.array(code), np.float32), anchor, pinned)


def make_mosaic(
    picture: Any, low: tuple[float, float], high: tuple[float, float], axes: tuple[int, int] = (0, 1)
) -> Mosaic:
    return Mosaic(frozen(picture, np.uint8), low, high, axes, version=1)


def make_map(density: Any, *ranges: tuple[float, float]) -> PosteriorMap:
    """Return a posterior map from rows of numbers, first row at the top, and its range on each latent dimension."""
    rows = frozen(np.atleast_2d(np.asarray(density)), np.float32)
    low, high = zip(*ranges, strict=True)
    return PosteriorMap(rows, low, high, (high[0] - low[0]) / rows.shape[1], version=1)


class Recorder:
    """Keeps what a canvas said, in order."""

    def __init__(self, canvas: LatentCanvas) -> None:
        self.said: list[tuple[Any, ...]] = []
        self._slots = []
        for name in INTENTS:
            slot = self._slot(name)
            self._slots.append(slot)
            getattr(canvas, name).connect(slot)

    def _slot(self, name: str) -> Any:
        def record(*values: Any) -> None:
            self.said.append((name, *values))

        return record

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [entry[1:] for entry in self.said if entry[0] == name]

    @property
    def but_hover(self) -> list[tuple[Any, ...]]:
        return [entry for entry in self.said if entry[0] != "point_hovered"]


@pytest.fixture
def canvas(qtbot: QtBot) -> LatentCanvas:
    widget = LatentCanvas()
    qtbot.addWidget(widget)
    widget.resize(600, 500)
    widget.set_latent_dim(2, True)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.activateWindow()
    widget.setFocus()
    return widget


@pytest.fixture
def recorder(canvas: LatentCanvas) -> Recorder:
    return Recorder(canvas)

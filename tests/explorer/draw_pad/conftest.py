"""A pad on the screen, and a hand that draws on it with real events."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from core.snapshots import PictureEncoding, frozen
from explorer.messages import Drawing
from explorer.views.draw_pad import DrawPad

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


class Hand:
    """Draws in ink pixels and keeps every drawing that the pad tells of."""

    def __init__(self, pad: DrawPad) -> None:
        self.pad = pad
        self.drawings: list[Drawing] = []
        pad.drawing_changed.connect(self.drawings.append)

    def at(self, x: float, y: float) -> QPoint:
        return self.pad.surface.widget_from_ink(x, y).toPoint()

    def press(self, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
        QTest.mousePress(self.pad.surface, button, pos=self.at(x, y))

    def move(self, x: float, y: float) -> None:
        QTest.mouseMove(self.pad.surface, self.at(x, y))

    def release(self, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseRelease(self.pad.surface, button, pos=self.at(x, y))

    def stroke(self, points: Sequence[tuple[float, float]], button: Qt.MouseButton = LEFT) -> None:
        self.press(*points[0], button)
        for point in points[1:]:
            self.move(*point)
        self.release(*points[-1], button)

    def ink_at(self, x: float, y: float) -> int:
        return int(self.pad.drawing().raw[int(y), int(x)])


@pytest.fixture
def pad(qtbot: QtBot) -> Iterator[DrawPad]:
    # A window of its own would ask for its least size, of which the offscreen platform complains.
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(360, 680)
    pad = DrawPad()
    pad.setParent(window)
    pad.resize(360, 680)
    window.show()
    qtbot.waitExposed(window)
    # Laid out before the first mouse position is worked out.
    qtbot.waitUntil(lambda: pad.surface.width() > 200)
    yield pad
    window.close()


@pytest.fixture
def hand(pad: DrawPad) -> Hand:
    return Hand(pad)


def encoding(*, latent_dim: int = 2, autoencoder: bool = False, grey: bool = False) -> PictureEncoding:
    """Return an encoding with NLL 140.25, KL 6.5 and sigma one half in every dimension."""
    generator = np.random.default_rng(0)
    seen = np.where(generator.random((28, 28)) < 0.2, 255, 0).astype(np.uint8)
    if grey:
        seen[3, 4] = 100
    return PictureEncoding(
        seen=frozen(seen),
        mean=frozen(np.linspace(-1.5, 1.0, latent_dim), np.float32),
        log_var=None if autoencoder else frozen(np.full(latent_dim, 2 * np.log(0.5)), np.float32),
        deterministic=frozen(generator.integers(0, 255, (28, 28)), np.uint8),
        stochastic=frozen(np.zeros((28, 28)), np.uint8),
        nll=140.25,
        kl=None if autoencoder else 6.5,
        num_samples=64,
        version=12,
        scale=frozen(np.eye(latent_dim) * (0.0 if autoencoder else 0.5), np.float32),
    )


def ink_position(pad: DrawPad, x: float, y: float) -> QPointF:
    """Return ink pixels as a position of the surface, not rounded."""
    return pad.surface.widget_from_ink(x, y)

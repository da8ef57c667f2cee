"""The view follows codes that grow while a model learns, unless the user has chosen one."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.snapshots import Codes
from explorer.views.canvas import LatentCanvas


def cloud(reach: float, version: int = 1) -> Codes:
    mean = np.random.default_rng(0).uniform(-reach, reach, (400, 2)).astype(np.float32)
    return Codes(mean, None, None, np.arange(400), None, "held_out", 400, version)


@pytest.fixture
def canvas(qtbot: QtBot) -> LatentCanvas:
    canvas = LatentCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(500, 500)
    canvas.set_latent_dim(2, has_prior=False)
    canvas.set_codes(cloud(0.05), ())
    canvas.fit_view()
    return canvas


def test_codes_that_outgrow_a_fitted_view_are_followed(canvas: LatentCanvas) -> None:
    canvas.set_codes(cloud(20.0, 2), ())
    canvas.refit_view()
    assert canvas.extent().width > 30.0


def test_codes_that_grow_a_little_do_not_move_the_map(canvas: LatentCanvas) -> None:
    before = canvas.extent()
    canvas.set_codes(cloud(0.0505, 2), ())
    canvas.refit_view()
    assert canvas.extent() == before


def test_a_view_the_user_chose_stays(canvas: LatentCanvas) -> None:
    middle = QPointF(250, 250)
    wheel = QWheelEvent(
        middle, canvas.mapToGlobal(middle), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, wheel)
    before = canvas.extent()
    canvas.set_codes(cloud(20.0, 2), ())
    canvas.refit_view()
    assert canvas.extent() == before


def test_a_view_that_followed_a_diverging_run_comes_back_with_the_codes(canvas: LatentCanvas) -> None:
    canvas.set_latent_dim(2, has_prior=True)
    canvas.fit_view()
    usual = canvas.extent()
    canvas.set_codes(cloud(1e6, 2), ())
    canvas.refit_view()
    assert canvas.extent().width > 1e6
    # The weights of an earlier step are back.
    canvas.set_codes(cloud(0.05, 3), ())
    canvas.refit_view()
    assert canvas.extent() == usual


def test_a_prior_keeps_the_view_as_wide_as_itself(canvas: LatentCanvas) -> None:
    canvas.set_latent_dim(2, has_prior=True)
    canvas.set_codes(cloud(3.0, 2), ())
    canvas.fit_view()
    before = canvas.extent()
    canvas.set_codes(cloud(0.05, 3), ())
    canvas.refit_view()
    assert canvas.extent() == before

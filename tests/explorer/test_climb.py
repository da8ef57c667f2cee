"""The plot of a fit: its labels stand where the curve is not."""

import itertools

import pytest
from PySide6.QtCore import QLineF, QRectF
from pytestqt.qtbot import QtBot

from explorer.views.fit.climb import ClimbPlot

LOG_PX, ENCODER = -143.64, -145.21
CLIMBS = {
    "from the encoder's q": [ENCODER, -144.6, -144.2, *[-144.1] * 33],
    "from the prior": [-400.0, -210.0, -150.0, *[-144.1] * 33],
    "one step": [ENCODER, -144.9],
    "nothing to gain": [ENCODER] * 30,
}


def plot(qtbot: QtBot, height: int) -> ClimbPlot:
    shown = ClimbPlot()
    qtbot.addWidget(shown)
    shown.resize(420, height)
    shown.set_lines([(LOG_PX, "log p(x)", "density"), (ENCODER, "encoder's ELBO", "accent")])
    return shown


def crosses(rect: QRectF, segment: QLineF) -> bool:
    corners = [rect.topLeft(), rect.topRight(), rect.bottomRight(), rect.bottomLeft(), rect.topLeft()]
    hits = (segment.intersects(QLineF(*pair))[0] for pair in itertools.pairwise(corners))
    return rect.contains(segment.p1()) or QLineF.IntersectionType.BoundedIntersection in hits


@pytest.mark.parametrize("height", [100, 240])
@pytest.mark.parametrize("climb", CLIMBS.values(), ids=CLIMBS)
def test_the_curve_crosses_no_label(qtbot: QtBot, climb: list[float], height: int) -> None:
    shown = plot(qtbot, height)
    shown.set_elbos(climb)
    labels = [shown.label_rect(row) for row in range(2)]
    for start, end in itertools.pairwise(shown.curve_points()):
        assert not any(crosses(label.adjusted(1, 1, -1, -1), QLineF(start, end)) for label in labels)
    assert all(QRectF(shown.rect()).contains(label) for label in labels)
    assert not labels[0].intersects(labels[1])
    assert shown.grab().width() == 420


def test_a_curve_through_a_label_is_noticed() -> None:
    label = QRectF(10.0, 10.0, 50.0, 12.0)
    assert crosses(label, QLineF(0.0, 16.0, 100.0, 16.0))
    assert not crosses(label, QLineF(0.0, 30.0, 100.0, 30.0))

"""The whole window made small: nothing lies over anything, and what has no room scrolls."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QDockWidget

from explorer.views.content_scroll import ContentScroll
from tests.open_program import OpenProgram, model_file


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path_factory.mktemp("program"), model_file()).opened()
    yield program
    program.leave()


@pytest.fixture(params=["shrunk", "arranged anew"])
def small(request: pytest.FixtureRequest, program: OpenProgram) -> OpenProgram:
    """Return the program in 800 by 600 pixels, as it is when the window was made smaller and after Reset layout."""
    program.window.resize(1440, 900)
    program.window.reset_layout()
    program.driver.wait(100)
    program.window.resize(800, 600)
    program.driver.wait(100)
    if request.param == "arranged anew":
        program.window.reset_layout()
        program.driver.wait(100)
    return program


def in_front(program: OpenProgram) -> list[QDockWidget]:
    return [dock for dock in program.window.docks.all() if not dock.visibleRegion().isEmpty()]


def test_no_panel_lies_over_another(small: OpenProgram) -> None:
    window = small.window
    for dock in window.docks.all():
        dock.raise_()
        QApplication.processEvents()  # noqa: TID251 - lets the tab come to the front
        small.driver.wait(50)
        places = [window.centralWidget().geometry(), *(other.geometry() for other in in_front(small))]
        for number, place in enumerate(places):
            assert QRect(QPoint(0, 0), window.size()).contains(place), dock.objectName()
            assert not any(place.intersects(other) for other in places[:number]), dock.objectName()


def test_every_panel_has_the_room_it_needs_or_scrolls(small: OpenProgram) -> None:
    for dock in small.window.docks.all():
        dock.raise_()
        small.driver.wait(50)
        scrolls = dock.findChildren(ContentScroll)
        assert scrolls, dock.objectName()
        for scroll in scrolls:
            least = scroll.content.minimumSizeHint()
            assert scroll.content.width() >= least.width(), dock.objectName()
            assert scroll.content.height() >= scroll.needed_height(scroll.content.width()), dock.objectName()


def test_the_curves_have_a_plot_with_a_height(small: OpenProgram) -> None:
    curves = small.views.curves
    small.window.docks.curves.raise_()
    small.driver.wait(50)
    (plot,) = [plot for plot in curves.plots.values() if plot.isVisible()]
    assert plot.height() >= 84
    parts = [curves.controls, curves.legend, curves.controls.save, plot]
    places = [QRect(part.mapTo(curves, QPoint(0, 0)), part.size()) for part in parts]
    for number, place in enumerate(places):
        assert curves.rect().contains(place)
        assert not any(place.intersects(other) for other in places[:number])


def test_the_parts_of_a_slider_stand_beside_each_other(small: OpenProgram) -> None:
    small.window.docks.hand.raise_()
    small.driver.wait(50)
    row = small.views.sliders.row(0)
    parts = [row.label, row.track, row.field, row.weight, row.animate, row.reset]
    places = [part.geometry() for part in parts if part.isVisible()]
    assert len(places) >= 5
    for left, right in pairwise(places):
        assert left.right() < right.left()
    assert row.reset.geometry().right() <= row.width()


def test_the_tools_above_the_canvas_keep_their_sizes(small: OpenProgram) -> None:
    strip = small.window._strip
    assert strip.width() >= strip.minimumSizeHint().width()
    assert strip._splits.width() >= strip._splits.minimumSizeHint().width()

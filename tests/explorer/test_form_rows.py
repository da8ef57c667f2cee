"""Rows of a form that are made after the others."""

from typing import Any

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QLabel, QWidget

from core.config import SECTIONS, ExperimentConfig
from explorer.views.forms import SectionForm, folded
from tests.explorer.test_forms import Shown

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def model(qtbot: Any) -> Shown:
    return Shown(qtbot, "model")


def focus_order(form: SectionForm) -> list[str]:
    names, widget = [], form.nextInFocusChain()
    while widget is not None and widget is not form:
        if widget.objectName() in form.values() or widget.accessibleName() == "More settings":
            names.append(widget.objectName() or "more")
        widget = widget.nextInFocusChain()
    return names


def test_a_row_is_made_when_it_is_first_shown_and_stands_where_it_belongs(model: Shown) -> None:
    form = model.form
    assert form.findChild(QWidget, "channels") is None
    assert form.findChild(QWidget, "ordering_seed") is None
    form.set_config(ExperimentConfig().with_values({"model.network": "conv", "model.likelihood": "categorical"}))
    shown = [name for name in form.values() if form.findChild(QWidget, name) and form.editor(name).isVisible()]
    assert {"channels", "grey_levels"} < set(shown)
    heights = [form.editor(name).mapTo(form, QPoint(0, 0)).y() for name in shown]
    assert heights == sorted(heights)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_focus_goes_through_rows_that_were_made_later_in_their_order(qtbot: Any, section: str) -> None:
    shown = Shown(qtbot, section)
    for name in reversed(shown.form.values()):
        shown.form.editor(name)
    declared = SECTIONS[section].settings()
    main = [setting.name for setting in declared if not folded(setting)]
    assert focus_order(shown.form) == [*main, "more", *(setting.name for setting in declared if folded(setting))]


def test_a_row_that_is_made_during_a_run_is_as_fixed_as_the_others(model: Shown) -> None:
    model.form.set_config(ExperimentConfig().with_values({"model.hidden": (64,)}))
    model.form.set_running(True)
    channels = model.form.editor("channels")
    assert not channels.isEnabled()
    assert "Fixed while a model trains." in channels.toolTip()
    assert channels.accessibleDescription()
    model.form.set_running(False)
    assert channels.isEnabled()


def test_the_label_of_a_row_that_is_made_later_stands_as_high_as_the_others(model: Shown) -> None:
    form = model.form
    form.set_config(ExperimentConfig().with_values({"model.network": "conv"}))
    labels = {label.buddy(): label for label in form.findChildren(QLabel) if label.buddy() is not None}
    before, after = (labels[form.editor(name)].contentsMargins() for name in ("latent_dim", "channels"))
    assert before == after
    assert before.top() > 0

import re
from dataclasses import fields, replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QLabel

from explorer.theme import DARK, LIGHT, Palette, apply_theme, current_palette, style_sheet

TEXT_ON = [
    ("text", "window"),
    ("text", "base"),
    ("text", "raised"),
    ("text", "button"),
    ("text", "hover"),
    ("text", "selected"),
    ("muted_text", "window"),
    ("muted_text", "base"),
    ("accent_text", "accent"),
    ("error", "window"),
    ("error", "base"),
    ("text", "error_background"),
    ("success", "window"),
    ("train", "canvas"),
    ("held_out", "canvas"),
]
SEEN_ON = [("control", "window"), ("control", "base"), ("accent", "window"), ("handle", "canvas"), ("prior", "canvas")]


@pytest.fixture(autouse=True)
def _light_again(qapp: QApplication) -> Any:
    yield
    apply_theme(qapp, "light")


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT_ON)
def test_text_can_be_read(palette: Palette, front: str, back: str) -> None:
    assert contrast(getattr(palette, front), getattr(palette, back)) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), SEEN_ON)
def test_outlines_and_marks_can_be_seen(palette: Palette, front: str, back: str) -> None:
    assert contrast(getattr(palette, front), getattr(palette, back)) >= 3.0


def test_the_contrast_of_black_on_white_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WCAG's well-known near miss


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_is_written_as_rrggbb(palette: Palette) -> None:
    for field in fields(palette):
        value = getattr(palette, field.name)
        for colour in value if isinstance(value, tuple) else (value,):
            assert isinstance(colour, bool) or re.fullmatch(r"#[0-9a-f]{6}", colour), field.name


def test_the_style_sheet_holds_no_unknown_colour() -> None:
    assert "@" not in style_sheet(DARK)
    assert DARK.accent in style_sheet(DARK)
    assert DARK.accent not in style_sheet(LIGHT)


def test_a_theme_reaches_widgets_that_are_there_already(qapp: QApplication, qtbot: Any) -> None:
    apply_theme(qapp, "light")
    label = QLabel("text")
    qtbot.addWidget(label)
    assert label.palette().color(QPalette.ColorRole.Window).name() == LIGHT.window
    apply_theme(qapp, "dark")
    assert current_palette() is DARK
    assert label.palette().color(QPalette.ColorRole.Window).name() == DARK.window
    assert DARK.raised in qapp.styleSheet()


def test_an_unknown_theme_is_refused_and_the_old_one_stays(qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    with pytest.raises(ValueError, match="must be one of system, light, dark, not 'pink'"):
        apply_theme(qapp, "pink")
    assert current_palette() is DARK


def test_system_follows_the_desktop_and_a_chosen_theme_does_not(qapp: QApplication) -> None:
    apply_theme(qapp, "system")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert current_palette() is DARK
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert current_palette() is LIGHT
    apply_theme(qapp, "light")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert current_palette() is LIGHT


def test_labels_beyond_the_tenth_repeat_colours() -> None:
    assert LIGHT.label(13) == LIGHT.labels[3]
    assert replace(LIGHT, labels=("#000000",)).label(7) == "#000000"


def contrast(first: str, second: str) -> float:
    """WCAG 2.1: (L1 + 0.05) / (L2 + 0.05) of the relative luminances."""
    brighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

"""Colours of both themes, in one place.  Views read `current_palette()` when they paint."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

# Petroff 2021 (arXiv:2107.02270), ten colours chosen by a colour-vision model and a survey to stay apart
# for people with any of the three colour-vision deficiencies.
LABEL_COLOURS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)


@dataclass(frozen=True, slots=True)
class Palette:
    """Every colour a view uses, as #rrggbb."""

    dark: bool
    window: str
    base: str
    button: str
    border: str
    text: str
    muted_text: str
    accent: str
    accent_text: str
    canvas: str
    grid: str
    prior: str
    handle: str
    handle_outline: str
    drawing_mark: str
    train: str
    held_out: str
    note: str
    error: str
    error_background: str
    success: str
    labels: tuple[str, ...] = LABEL_COLOURS

    def label(self, index: int) -> str:
        """Return the colour of a label; more labels than colours repeat them."""
        return self.labels[index % len(self.labels)]


LIGHT = Palette(
    dark=False,
    window="#f3f4f6",
    base="#ffffff",
    button="#e7e9ed",
    border="#c9cdd4",
    text="#1b1f24",
    muted_text="#5b6470",
    accent="#1f6feb",
    accent_text="#ffffff",
    canvas="#ffffff",
    grid="#e3e6ea",
    prior="#6b7480",
    handle="#d6006c",
    handle_outline="#ffffff",
    drawing_mark="#00806a",
    train="#1f6feb",
    held_out="#c2410c",
    note="#8a6d00",
    error="#b42318",
    error_background="#fdecea",
    success="#1a7f37",
)

DARK = Palette(
    dark=True,
    window="#1d2025",
    base="#15181c",
    button="#2b3037",
    border="#3a4049",
    text="#e8eaed",
    muted_text="#9aa4b0",
    accent="#5b9bff",
    accent_text="#0b0d10",
    canvas="#111316",
    grid="#2a2e35",
    prior="#9aa4b0",
    handle="#ff4fa3",
    handle_outline="#111316",
    drawing_mark="#2fd6b5",
    train="#5b9bff",
    held_out="#ff9b57",
    note="#e3c04a",
    error="#ff7b72",
    error_background="#3d1d1c",
    success="#57c76d",
)

_current = LIGHT


def current_palette() -> Palette:
    """Return the palette in force; it changes with QEvent.PaletteChange."""
    return _current


def apply_theme(app: QApplication, name: str) -> None:
    """Apply `light`, `dark` or `system` to the whole program."""
    global _current  # noqa: PLW0603 - one program, one theme
    if name == "system":
        name = "dark" if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"
    _current = DARK if name == "dark" else LIGHT
    # setColorScheme() does nothing on offscreen, vnc and bare xcb, so the palette is always our own.
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setPalette(_qt_palette(_current))


def _qt_palette(colours: Palette) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for target, colour in {
        role.Window: colours.window,
        role.WindowText: colours.text,
        role.Base: colours.base,
        role.AlternateBase: colours.window,
        role.Text: colours.text,
        role.Button: colours.button,
        role.ButtonText: colours.text,
        role.BrightText: colours.error,
        role.ToolTipBase: colours.base,
        role.ToolTipText: colours.text,
        role.PlaceholderText: colours.muted_text,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.accent_text,
        role.Link: colours.accent,
        role.Mid: colours.border,
        role.Dark: colours.border,
        role.Light: colours.base,
        role.Midlight: colours.button,
    }.items():
        palette.setColor(target, QColor(colour))
    for target in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, QColor(colours.muted_text))
    return palette

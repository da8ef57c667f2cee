"""Colours of both themes, in one place.  Views read `current_palette()` when they paint."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from PySide6.QtCore import QDir, QObject, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from resources import resource

THEMES = ("system", "light", "dark")

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
    fitted_mark: str
    """The q that is fitted to one image."""
    density: str
    """The true posterior p(z|x)."""
    train: str
    held_out: str
    note: str
    error: str
    error_background: str
    success: str
    raised: str
    """Menus, tooltips and lists that open above the window."""
    hover: str
    pressed: str
    selected: str
    """Behind something switched on."""
    selected_border: str
    accent_hover: str
    disabled_text: str
    faint: str
    """Outlines of what cannot be used, and the empty part of a bar."""
    control: str
    """Outlines that must be seen to find a control (3:1 against the window)."""
    scroll: str
    labels: tuple[str, ...] = LABEL_COLOURS

    def label(self, index: int) -> str:
        """Return the colour of a label; more labels than colours repeat them."""
        return self.labels[index % len(self.labels)]


LIGHT = Palette(
    dark=False,
    window="#f3f4f6",
    base="#ffffff",
    button="#fbfbfc",
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
    fitted_mark="#7a3ff2",
    density="#d9480f",
    train="#1f6feb",
    held_out="#c2410c",
    note="#8a6d00",
    error="#b42318",
    error_background="#fdecea",
    success="#1a7f37",
    raised="#ffffff",
    hover="#e6e9ee",
    pressed="#d9dde4",
    selected="#dbe8fd",
    selected_border="#a9c8f8",
    accent_hover="#1a60cc",
    disabled_text="#9aa1ab",
    faint="#dfe2e7",
    control="#7f8894",
    scroll="#c3c8d0",
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
    fitted_mark="#b794ff",
    density="#ffa04d",
    train="#5b9bff",
    held_out="#ff9b57",
    note="#e3c04a",
    error="#ff7b72",
    error_background="#3d1d1c",
    success="#57c76d",
    raised="#262a31",
    hover="#2f343c",
    pressed="#3a404a",
    selected="#20344f",
    selected_border="#35598a",
    accent_hover="#7db0ff",
    disabled_text="#666f7a",
    faint="#2b3037",
    control="#727c88",
    scroll="#454c56",
)

_current = LIGHT


def current_palette() -> Palette:
    """Return the palette in force; it changes with QEvent.PaletteChange."""
    return _current


def apply_theme(app: QApplication, name: str) -> None:
    """Apply `light`, `dark` or `system` to the whole program; `system` goes on following the desktop."""
    if name not in THEMES:
        raise ValueError(f"theme must be one of {', '.join(THEMES)}, not {name!r}")
    follower = _follower_of(app)
    follower.following = False
    hints = QGuiApplication.styleHints()
    # Where the platform takes it, the title bar and native dialogs follow too.
    if name == "system":
        hints.unsetColorScheme()
    else:
        hints.setColorScheme(Qt.ColorScheme.Dark if name == "dark" else Qt.ColorScheme.Light)
    follower.following = name == "system"
    dark = name == "dark" or (name == "system" and hints.colorScheme() == Qt.ColorScheme.Dark)
    _put_on(app, DARK if dark else LIGHT)


@contextmanager
def unstyled(app: QApplication) -> Iterator[None]:
    """Put the style sheet on at the end: while a window is built, each widget that gets a place resolves it anew.

    That took 80 ms of the 260 in which the window is built and painted.
    """
    sheet = app.styleSheet()
    app.setStyleSheet("")
    try:
        yield
    finally:
        app.setStyleSheet(sheet)


def style_sheet(colours: Palette) -> str:
    """Return the program's style sheet in these colours.  Raises KeyError for a colour that no palette has."""
    values = {name: str(value) for name, value in asdict(colours).items()}
    values["mode"] = "dark" if colours.dark else "light"
    text = resource("theme", "explorer.qss").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"@([a-z_]+)", lambda found: values[found[1]], text)


def _put_on(app: QApplication, colours: Palette) -> None:
    global _current  # noqa: PLW0603 - one program, one theme
    first = app.property("latent_theme") is None
    if not first and _current is colours:
        return
    _current = colours
    if first:
        QDir.addSearchPath("theme", str(resource("theme")))
        app.setStyle(QStyleFactory.create("Fusion"))
        app.setProperty("latent_theme", "set")
    # setColorScheme() does nothing on offscreen, vnc and bare xcb, so the palette is always our own.
    app.setPalette(_qt_palette(colours))
    app.setStyleSheet(style_sheet(colours))


class _Follower(QObject):
    """Puts the desktop's own scheme on while the theme is `system`."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self.setObjectName("theme_follower")
        self.following = False
        self._app = app
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.scheme_changed)

    def scheme_changed(self, scheme: Qt.ColorScheme) -> None:
        """Take the desktop's new scheme."""
        if self.following:
            _put_on(self._app, DARK if scheme == Qt.ColorScheme.Dark else LIGHT)


def _follower_of(app: QApplication) -> _Follower:
    found = app.findChild(_Follower, "theme_follower")
    return found if isinstance(found, _Follower) else _Follower(app)


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
        role.ToolTipBase: colours.raised,
        role.ToolTipText: colours.text,
        role.PlaceholderText: colours.muted_text,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.accent_text,
        role.Accent: colours.accent,
        role.Link: colours.accent,
        role.LinkVisited: colours.accent,
        role.Mid: colours.border,
        role.Dark: colours.border,
        role.Light: colours.base,
        role.Midlight: colours.button,
    }.items():
        palette.setColor(target, QColor(colour))
    for target in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, QColor(colours.disabled_text))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(colours.control))
    return palette

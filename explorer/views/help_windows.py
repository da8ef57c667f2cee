"""The overview of shortcuts, and what the program is made of."""

import html

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from explorer.commands.table import COMMANDS, MENUS, Menu, command
from explorer.theme import current_palette
from resources import resource

# What the canvas, the fields and the pad do with the mouse and keys of their own.
MOUSE = (
    (
        "Latent canvas",
        (
            ("Drag a handle", "Decode the code under the hand"),
            ("Click a point", "Put the selected handle on that image's code"),
            ("Drag a point", "Put a handle on that image's code, and drag it"),
            ("Double click, Insert", "Add a handle"),
            ("Arrow keys, with Shift further", "Move the selected handle"),
            ("P", "Pin the selected handle to its image"),
            ("Delete", "Remove the selected handle"),
            ("Wheel, +, −", "Zoom"),
            ("0", "Show all codes"),
            ("Drag the background", "Move the view"),
        ),
    ),
    (
        "Draw pad",
        (
            ("E", "Eraser on or off"),
            ("[, ]", "Thinner or thicker brush"),
            ("Delete", "Clear the pad"),
        ),
    ),
    (
        "Similar images",
        (
            ("R", "Draw new noise"),
            ("Click a neighbour", "Select that image on the canvas"),
        ),
    ),
    (
        "Number fields",
        (
            ("Up, Down, wheel", "Step the value; whole numbers by ten with Shift"),
            ("Enter, Tab", "Take over what was typed"),
        ),
    ),
)
# Licences as their projects state them.
PARTS = (
    ("PySide6-Essentials", "Qt for Python", "LGPL-3.0-only"),
    ("torch", "PyTorch", "BSD-3-Clause"),
    ("numpy", "NumPy", "BSD-3-Clause"),
    ("pyqtgraph", "pyqtgraph", "MIT"),
    ("safetensors", "safetensors", "Apache-2.0"),
    ("pillow", "Pillow", "MIT-CMU"),
    ("jaxtyping", "jaxtyping", "MIT"),
)


def program_version() -> str:
    """Return the installed version; `from source` where the program is not installed as a package."""
    return _version_of("latent-explorer") or "from source"


def shortcuts_html() -> str:
    """Return every command with its keys, menu by menu, then what the mouse does."""
    sections = [(menu.text.replace("&", ""), _rows_of(menu)) for menu in MENUS]
    sections += [(title, rows) for title, rows in MOUSE]
    return "".join(_table(title, rows) for title, rows in sections if rows)


def about_html() -> str:
    """Return version, data with its notice, and the licences of what the program stands on."""
    notice = resource("data", "mnist", "NOTICE").read_text(encoding="utf-8").splitlines()[:2]
    rows = [(f"{title} {_version_of(package) or '(not installed)'}", licence) for package, title, licence in PARTS]
    return (
        f"<h2>Latent Explorer</h2><p>Version {html.escape(program_version())}</p>"
        "<p>Train, open and explore variational auto-encoders: drag points in their latent space and see what they "
        "decode to.</p>"
        f"<h4>Data</h4><p>{html.escape(' '.join(notice))}</p>" + _table("Made with", tuple(rows))
    )


class TextWindow(QDialog):
    """A window of text that is not modal and stays beside the main window."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(520, 620)
        self._text = QTextBrowser()
        self._text.setAccessibleName(title)
        self._text.setOpenExternalLinks(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(self._text)
        column.addWidget(buttons)

    def set_text(self, text: str) -> None:
        """Show a text in Qt's subset of HTML."""
        self._text.setHtml(text)

    @property
    def text(self) -> str:
        """The text as plain words."""
        return self._text.toPlainText()


def _rows_of(menu: Menu) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = []
    names = {entry.name for entry in COMMANDS}
    for entry in menu.entries:
        if isinstance(entry, Menu):
            rows += _rows_of(entry)
        elif entry in names:
            known = command(entry)
            keys = known.key_sequence.toString(QKeySequence.SequenceFormat.NativeText)
            if keys:
                rows.append((keys, known.plain_text))
    return tuple(rows)


def _table(title: str, rows: tuple[tuple[str, str], ...]) -> str:
    muted = current_palette().muted_text
    cells = "".join(
        f'<tr><td width="45%" style="padding:3px 12px 3px 0">{html.escape(left)}</td>'
        f'<td style="padding:3px 0;color:{muted}">{html.escape(right)}</td></tr>'
        for left, right in rows
    )
    return f'<h4 style="margin-bottom:4px">{html.escape(title)}</h4><table width="100%" cellspacing="0">{cells}</table>'


def _version_of(package: str) -> str:
    # 20 ms, which a start has no use for.
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - as above

    try:
        return version(package)
    except PackageNotFoundError:
        return ""

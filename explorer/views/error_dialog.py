"""What is shown of an error in the program itself: one window, however often and whatever fails."""

import os
import platform
import sys
import time
from dataclasses import dataclass

from PySide6 import __version__ as pyside_version
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.commands.icons import tinted_icon
from explorer.messages import Failed
from explorer.theme import current_palette
from explorer.views.help_windows import program_version

QUIET_S = 10.0
"""An error that was closed stays closed for so long: one that comes with every movement would reopen at once."""
_MOST_KINDS = 20
"""Of different errors in one report; those after are counted."""
_LONGEST_REASON = 300
_LONGEST_DETAILS = 20_000
_GOES_ON = "The program goes on, but what you just did may not have had its effect."


@dataclass(slots=True)
class _Seen:
    """One kind of error: what was said of it, how often it came, and until when it stays closed."""

    failed: Failed
    times: int = 0
    quiet_until: float = 0.0


class ErrorDialog(QDialog):
    """Says that something in the program failed, and lets the user go on, save, and report it.

    Not modal.  While it is open further errors are counted in it, and different ones join the details.
    """

    save_requested = Signal()
    """The open model is to be saved under another name."""
    folder_requested = Signal()
    """The folder of the logs is to be shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Error in the program")
        self.setModal(False)
        self._seen: dict[str, _Seen] = {}
        self._first = ""
        self._more = 0
        self._symbol = QLabel()
        self._reason = QLabel()
        self._reason.setTextFormat(Qt.TextFormat.PlainText)
        self._reason.setWordWrap(True)
        self._reason.setProperty("role", "heading")
        self._reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._goes_on = QLabel(_GOES_ON)
        self._goes_on.setWordWrap(True)
        self._count = QLabel()
        self._count.setWordWrap(True)
        self._count.setProperty("role", "muted")
        self._count.hide()
        self._fold = QToolButton()
        self._fold.setText("Details")
        self._fold.setAccessibleName("Details")
        self._fold.setToolTip("Show where in the program it happened.")
        self._fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._fold.setProperty("fold", "true")
        self._fold.setCheckable(True)
        self._fold.toggled.connect(self._unfold)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setAccessibleName("Report with the stacks of the errors")
        self._details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        # Tab goes on to the buttons; the text is only read.
        self._details.setTabChangesFocus(True)
        self._details.hide()
        self._save = QPushButton("Save model as…")
        self._save.setToolTip("Save the open model under another name.")
        self._save.clicked.connect(self.save_requested)
        self._copy = QPushButton("Copy report")
        self._copy.setToolTip("Copy versions and stacks to the clipboard.")
        self._copy.clicked.connect(self._copy_report)
        self._folder = QPushButton("Open log folder")
        self._folder.setToolTip("Show the folder with the logs of errors and crashes.")
        self._folder.clicked.connect(self.folder_requested)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._buttons.rejected.connect(self.reject)
        self._lay_out()
        self._tint()

    def tell(self, failed: Failed, *, can_save: bool) -> None:
        """Show an error; one that is shown already is counted, one that was closed just now only kept."""
        now = time.monotonic()
        self._save.setVisible(can_save)
        self._save.setEnabled(can_save)
        if not self.isVisible():
            known = self._seen.get(_kind_of(failed))
            if known is not None and now < known.quiet_until:
                known.times += 1
                known.quiet_until = now + QUIET_S
                return
            self._begin(failed)
        self._count_in(failed)

    def reject(self) -> None:
        """Close; what was in it stays closed while it goes on to come."""
        for known in self._seen.values():
            known.quiet_until = time.monotonic() + QUIET_S
        super().reject()

    @property
    def reason(self) -> str:
        """The sentence that is shown."""
        return self._reason.text()

    @property
    def count_text(self) -> str:
        """What is said of repetitions and of other errors."""
        return self._count.text()

    @property
    def report(self) -> str:
        """Versions, then each kind of error with its stack."""
        told = [_versions()]
        told += [
            f"{_times(known.times)}: {known.failed.reason}\n{known.failed.details[-_LONGEST_DETAILS:]}"
            for known in self._seen.values()
            if known.times
        ]
        if self._more:
            told.append(f"and {self._more:,} errors of other kinds: see the log")
        return "\n\n".join(told)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_fold"):
            self._tint()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Let Enter and Escape close it."""
        super().showEvent(event)
        self._buttons.button(QDialogButtonBox.StandardButton.Close).setFocus()

    def _begin(self, failed: Failed) -> None:
        for kind, known in list(self._seen.items()):
            known.times = 0
            if known.quiet_until < time.monotonic():
                del self._seen[kind]
        self._more = 0
        self._count.hide()
        self._first = _kind_of(failed)
        reason = failed.reason.strip()
        if len(reason) > _LONGEST_REASON:
            reason = f"{reason[:_LONGEST_REASON]}…"
        text = f"Something went wrong inside the program: {reason}"
        self._reason.setText(text)
        self.setAccessibleName(text)
        self.setAccessibleDescription(_GOES_ON)
        self.show()
        self._fit()

    def _count_in(self, failed: Failed) -> None:
        kind = _kind_of(failed)
        if kind in self._seen or len(self._seen) < _MOST_KINDS:
            known = self._seen.setdefault(kind, _Seen(failed))
            known.times += 1
            is_new = known.times == 1
        else:
            self._more += 1
            is_new = False
        said = []
        if self._seen[self._first].times > 1:
            said.append(f"It has happened {_times(self._seen[self._first].times)}.")
        others = self._more + sum(known.times for kind, known in self._seen.items() if kind != self._first)
        if others:
            said.append(f"{others:,} other error{'s' if others > 1 else ''} followed; the details have them.")
        self._count.setText(" ".join(said))
        if said and self._count.isHidden():
            self._count.show()
            self._fit()
        # A report that changes with every repetition could not be read.
        if is_new and self._details.isVisible():
            self._details.setPlainText(self.report)

    def _unfold(self, unfolded: bool) -> None:  # noqa: FBT001 - Qt's signature
        self._tint()
        if unfolded:
            self._details.setPlainText(self.report)
        self._details.setVisible(unfolded)
        self._fit()

    def _fit(self) -> None:
        """Be as high as the words need at this width; a small screen takes of the report alone."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
            wanted = layout.totalHeightForWidth(self.width())
            self.resize(self.width(), min(wanted, round(0.9 * self.screen().availableGeometry().height())))

    def _copy_report(self) -> None:
        QGuiApplication.clipboard().setText(self.report)
        self._copy.setText("Copied")

    def _tint(self) -> None:
        self._symbol.setPixmap(tinted_icon("error", current_palette().error).pixmap(32, 32))
        self._fold.setIcon(tinted_icon("chevron-down" if self._fold.isChecked() else "chevron-right"))

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(8)
        for label in (self._reason, self._goes_on, self._count):
            words.addWidget(label)
        top = QHBoxLayout()
        top.setSpacing(14)
        top.addWidget(self._symbol, 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(words, 1)
        for button in (self._save, self._copy, self._folder):
            button.setAutoDefault(False)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self._save, self._copy, self._folder):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self._buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 18, 18, 14)
        column.setSpacing(12)
        column.addLayout(top)
        column.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._details, 1)
        column.addLayout(row)
        # A small screen takes of the text's height, and never of the distance to the buttons.
        self._details.setMinimumSize(520, 110)
        self.setMinimumWidth(560)


def _kind_of(failed: Failed) -> str:
    """Return what two errors of the same kind share: the stack without the message, which may hold a number."""
    lines = failed.details.strip().splitlines()
    return "\n".join(line for line in lines if line.startswith("  ")) or failed.reason


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _versions() -> str:
    torch = sys.modules.get("torch")
    parts = (
        f"Latent Explorer {program_version()}",
        f"Python {platform.python_version()}",
        f"PySide6 {pyside_version}",
        f"torch {getattr(torch, '__version__', 'importing')}" if torch is not None else "torch not loaded",
        f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} processors",
        f"platform {QGuiApplication.platformName()}",
    )
    return ", ".join(parts)

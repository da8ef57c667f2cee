"""The one window: canvas in the middle, docks around it, menus from the table of commands."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QWidget

from core.config import ModelConfig
from explorer.commands.actions import ActionSet
from explorer.commands.availability import RUN_COMMANDS, reasons_against
from explorer.commands.table import COMMANDS, MENUS, RECENT_MENU, RUNS_MENU, SEPARATOR, Menu
from explorer.messages import DocumentInfo, Failed, RunState
from explorer.settings import LAYERS, Settings
from explorer.theme import THEMES, apply_theme
from explorer.views.arrangement import Arrangement
from explorer.views.banner import Banner
from explorer.views.centre import Centre
from explorer.views.docks import Docks, made_docks
from explorer.views.drop_hint import DropHint
from explorer.views.file_dialogs import FileDialogs
from explorer.views.forms import commit_pending_edit
from explorer.views.help_windows import TextWindow, about_html, shortcuts_html
from explorer.views.later import Later
from explorer.views.panels import DataPanel, ModelPanel, TrainingPanel
from explorer.views.recent_menu import RecentMenu
from explorer.views.runs_menu import RunsMenu
from explorer.views.timing_bar import TimingBar
from explorer.views.tool_strip import ToolStrip

PROGRAM = "Latent Explorer"
# Commands that ask for a path: purpose and proposed name.
_ASKS = {
    "file.open_model": ("model",),
    "file.open_data": ("data",),
    "file.open_folder": ("folder",),
    "file.export_curves": ("curves", "curves"),
    "file.export_canvas": ("canvas", "latent space"),
}
_HELP = {"help.shortcuts": ("Keyboard and mouse", shortcuts_html), "help.about": (f"About {PROGRAM}", about_html)}


@dataclass(frozen=True, slots=True)
class Panels:
    """The widgets that the window puts in their places; it becomes their parent.  `compare` holds the canvas."""

    data: DataPanel
    model: ModelPanel
    training: TrainingPanel
    canvas: QWidget
    hand: QWidget
    sliders: QWidget
    draw_pad: QWidget
    curves: QWidget
    beside_curves: tuple[Later[QWidget], ...] = ()
    """Ladder, gaps, read-outs and similar images: they share the place of the curves."""
    ledger: tuple[Later[QWidget], ...] = ()
    """The ledger, and the panel that shares its place: fit q."""
    compare: QWidget | None = None
    sampling: Later[QWidget] | None = None
    """Stands where the canvas does for a model without codes."""


class MainWindow(QMainWindow):
    """Lays out the panels, passes the user's commands on, and closes only when its owner is ready.

    What concerns the window alone (theme, docks, help, file dialogs) it does itself; every other command comes out
    of `command_given` and `switch_changed`, and chosen files out of `files`.
    """

    command_given = Signal(str)
    """A command that is the owner's to carry out: file.save, those of the edit and model menus, view.fit."""
    switch_changed = Signal(str, bool)
    """A switch that is the owner's to follow: those of the canvas's layers, and view.timing."""
    close_requested = Signal()
    """The window is to close: the owner stops its threads, saves, and calls close_now()."""
    log_folder_requested = Signal()
    files_dropped = Signal(tuple)
    """Paths of dropped files and folders."""
    banner_action = Signal(str)
    """The command that a message offered and that is none of the table's; the table's are given as such."""
    recent_chosen = Signal(Path)
    split_chosen = Signal(str)
    """`train` or `held_out`."""
    encoding_cancelled = Signal()

    def __init__(self, panels: Panels, settings: Settings) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setAcceptDrops(True)
        self.setMinimumSize(QSize(800, 560))
        self._panels = panels
        self._settings = settings
        self._may_close = self._asked_to_close = False
        self._help: dict[str, TextWindow] = {}
        self._document: DocumentInfo | None = None
        self.commands = ActionSet(self)
        self.files = FileDialogs(self)
        self.banner = Banner()
        self._strip = ToolStrip(self.commands)
        self._recent_menu, self.runs_menu = RecentMenu(), RunsMenu()
        self.timing = TimingBar()
        self.setStatusBar(self.timing)
        self._centre = Centre((self.banner, self._strip), panels.compare or panels.canvas, panels.sampling)
        self.setCentralWidget(self._centre)
        experiment, hand = (panels.data, panels.model, panels.training), (panels.hand, panels.sliders)
        below = (panels.curves, panels.beside_curves, panels.ledger)
        self.docks: Docks = made_docks(self, experiment, panels.training.controls, hand, panels.draw_pad, *below)
        self._arrangement = Arrangement(self, self.docks, settings)
        for menu in MENUS:
            self._fill(self.menuBar().addMenu(menu.text), menu)
        self._drop_hint = DropHint(self)
        self._connect()
        self._restore()
        self.set_document(None)
        self.refresh_recent_files()
        self.refresh_run_commands()

    # What the owner shows.

    def set_document(self, document: DocumentInfo | None) -> None:
        """Name the open model in the title bar; None where there is none."""
        self._document = document
        self.setWindowTitle(f"{document.name}[*] \N{EN DASH} {PROGRAM}" if document is not None else PROGRAM)
        self.setWindowModified(document is not None and document.modified)
        self.setWindowFilePath(str(document.path) if document is not None and document.path is not None else "")
        for name in ("file.save", "file.save_as", "file.export_curves", "edit.copy_picture"):
            self.commands.set_enabled(name, document is not None)
        self._panels.model.set_document(document)

    def set_run_state(self, state: RunState) -> None:
        """Show everywhere what the training is doing."""
        running = state is not RunState.IDLE
        self._panels.training.set_run_state(state)
        self._panels.model.set_running(running)
        self._panels.data.set_running(running)
        for name in ("file.open_data", "file.open_folder"):
            self.commands.set_enabled(name, not running)
        self.refresh_run_commands()

    def set_can_continue(self, able: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Let the open model be trained further or not."""
        self._panels.training.set_can_continue(able)
        self.refresh_run_commands()

    def set_model(self, model: ModelConfig) -> None:
        """Offer what such a model has; what is switched on is remembered all the same."""
        for name, reason in reasons_against(model).items():
            self.commands.set_enabled(name, not reason, reason)
        self._centre.show_canvas(model.has_codes)

    def set_undo_available(self, undo: bool, redo: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Let strokes of the draw pad be taken back and drawn again."""
        self.commands.set_enabled("edit.undo", undo)
        self.commands.set_enabled("edit.redo", redo)

    def set_splits(self, splits: tuple[str, ...], shown: str) -> None:
        """Offer halves of the data (`train`, `held_out`) above the canvas; no intent is emitted."""
        self._strip.set_splits(splits, shown)

    def show_status(self, text: str) -> None:
        """Say in passing, above the canvas, what was done; it goes by itself."""
        self._strip.show_status(text)

    def show_progress(self, fraction: float, text: str) -> None:
        """Show above the canvas how far loading is, 0 to 1."""
        self._strip.show_progress(fraction, text)

    def show_encoding(self, fraction: float, text: str = "") -> None:
        """Show above the canvas how far the encoding of all images is, 0 to 1; without a text it is over."""
        self._strip.show_encoding(fraction, text)

    def show_error(self, failed: Failed, action_text: str = "", command: str = "") -> None:
        """Show above the canvas what went wrong; nothing waits for an answer."""
        self.banner.show_error(failed, action_text, command)

    def show_message(self, text: str, action_text: str = "", command: str = "") -> None:
        """Show a note above the canvas, with a button that gives `command`."""
        self.banner.show_message(text, action_text, command)

    def clear_message(self) -> None:
        """Take the note away."""
        self.banner.clear_message()

    def clear_error(self) -> None:
        """Take the error away, as when the next attempt has succeeded."""
        self.banner.clear_error()

    def refresh_recent_files(self) -> None:
        """Show the recent files of the settings in the menu."""
        self._recent_menu.show_files(self._settings.recent_files)

    def refresh_run_commands(self) -> None:
        """Enable the training commands that can be given now, as the training panel says."""
        available, paused = self._panels.training.available, self._panels.training.state is RunState.PAUSED
        for name in RUN_COMMANDS:
            self.commands.set_enabled(name, name in available)
        self.commands.set_text(
            "model.pause_or_resume", "&Resume" if paused else "&Pause", "start" if paused else "pause"
        )

    def shown_layers(self) -> frozenset[str]:
        """Return which of the canvas's layers are switched on."""
        return frozenset(name for name in LAYERS if self.commands.is_checked(f"view.{name}"))

    def close_now(self) -> None:
        """Close the window: its owner has stopped what ran and saved what was open."""
        self._may_close = True
        self.close()

    def stay_open(self) -> None:
        """Forget that the window was to close, as when saving failed; the next attempt asks again."""
        self._asked_to_close = False

    def reset_layout(self) -> None:
        """Put all docks back where they were at first."""
        self._arrangement.reset()

    # What Qt tells the window.

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Ask the owner, once; close when it has called close_now()."""
        self._arrangement.remember()
        if self._may_close:
            for window in self._help.values():
                window.close()
            self.files.close()
            event.accept()
            return
        event.ignore()
        if not self._asked_to_close:
            self._asked_to_close = True
            commit_pending_edit()
            self.close_requested.emit()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Arrange the docks at the first start; the keys go to the canvas."""
        super().showEvent(event)
        if self.focusWidget() is None:
            self._panels.canvas.setFocus()
        self._arrangement.on_shown()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "commands"):
            self.commands.retint()
            self._recent_menu.retint()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Accept files and folders of this machine."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._drop_hint.appear()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802
        """Take the hint away."""
        self._drop_hint.hide()
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Hand over the dropped paths."""
        self._drop_hint.hide()
        paths = tuple(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
        if paths:
            event.acceptProposedAction()
            self.files_dropped.emit(paths)

    # What the user does.

    def _connect(self) -> None:
        panels = self._panels
        self.commands.triggered_command.connect(self._triggered)
        self.commands.toggled_command.connect(self._toggled)
        self.banner.banner_action.connect(self._banner_action)
        self._strip.split_chosen.connect(self.split_chosen)
        self._strip.encoding_cancelled.connect(self.encoding_cancelled)
        self._recent_menu.chosen.connect(self.recent_chosen)
        self._recent_menu.clear_asked.connect(self._clear_recent)
        panels.data.open_data_requested.connect(self.files.ask_for_data)
        panels.data.open_folder_requested.connect(self.files.ask_for_folder)
        panels.model.validity_changed.connect(self._model_validity_changed)
        panels.training.validity_changed.connect(self.refresh_run_commands)
        for dock in self.docks.all():
            dock.toggleViewAction().toggled.connect(self._docks_changed)

    def _triggered(self, name: str) -> None:
        own = {
            "file.save_as": self._ask_where_to_save,
            "file.quit": self.close,
            "view.reset_layout": self.reset_layout,
            "help.log_folder": self.log_folder_requested.emit,
        }
        if name in _ASKS:
            self.files.ask(*_ASKS[name])
            return
        if name in _HELP:
            self._show_help(*_HELP[name])
            return
        if name in own:
            own[name]()
            return
        commit_pending_edit()
        if name in RUN_COMMANDS and name not in self._panels.training.available:
            # The edit that was just taken over is not allowed: show it rather than train with something else.
            if not self._panels.model.focus_first_error():
                self._panels.training.focus_first_error()
            return
        if name == "edit.paste_picture":
            # What changes has to be seen.
            self.docks.draw.show()
            self.docks.draw.raise_()
        self.command_given.emit(name)

    def _toggled(self, name: str, checked: bool) -> None:  # noqa: FBT001 - Qt's signature
        if name.startswith("view.theme_"):
            self._choose_theme(name.removeprefix("view.theme_"))
        elif name in self.docks.by_command():
            dock = self.docks.by_command()[name]
            dock.setVisible(checked)
            if checked:
                dock.raise_()
        else:
            if name == "view.timing":
                self._settings.show_timing = checked
            else:
                self._settings.layers = self.shown_layers()
            self.switch_changed.emit(name, checked)

    def _banner_action(self, name: str) -> None:
        if any(name == entry.name for entry in COMMANDS):
            self.commands.trigger(name)
        else:
            self.banner_action.emit(name)

    def _ask_where_to_save(self) -> None:
        self.files.ask("save", self._document.name if self._document is not None else "model")

    def _clear_recent(self) -> None:
        self._settings.clear_recent_files()
        self.refresh_recent_files()

    def _model_validity_changed(self, valid: bool) -> None:  # noqa: FBT001 - Qt's signature
        self._panels.training.set_model_valid(valid)
        self.refresh_run_commands()

    def _choose_theme(self, name: str) -> None:
        self._settings.theme = name
        app = QApplication.instance()
        if app is not None:
            apply_theme(app, name)

    def _docks_changed(self) -> None:
        for name, dock in self.docks.by_command().items():
            self.commands.set_checked(name, dock.toggleViewAction().isChecked())

    def _show_help(self, title: str, text: Callable[[], str]) -> None:
        if title not in self._help:
            self._help[title] = TextWindow(title, self)
        window = self._help[title]
        window.set_text(text())
        window.show()
        window.raise_()
        window.activateWindow()

    def _fill(self, menu: QMenu, described: Menu) -> None:
        menu.setToolTipsVisible(True)
        for entry in described.entries:
            if isinstance(entry, Menu):
                self._fill(menu.addMenu(entry.text), entry)
            elif entry == SEPARATOR:
                menu.addSeparator()
            elif entry in (RECENT_MENU, RUNS_MENU):
                menu.addMenu(self._recent_menu if entry == RECENT_MENU else self.runs_menu)
            else:
                menu.addAction(self.commands[entry])

    def _restore(self) -> None:
        settings = self._settings
        self._arrangement.restore()
        for name in THEMES:
            self.commands.set_checked(f"view.theme_{name}", name == settings.theme)
        for name in LAYERS:
            self.commands.set_checked(f"view.{name}", name in settings.layers)
        self.commands.set_checked("view.timing", settings.show_timing)
        self.set_undo_available(undo=False, redo=False)
        self._docks_changed()

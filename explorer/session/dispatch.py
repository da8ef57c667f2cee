"""Commands and choices of the window, carried to whoever does them."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QObject

from explorer.messages import Failed, RunState
from explorer.session.conversion import CANCEL
from explorer.session.session import Session
from explorer.session.timing import TimingSession
from explorer.session.views import Views
from explorer.views.writing import not_written, write_whole

LAYERS = ("view.codes", "view.mosaic", "view.prior", "view.posterior")


class Dispatch(QObject):
    """One table from command to method; switches and file answers beside it."""

    def __init__(self, session: Session, views: Views) -> None:
        super().__init__(session)
        self._session = session
        self._views = views
        self._export_failure = ""
        self._commands: dict[str, Callable[[], object]] = {
            "file.save": self._save,
            CANCEL: session.conversion.cancel,
            "edit.undo": views.draw_pad.undo,
            "edit.redo": views.draw_pad.redo,
            "edit.copy_picture": views.hand.deterministic.copy_picture,
            "edit.paste_picture": views.draw_pad.paste,
            "data.open_own": session.open_own_data,
            "model.start": session.start_training,
            "model.continue": session.continue_training,
            "model.pause_or_resume": self._pause_or_resume,
            "model.stop": session.training.stop,
            "view.encode_all": session.encoding.begin,
            "view.fit": views.canvas.fit_view,
            "view.redraw": session.analyses.redraw,
            "view.compare": session.analyses.toggle_comparison,
        }
        window = views.window
        window.command_given.connect(self.do)
        window.banner_action.connect(self.do)
        window.switch_changed.connect(self.switch)
        window.files_dropped.connect(session.open_paths)
        window.recent_chosen.connect(self._open_recent)
        window.split_chosen.connect(session.latent.show_split)
        session.analyses.held_out_wanted.connect(self._show_held_out)
        window.files.chosen.connect(self._on_file_chosen)
        session.documents.save_mended.connect(window.banner.clear_error)
        views.hand.failed.connect(self._on_view_failed)
        views.draw_pad.history_changed.connect(window.set_undo_available)
        views.draw_pad.failed.connect(self._on_view_failed)
        session.drawing.pad_changed.connect(self._on_pad_changed)
        window.set_splits(("held_out", "train"), "held_out")
        self._timing = TimingSession(views, self)
        self._timing.set_on(window.commands.is_checked("view.timing"))
        self._show_layers()

    def do(self, command: str) -> None:
        """Carry out a command.  Raises KeyError for one that nobody knows."""
        self._commands[command]()

    def switch(self, command: str, on: bool) -> None:  # noqa: FBT001 - a signal's value
        """Follow a switch of the view."""
        if command in LAYERS:
            self._show_layers()
        elif command == "view.timing":
            self._timing.set_on(on)

    def _show_layers(self) -> None:
        shown = self._views.window.shown_layers()
        self._views.canvas.set_layers(
            mosaic="mosaic" in shown,
            codes="codes" in shown,
            prior="prior" in shown,
            posterior="posterior" in shown,
        )

    def _show_held_out(self) -> None:
        self._views.window.set_splits(("held_out", "train"), "held_out")
        # As if it had been chosen above the canvas: whatever follows that choice follows this one.
        self._views.window.split_chosen.emit("held_out")

    def _pause_or_resume(self) -> None:
        training = self._session.training
        if training.state is RunState.PAUSED:
            training.resume()
        else:
            training.pause()

    def _on_pad_changed(self) -> None:
        tools = self._views.draw_pad.tools
        self._views.window.set_undo_available(tools.undo.isEnabled(), tools.redo.isEnabled())

    def _save(self) -> None:
        path = self._session.documents.path_to_save
        if path is None:
            self._views.window.commands.trigger("file.save_as")
        else:
            self._session.documents.save(path)

    def _open_recent(self, path: Path) -> None:
        self._session.open_paths((path,))

    def _on_file_chosen(self, purpose: str, path: Path) -> None:
        match purpose:
            case "model":
                self._session.documents.open_model(path)
            case "data" | "folder":
                self._session.open_paths((path,))
            case "save":
                self._session.documents.save(path)
            case "canvas":
                self._export(path, self._save_canvas)
            case "curves":
                self._export(path, self._save_curves)

    def _export(self, path: Path, write: Callable[[Path], None]) -> None:
        """Write a file beside the model; that it failed is said until it has succeeded."""
        window, before = self._views.window, self._export_failure
        try:
            write(path)
        except (OSError, ValueError) as error:
            reason = not_written(path, error) if isinstance(error, OSError) else f"{path} could not be written: {error}"
            self._export_failure = reason
            self._session.failed.emit(Failed(reason))
            return
        if before:
            window.banner.clear_error(before)
            self._export_failure = ""
        window.show_status(f"Saved {path.name}")

    def _save_canvas(self, path: Path) -> None:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        if not self._views.canvas.grab().save(buffer, path.suffix.removeprefix(".") or "png"):
            raise ValueError(f"{path.suffix} is no kind of picture that can be written; .png is one")
        write_whole(path, bytes(buffer.data().data()))

    def _save_curves(self, path: Path) -> None:
        curves = self._views.curves
        if path.suffix.lower() == ".csv":
            curves.save_csv(path)
        else:
            curves.save_picture(path)

    def _on_view_failed(self, reason: str) -> None:
        self._session.failed.emit(Failed(reason))

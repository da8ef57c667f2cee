"""Every command of the program, declared once; menus, tool strip and the shortcut overview are made from this table."""

from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence

Standard = QKeySequence.StandardKey
Role = QAction.MenuRole
SEPARATOR = "-"
RECENT_MENU = "recent"
RUNS_MENU = "runs"


@dataclass(frozen=True, slots=True)
class Command:
    """A user action.  `checkable` commands are switches; those of one `group` exclude each other."""

    name: str
    text: str
    shortcut: QKeySequence.StandardKey | str | None = None
    icon: str = ""
    help: str = ""
    checkable: bool = False
    group: str = ""
    role: QAction.MenuRole = Role.NoRole

    @property
    def key_sequence(self) -> QKeySequence:
        """The keys that trigger the command here; empty where there are none."""
        return QKeySequence() if self.shortcut is None else QKeySequence(self.shortcut)

    @property
    def plain_text(self) -> str:
        """The text without the marks of a menu: no mnemonic, no ellipsis."""
        return self.text.replace("&", "").rstrip("…")


COMMANDS = (
    Command("file.open_model", "&Open model…", Standard.Open, "open", "Open a trained model from a file."),
    Command("file.open_data", "Open &data…", "Ctrl+Shift+O", "data", "Open images from an IDX, npy or npz file."),
    Command("file.open_folder", "Open &folder of pictures…", None, "pictures", "Open the pictures in a folder."),
    Command("file.save", "&Save", Standard.Save, "save", "Save the open model with its curves."),
    Command("file.save_as", "Save &as…", "Ctrl+Shift+S", "", "Save the open model under another name."),
    Command("file.export_curves", "Export &curves…", None, "export", "Save the curves as PNG, SVG or CSV."),
    Command("file.export_canvas", "Export canvas &picture…", None, "", "Save the canvas as a PNG picture."),
    Command("file.quit", "&Quit", "Ctrl+Q", "quit", "Save everything and quit.", role=Role.QuitRole),
    Command("edit.undo", "&Undo stroke", Standard.Undo, "undo", "Take back the last stroke on the draw pad."),
    Command("edit.redo", "&Redo stroke", Standard.Redo, "redo", "Draw the stroke again that was taken back."),
    Command("edit.copy_picture", "&Copy picture", Standard.Copy, "copy", "Copy the decoded picture to the clipboard."),
    Command("edit.paste_picture", "&Paste picture", Standard.Paste, "", "Put a picture from the clipboard on the pad."),
    Command("model.start", "&Start: train a new model", "F5", "start", "Make a new model with these settings."),
    Command(
        "model.continue", "&Continue: train the open model", "Ctrl+F5", "continue", "Train the open model further."
    ),
    Command("model.pause_or_resume", "&Pause", "F6", "pause", "Hold the training, or let it go on."),
    Command("model.stop", "S&top", "Shift+F5", "stop", "End the training and keep the model as it is."),
    Command(
        "view.compare",
        "C&ompare with…",
        "F7",
        "compare",
        "Show a second model beside the open one, with one cursor and one drawing; or end that.",
    ),
    Command(
        "view.theme_system", "As the &system", None, "", "Follow the desktop's theme.", checkable=True, group="theme"
    ),
    Command("view.theme_light", "&Light", None, "", "Dark on light.", checkable=True, group="theme"),
    Command("view.theme_dark", "&Dark", None, "", "Light on dark.", checkable=True, group="theme"),
    Command("view.codes", "&Codes", "Ctrl+1", "codes", "Show the codes of the data.", checkable=True),
    Command(
        "view.mosaic", "&Mosaic", "Ctrl+2", "mosaic", "Show decoded pictures across the latent plane.", checkable=True
    ),
    Command("view.prior", "&Prior", "Ctrl+3", "prior", "Show contours of the prior, one to three σ.", checkable=True),
    Command(
        "view.posterior",
        "P&osterior",
        "Ctrl+4",
        "posterior",
        "Show the true posterior p(z|x) of the image under the hand.",
        checkable=True,
    ),
    Command(
        "view.encode_all",
        "Encode &all images",
        "Ctrl+5",
        "",
        "Show the codes of all images of the half above the canvas, not of some; they are computed in the background.",
    ),
    Command("view.fit", "&Fit view", "Ctrl+0", "fit", "Show all codes."),
    Command("view.redraw", "Draw &new ε", "R", "", "Draw other noise for the points z = μ + L ε of the Fit q panel."),
    Command(
        "view.timing",
        "Show &timing",
        "Ctrl+T",
        "timing",
        "Show below the window how long drag, slider and pen take, in ms, and pictures a second.",
        checkable=True,
    ),
    Command(
        "view.dock_experiment", "&Experiment", "Ctrl+Shift+1", "", "Show data, model and training.", checkable=True
    ),
    Command("view.dock_hand", "&Under the hand", "Ctrl+Shift+2", "", "Show pictures and sliders.", checkable=True),
    Command("view.dock_draw", "Dra&w", "Ctrl+Shift+3", "", "Show the draw pad.", checkable=True),
    Command("view.dock_curves", "Cur&ves", "Ctrl+Shift+4", "", "Show the training curves.", checkable=True),
    Command(
        "view.dock_ledger",
        "&Ledger",
        "Ctrl+Shift+5",
        "",
        "Show log p(x), the ELBO and what lies between them.",
        checkable=True,
    ),
    Command("view.dock_fit", "Fit &q", "Ctrl+Shift+6", "", "Show variational inference for one image.", checkable=True),
    Command(
        "view.dock_ladder", "La&dder", "Ctrl+Shift+7", "", "Show the bounds by their number of samples.", checkable=True
    ),
    Command(
        "view.dock_gaps",
        "&Gaps",
        "Ctrl+Shift+8",
        "",
        "Show approximation and amortisation gaps of held-out images.",
        checkable=True,
    ),
    Command(
        "view.dock_read_outs",
        "&Read-outs",
        "Ctrl+Shift+9",
        "",
        "Show what the codes of all held-out images say.",
        checkable=True,
    ),
    Command(
        "view.dock_similar",
        "S&imilar",
        None,
        "",
        "Show clouds of codes under noise and nearest neighbours.",
        checkable=True,
    ),
    Command("view.reset_layout", "Reset la&yout", None, "layout", "Put all panels back where they were at first."),
    Command("help.shortcuts", "&Keyboard and mouse", Standard.HelpContents, "keyboard", "List every shortcut."),
    Command("help.log_folder", "Open &log folder", None, "", "Show the folder with the logs of errors and crashes."),
    Command("help.about", "&About Latent Explorer", None, "note", "Version, data and licences.", role=Role.AboutRole),
)

_BY_NAME = {command.name: command for command in COMMANDS}


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu: names of commands, SEPARATOR, RECENT_MENU or RUNS_MENU for those lists, or another menu."""

    text: str
    entries: "tuple[str | Menu, ...]"


MENUS = (
    Menu(
        "&File",
        (
            "file.open_model",
            "file.open_data",
            "file.open_folder",
            RECENT_MENU,
            RUNS_MENU,
            SEPARATOR,
            "file.save",
            "file.save_as",
            SEPARATOR,
            "file.export_curves",
            "file.export_canvas",
            SEPARATOR,
            "file.quit",
        ),
    ),
    Menu("&Edit", ("edit.undo", "edit.redo", SEPARATOR, "edit.copy_picture", "edit.paste_picture")),
    Menu(
        "&Model",
        ("model.start", "model.continue", SEPARATOR, "model.pause_or_resume", "model.stop", SEPARATOR, "view.compare"),
    ),
    Menu(
        "&View",
        (
            "view.codes",
            "view.mosaic",
            "view.prior",
            "view.posterior",
            "view.encode_all",
            "view.fit",
            "view.redraw",
            SEPARATOR,
            "view.dock_experiment",
            "view.dock_hand",
            "view.dock_draw",
            "view.dock_curves",
            "view.dock_ledger",
            "view.dock_fit",
            "view.dock_ladder",
            "view.dock_gaps",
            "view.dock_read_outs",
            "view.dock_similar",
            "view.reset_layout",
            SEPARATOR,
            Menu("T&heme", ("view.theme_system", "view.theme_light", "view.theme_dark")),
            "view.timing",
        ),
    ),
    Menu("&Help", ("help.shortcuts", "help.log_folder", "help.about")),
)


def command(name: str) -> Command:
    """Return the command of that name.  Raises KeyError naming the known ones."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise KeyError(f"unknown command {name!r}; known: {', '.join(_BY_NAME)}") from None

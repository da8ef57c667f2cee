"""A QAction for each command, found by name."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from explorer.commands.icons import tinted_icon
from explorer.commands.table import COMMANDS, Command, command


class ActionSet(QObject):
    """The program's actions.  Only what the user does is announced: setters emit nothing."""

    triggered_command = Signal(str)
    """Name of a command that is no switch."""
    toggled_command = Signal(str, bool)
    """Name and new state of a switch; of a group only the one switched on."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._actions: dict[str, QAction] = {}
        self._groups: dict[str, QActionGroup] = {}
        for entry in COMMANDS:
            self._actions[entry.name] = self._made(entry, parent)
        self.retint()

    def __getitem__(self, name: str) -> QAction:
        """Return the action of a command.  Raises KeyError naming the known ones."""
        return self._actions[command(name).name]

    def set_enabled(self, name: str, enabled: bool, reason: str = "") -> None:  # noqa: FBT001 - mirrors QAction
        """Let a command be given or not; its tooltip then says the `reason`."""
        action = self[name]
        action.setEnabled(enabled)
        _describe(action, command(name))
        if reason and not enabled:
            action.setToolTip(f"{action.toolTip()}\n{reason}")

    def set_checked(self, name: str, checked: bool) -> None:  # noqa: FBT001 - mirrors QAction
        """Show a switch as on or off; no intent is emitted."""
        self[name].setChecked(checked)

    def is_checked(self, name: str) -> bool:
        """Return whether a switch is on."""
        return self[name].isChecked()

    def set_text(self, name: str, text: str, icon: str = "") -> None:
        """Show another text (and icon) for a command, as Resume for Pause."""
        action = self[name]
        action.setText(text)
        action.setIconText(text.replace("&", "").rstrip("…"))
        if icon:
            action.setProperty("icon_name", icon)
            action.setIcon(tinted_icon(icon))
        _describe(action, command(name))

    def trigger(self, name: str) -> None:
        """Give a command as if the user had chosen it; nothing happens while it is disabled."""
        self[name].trigger()

    def retint(self) -> None:
        """Make the icons anew in the theme's colours."""
        for action in self._actions.values():
            icon = action.property("icon_name")
            if icon:
                action.setIcon(tinted_icon(str(icon)))

    def _made(self, entry: Command, parent: QWidget) -> QAction:
        action = QAction(entry.text, parent)
        action.setObjectName(entry.name)
        action.setData(entry.name)
        action.setShortcut(entry.key_sequence)
        action.setCheckable(entry.checkable)
        # In a menu the icon would take the place of the check mark.
        action.setIconVisibleInMenu(not entry.checkable)
        action.setMenuRole(entry.role)
        action.setIconText(entry.plain_text)
        action.setProperty("icon_name", entry.icon)
        _describe(action, entry)
        if entry.group:
            group = self._groups.setdefault(entry.group, QActionGroup(self))
            group.addAction(action)
        # `triggered` comes from the user and from trigger(), never from setChecked().
        action.triggered.connect(self._announce)
        # Shortcuts work also where the menu bar is hidden or native.
        parent.addAction(action)
        return action

    def _announce(self) -> None:
        action = self.sender()
        if not isinstance(action, QAction):
            return
        name = str(action.data())
        if action.isCheckable():
            self.toggled_command.emit(name, action.isChecked())
        else:
            self.triggered_command.emit(name)


def _describe(action: QAction, entry: Command) -> None:
    keys = entry.key_sequence.toString(QKeySequence.SequenceFormat.NativeText)
    action.setStatusTip(entry.help)
    action.setToolTip(f"{entry.help} ({keys})" if keys else entry.help)

"""Tool buttons whose icons follow the theme."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton, QWidget

from explorer.commands.icons import tinted_icon


class IconButton(QToolButton):
    """A button of an icon from `resources/icons`, tinted anew when the theme changes."""

    def __init__(self, icon: str, name: str, tip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name = icon
        self.setAccessibleName(name)
        self.setToolTip(tip or name)
        self.setIconSize(QSize(16, 16))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIcon(tinted_icon(icon))

    def set_icon_name(self, icon: str) -> None:
        """Show another icon."""
        self._icon_name = icon
        self.setIcon(tinted_icon(icon))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_icon_name"):
            self.setIcon(tinted_icon(self._icon_name))


class ActionButton(QToolButton):
    """A button of the tool strip that stands for an action; its name is the action's text."""

    def __init__(self, action: QAction, parent: QWidget | None = None, *, with_text: bool = True) -> None:
        super().__init__(parent)
        self.setDefaultAction(action)
        self.setAccessibleName(action.iconText())
        self.setIconSize(QSize(16, 16))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        style = Qt.ToolButtonStyle
        self.setToolButtonStyle(style.ToolButtonTextBesideIcon if with_text else style.ToolButtonIconOnly)

"""The strip above a canvas while two models are compared."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from explorer.views.panels.frame import ElidedLabel


def head(title: ElidedLabel, *buttons: QWidget) -> QFrame:
    """Return a strip with a title, and buttons at its right."""
    strip = QFrame()
    strip.setObjectName("tool_strip")
    row = QHBoxLayout(strip)
    row.setContentsMargins(12, 3, 4, 3)
    row.setSpacing(4)
    row.addWidget(title, 1)
    for button in buttons:
        row.addWidget(button)
    strip.setFixedHeight(34)
    return strip
